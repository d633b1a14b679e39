"""The contract's RPCs over one model, loaded behind the handshake."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc

from hector.plugin.v1 import embedder_pb2 as pb
from hector_sdk import Embedder, InvalidOptions, Status
from hector_sentence_transformers_embedder import encoder, source
from hector_sentence_transformers_embedder.batcher import Batcher
from hector_sentence_transformers_embedder.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence

PURPOSES = {pb.INPUT_TYPE_QUERY: "query", pb.INPUT_TYPE_DOCUMENT: "document"}
LARGEST_ANSWER = 48 << 20
"""Bytes of floats in an answer; a message holds 64 MiB."""


class SentenceTransformersEmbedder(Embedder[Options]):
    """An embedder for one model."""

    _executor: ThreadPoolExecutor
    _card: encoder.Card
    _names: frozenset[str]
    _batcher: Batcher
    _batching: asyncio.Task[None]

    async def start(self) -> None:
        """Find the model and load it in the thread that will compute."""
        if self.options.batch_size < 1:
            raise InvalidOptions("batch_size", f"is {self.options.batch_size}, must be at least 1")
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        try:
            model = await asyncio.get_running_loop().run_in_executor(self._executor, self._load)
        except BaseException:
            self._executor.shutdown(wait=False, cancel_futures=True)
            raise
        self._card = model.card
        self._batcher = Batcher(model, self._executor, self.options.batch_size)
        self._batching = asyncio.create_task(self._batcher.run())

    async def stop(self) -> None:
        """Compute no further."""
        self._batching.cancel()
        await asyncio.gather(self._batching, return_exceptions=True)
        await asyncio.to_thread(self._executor.shutdown)

    async def embed_text(self, request: pb.EmbedTextRequest) -> pb.EmbedTextResponse:
        """Embed one text."""
        self._check(request.model, request.dimension)
        (only,) = await self._batcher.embed([request.text], PURPOSES.get(request.input_type, ""))
        return pb.EmbedTextResponse(
            success=True, vector=only.vector, tokens=only.tokens, truncated=only.truncated, model=self._card.name
        )

    async def embed_batch(self, request: pb.EmbedBatchRequest) -> pb.EmbedBatchResponse:
        """Embed texts, in order, all or none."""
        self._check(request.model, request.dimension)
        self._check_size(request.texts)
        embedded = await self._batcher.embed(request.texts, PURPOSES.get(request.input_type, ""))
        embeddings = (pb.Embedding(vector=one.vector, tokens=one.tokens, truncated=one.truncated) for one in embedded)
        return pb.EmbedBatchResponse(success=True, embeddings=embeddings, model=self._card.name)

    async def get_dimensions(self, request: pb.GetDimensionsRequest) -> pb.GetDimensionsResponse:
        """Say what vectors the model gives."""
        self._check(request.model, 0)
        return pb.GetDimensionsResponse(
            dimension=self._card.dimension,
            model=self._card.name,
            max_input_tokens=self._card.max_tokens,
            normalized=self._card.normalized,
        )

    def _load(self) -> encoder.Encoder:
        place = source.found(self.options.model, self.options.revision)
        model = encoder.load(place, self.options)
        self._names = frozenset({"", self.options.model, place.name, model.card.name})
        return model

    def _check(self, model: str, dimension: int) -> None:
        if model not in self._names:
            there = f'this plugin serves "{self.options.model}" alone'
            raise Status(grpc.StatusCode.NOT_FOUND, f'no model "{model}": {there}')
        if dimension not in (0, self._card.dimension):
            words = f"dimension: is {dimension}, {self._card.name} gives {self._card.dimension}"
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, words)

    def _check_size(self, texts: Sequence[str]) -> None:
        most = LARGEST_ANSWER // (4 * self._card.dimension)
        if len(texts) > most:
            words = f"texts: are {len(texts)}, one answer has room for {most} vectors"
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, words)
