"""An embedder without a model: each word of a text counts in one of 512 places, so texts with common words are near.

With its option `wait` it never answers, and says in its data directory that it is waiting.
"""

import asyncio
import hashlib
from dataclasses import dataclass

from hector.plugin.v1.embedder_pb2 import (
    EmbedBatchRequest,
    EmbedBatchResponse,
    Embedding,
    GetDimensionsRequest,
    GetDimensionsResponse,
)
from hector_sdk import Embedder, serve

PLACES = 512


def vector(text: str) -> Embedding:
    counts = [0.0] * PLACES
    for word in text.lower().split():
        digest = hashlib.sha256(word.strip("?.,:!`").encode()).digest()
        counts[int.from_bytes(digest[:4], "big") % PLACES] += 1
    length = sum(count * count for count in counts) ** 0.5 or 1
    return Embedding(vector=[count / length for count in counts])


@dataclass(frozen=True)
class Options:
    wait: bool = False


class Words(Embedder[Options]):
    async def embed_batch(self, request: EmbedBatchRequest) -> EmbedBatchResponse:
        if self.options.wait and self.data_dir is not None:
            (self.data_dir / "waiting").touch()
            await asyncio.Event().wait()
        return EmbedBatchResponse(success=True, embeddings=[vector(text) for text in request.texts])

    async def get_dimensions(self, request: GetDimensionsRequest) -> GetDimensionsResponse:
        return GetDimensionsResponse(dimension=PLACES)


if __name__ == "__main__":
    serve(Words())
