"""A language model that says one piece, waits until the file `gate` is in its data directory, and says the others."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, GenerateTextResponse, StreamTextRequest, StreamTextResponse
from hector_sdk import LLM, serve


@dataclass(frozen=True)
class Options:
    pieces: list[str] = field(default_factory=lambda: ["one ", "two ", "three"])


class Gated(LLM[Options]):
    async def generate_text(self, request: GenerateTextRequest) -> GenerateTextResponse:
        return GenerateTextResponse(text="".join(self.options.pieces))

    async def stream_text(self, request: StreamTextRequest) -> AsyncIterator[StreamTextResponse]:
        assert self.data_dir is not None
        first, *others = self.options.pieces
        yield StreamTextResponse(text=first)
        while not (self.data_dir / "gate").exists():
            await asyncio.sleep(0.01)
        for piece in others:
            yield StreamTextResponse(text=piece)
        yield StreamTextResponse(done=True)


if __name__ == "__main__":
    serve(Gated())
