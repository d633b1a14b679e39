"""A language model that says `count` pieces of `size` characters each, as fast as they are taken."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, GenerateTextResponse, StreamTextRequest, StreamTextResponse
from hector_sdk import LLM, serve


@dataclass(frozen=True)
class Options:
    count: int
    size: int


class Talker(LLM[Options]):
    async def generate_text(self, request: GenerateTextRequest) -> GenerateTextResponse:
        return GenerateTextResponse(text="x" * self.options.size * self.options.count)

    async def stream_text(self, request: StreamTextRequest) -> AsyncIterator[StreamTextResponse]:
        for _ in range(self.options.count):
            yield StreamTextResponse(text="x" * self.options.size)
        yield StreamTextResponse(done=True)


if __name__ == "__main__":
    serve(Talker())
