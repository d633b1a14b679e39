"""A language model that fails as its option `fault` says.

nothing     streams no message at all
empty       streams one message that says it is done, without any text
endless     ends its stream without a message that says it is done
dies        streams two words and ends the process with code 7
stalls      streams two words and never another
flood       streams for ever
"""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, GenerateTextResponse, StreamTextRequest, StreamTextResponse
from hector_sdk import LLM, serve


@dataclass(frozen=True)
class Options:
    fault: str


class Model(LLM[Options]):
    async def generate_text(self, request: GenerateTextRequest) -> GenerateTextResponse:
        return GenerateTextResponse()

    async def stream_text(self, request: StreamTextRequest) -> AsyncIterator[StreamTextResponse]:
        fault = self.options.fault
        if fault == "nothing":
            return
        if fault == "empty":
            yield StreamTextResponse(done=True)
            return
        while fault == "flood":
            yield StreamTextResponse(text="x" * (1 << 20))
        yield StreamTextResponse(text="two ")
        yield StreamTextResponse(text="words")
        if fault == "dies":
            await asyncio.sleep(0.05)  # both words leave the process before it ends
            os._exit(7)
        if fault == "stalls":
            await asyncio.Event().wait()


if __name__ == "__main__":
    serve(Model())
