"""The contract's RPCs over `hashing.embed`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import grpc

from hector.plugin.v1 import embedder_pb2 as pb
from hector_hashing_embedder.hashing import MOST_WORDS, Embedded, embed
from hector_sdk import Embedder, InvalidOptions, Status

REVISION = 1
"""Of what `embed` computes: other vectors, another revision."""
LARGEST = 65_536
"""The most floats in a vector."""
LARGEST_ANSWER = 48 << 20
"""Bytes of floats in an answer; a message holds 64 MiB."""


@dataclass(frozen=True)
class Options:
    """Options of hashing-embedder."""

    dimension: int = 384
    """Floats in a vector, 1 to 65,536, where a request names no other number. Fewer mean more accidental likeness."""

    ngrams: tuple[int, ...] = (3, 4, 5)
    """Lengths of the parts of a word that count beside it, so that "sail" is like "sailing". Empty: words alone."""


class HashingEmbedder(Embedder[Options]):
    """An embedder that knows nothing."""

    async def start(self) -> None:
        """Check what types cannot say."""
        if not 1 <= self.options.dimension <= LARGEST:
            raise InvalidOptions("dimension", f"is {self.options.dimension}, must be between 1 and {LARGEST}")
        if any(not 1 <= size <= 8 for size in self.options.ngrams):
            raise InvalidOptions("ngrams", "must be lengths between 1 and 8")

    async def embed_text(self, request: pb.EmbedTextRequest) -> pb.EmbedTextResponse:
        """Embed one text."""
        dimension, model = self._asked(request.model, request.dimension)
        only = await self._embed(request.text, dimension)
        return pb.EmbedTextResponse(
            success=True, vector=only.vector, tokens=only.words, truncated=only.truncated, model=model
        )

    async def embed_batch(self, request: pb.EmbedBatchRequest) -> pb.EmbedBatchResponse:
        """Embed texts, in order, all or none."""
        dimension, model = self._asked(request.model, request.dimension)
        most = LARGEST_ANSWER // (4 * dimension)
        if len(request.texts) > most:
            words = f"texts: are {len(request.texts)}, one answer has room for {most} vectors"
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, words)
        response = pb.EmbedBatchResponse(success=True, model=model)
        for text in request.texts:
            one = await self._embed(text, dimension)  # a cancelled call ends here
            response.embeddings.add(vector=one.vector, tokens=one.words, truncated=one.truncated)
        return response

    async def get_dimensions(self, request: pb.GetDimensionsRequest) -> pb.GetDimensionsResponse:
        """Say what vectors it gives."""
        dimension, model = self._asked(request.model, 0)
        return pb.GetDimensionsResponse(dimension=dimension, model=model, max_input_tokens=MOST_WORDS, normalized=True)

    async def _embed(self, text: str, dimension: int) -> Embedded:
        return await asyncio.to_thread(embed, text, dimension, self.options.ngrams)  # others are answered meanwhile

    def _asked(self, model: str, dimension: int) -> tuple[int, str]:
        """The dimension of a request, and the name of the model that gives it: two names, two kinds of vectors."""
        if not 0 <= dimension <= LARGEST:
            words = f"dimension: is {dimension}, must be between 1 and {LARGEST}"
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, words)
        own = self.options.dimension
        if model not in ("", "hashing", self._name(own)):
            raise Status(grpc.StatusCode.NOT_FOUND, f'no model "{model}": there is hashing')
        return dimension or own, self._name(dimension or own)

    def _name(self, dimension: int) -> str:
        parts = ",".join(map(str, self.options.ngrams)) or "words"
        return f"hashing/{REVISION}/{parts}/{dimension}"
