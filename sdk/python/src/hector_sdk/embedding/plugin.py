"""The contract's RPCs over models that are loaded behind the handshake."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc

from hector.plugin.v1 import embedder_pb2 as pb
from hector_sdk.embedding.batcher import Batcher
from hector_sdk.embedding.recall import Recall
from hector_sdk.errors import Status
from hector_sdk.providers import Embedder, OptionsT, unimplemented
from hector_sdk.vectors import Embeddings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector_sdk.embedding.model import Card, Models, Pair

PURPOSES = {pb.INPUT_TYPE_QUERY: "query", pb.INPUT_TYPE_DOCUMENT: "document"}
LARGEST_ANSWER = 48 << 20
"""Bytes of floats in an answer; a message holds 64 MiB."""


class ModelEmbedder(Embedder[OptionsT]):
    """An embedder for one model, and a reranker beside it where there is one. Plugins write `load`."""

    _executor: ThreadPoolExecutor
    _card: Card
    _texts: Batcher[str] | Recall
    _recall: Recall | None
    _reranking: tuple[Card, Batcher[Pair]] | None
    _batching: list[asyncio.Task[None]]

    @abstractmethod
    def load(self) -> Models:
        """Load what `options` name. Called in the thread that will compute, while the process answers already.

        Raises:
            InvalidOptions: They cannot be served.
            Status: FAILED_PRECONDITION for what is absent.
        """

    async def start(self) -> None:
        """Load, and begin to compute."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        try:
            models = await asyncio.get_running_loop().run_in_executor(self._executor, self.load)
        except BaseException:
            self._executor.shutdown(wait=False, cancel_futures=True)
            raise
        self._card = models.embedder.card
        batches = Batcher(models.embedder, self._executor, models.batch_size, len)
        self._batching = [asyncio.create_task(batches.run())]
        self._texts, self._recall, self._reranking = batches, None, None
        if models.cache and self.data_dir:
            self._texts = self._recall = Recall(batches, self._card.name, self.data_dir, models.cache)
            await self._recall.open()
        if models.reranker:
            batcher = Batcher(models.reranker, self._executor, models.batch_size, _length)
            self._reranking = (models.reranker.card, batcher)
            self._batching.append(asyncio.create_task(batcher.run()))

    async def stop(self) -> None:
        """Compute no further."""
        for task in self._batching:
            task.cancel()
        await asyncio.gather(*self._batching, return_exceptions=True)
        if self._recall:
            await self._recall.close()
        await asyncio.to_thread(self._executor.shutdown)

    async def embed_text(self, request: pb.EmbedTextRequest) -> Embeddings:
        """Embed one text."""
        self._check(request.model, request.dimension)
        return await self._embed([request.text], PURPOSES.get(request.input_type, ""))

    async def embed_batch(self, request: pb.EmbedBatchRequest) -> Embeddings | pb.EmbedBatchResponse:
        """Embed texts, in order, all or none."""
        self._check(request.model, request.dimension)
        self._check_size(request.texts)
        if not request.texts:
            return pb.EmbedBatchResponse(success=True, model=self._card.name)
        return await self._embed(request.texts, PURPOSES.get(request.input_type, ""))

    async def get_dimensions(self, request: pb.GetDimensionsRequest) -> pb.GetDimensionsResponse:
        """Say what vectors the model gives."""
        self._check(request.model, 0)
        return pb.GetDimensionsResponse(
            dimension=self._card.dimension,
            model=self._card.name,
            max_input_tokens=self._card.max_tokens,
            normalized=self._card.normalized,
        )

    async def rerank(self, request: pb.RerankRequest) -> pb.RerankResponse:
        """Score how well each text answers the query."""
        if self._reranking is None:
            raise unimplemented("Rerank")
        card, batcher = self._reranking
        _check_name(request.model, card)
        if not request.texts:
            return pb.RerankResponse(success=True, model=card.name)
        computed = await batcher.embed([(request.query, text) for text in request.texts])
        return pb.RerankResponse(success=True, scores=computed.vectors[:, 0], model=card.name)

    async def _embed(self, texts: Sequence[str], purpose: str) -> Embeddings:
        computed = await self._texts.embed(texts, purpose)
        return Embeddings(computed.vectors, computed.tokens, computed.truncated, self._card.name)

    def _check(self, model: str, dimension: int) -> None:
        _check_name(model, self._card)
        if dimension not in (0, self._card.dimension):
            words = f"dimension: is {dimension}, {self._card.name} gives {self._card.dimension}"
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, words)

    def _check_size(self, texts: Sequence[str]) -> None:
        most = LARGEST_ANSWER // (4 * self._card.dimension)
        if len(texts) > most:
            words = f"texts: are {len(texts)}, one answer has room for {most} vectors"
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, words)


def _check_name(model: str, card: Card) -> None:
    if model not in ("", card.name, *card.aliases):
        there = f'this plugin serves "{(*card.aliases, card.name)[0]}" alone'
        raise Status(grpc.StatusCode.NOT_FOUND, f'no model "{model}": {there}')


def _length(pair: Pair) -> int:
    return len(pair[0]) + len(pair[1])
