"""Embedders: texts become vectors, in batches where the plugin takes them. A vector is bytes, as in `packed`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from hector.plugin.v1.embedder_pb2 import (
    INPUT_TYPE_DOCUMENT,
    INPUT_TYPE_QUERY,
    EmbedBatchRequest,
    EmbedTextRequest,
    GetDimensionsRequest,
    RerankRequest,
)
from hector_host.errors import CallError
from hector_host.providers.packed import COMPONENT, PackedEmbedderStub
from hector_host.providers.rpc import Rpc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector.plugin.v1.embedder_pb2 import GetDimensionsResponse, RerankResponse
    from hector_host.config import EmbedderConfig
    from hector_host.manager import Manager, Plugin
    from hector_host.providers.call import Call


class EmbedderProvider:
    """One entry of `embedders:`."""

    def __init__(self, name: str, config: EmbedderConfig, manager: Manager) -> None:
        self.name = name
        self._model = config.config.model or ""
        self._dimension = config.config.dimension or 0
        self._rpc: Rpc[PackedEmbedderStub] = Rpc(f"embedder/{name}", config.plugin, manager, PackedEmbedderStub)
        # What the plugin lacks, once it has said so: EmbedBatch, or EmbedText.
        self._one_by_one: Plugin | None = None
        self._batches_only: Plugin | None = None

    async def embed(self, texts: Sequence[str], *, query: bool = False, call: Call) -> list[bytes]:
        """One vector for each text, in their order.

        Args:
            query: The texts are questions, not documents: some models embed the two differently.

        Raises:
            CallError: The plugin failed, or answered with another number of vectors or another length than configured.
        """
        vectors = await self._embed(texts, INPUT_TYPE_QUERY if query else INPUT_TYPE_DOCUMENT, call)
        await self._check(vectors, len(texts), call)
        return vectors

    async def _embed(self, texts: Sequence[str], kind: int, call: Call) -> list[bytes]:
        plugin = await self._rpc.plugin(call)
        if (len(texts) == 1 and self._batches_only is not plugin) or self._one_by_one is plugin:
            return [await self._embed_one(text, kind, call) for text in texts]
        batch = EmbedBatchRequest(texts=texts, model=self._model, input_type=kind, dimension=self._dimension)  # type: ignore[arg-type]
        try:
            response = await self._rpc.unary("EmbedBatch", batch, call, step="embed")
        except CallError as error:
            if error.code is not grpc.StatusCode.UNIMPLEMENTED or self._batches_only is plugin:
                raise
            self._one_by_one = plugin
            return await self._embed(texts, kind, call)
        return [embedding.vector for embedding in response.embeddings]

    async def _embed_one(self, text: str, kind: int, call: Call) -> bytes:
        request = EmbedTextRequest(text=text, model=self._model, input_type=kind, dimension=self._dimension)  # type: ignore[arg-type]
        try:
            response = await self._rpc.unary("EmbedText", request, call, step="embed")
        except CallError as error:
            plugin = await self._rpc.plugin(call)
            if error.code is not grpc.StatusCode.UNIMPLEMENTED or self._one_by_one is plugin:
                raise
            self._batches_only = plugin
            return (await self._embed([text], kind, call))[0]
        vector: bytes = response.vector
        return vector

    async def _check(self, vectors: list[bytes], texts: int, call: Call) -> None:
        plugin = await self._rpc.plugin(call)
        if len(vectors) != texts:
            raise CallError(f"{plugin.label}: answered {len(vectors)} vectors for {texts} texts")
        lengths = {len(vector) // COMPONENT for vector in vectors}
        if self._dimension and lengths - {self._dimension}:
            raise CallError(
                f"{plugin.label}: answered vectors of {max(lengths)} numbers,"
                f" embedders.{self.name} says {self._dimension}",
                f"Set embedders.{self.name}.config.dimension to what the model gives.",
            )

    async def dimension(self, call: Call) -> int:
        """How many numbers a vector has: as configured, as the plugin says, or as it embeds."""
        if self._dimension:
            return self._dimension
        try:
            request = GetDimensionsRequest(model=self._model)
            response: GetDimensionsResponse = await self._rpc.unary("GetDimensions", request, call)
        except CallError as error:
            if error.code is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            return len(await self._embed_one("dimension", INPUT_TYPE_DOCUMENT, call)) // COMPONENT
        return response.dimension

    async def rerank(self, query: str, texts: Sequence[str], call: Call, model: str = "") -> list[float]:
        """How well each text answers a query, in the order of the texts; a higher score is better.

        Raises:
            CallError: The plugin failed, has no model for it (UNIMPLEMENTED), or answered another number of scores.
        """
        request = RerankRequest(query=query, texts=texts, model=model)
        response: RerankResponse = await self._rpc.unary("Rerank", request, call, step="rerank")
        if len(response.scores) != len(texts):
            plugin = await self._rpc.plugin(call)
            raise CallError(f"{plugin.label}: answered {len(response.scores)} scores for {len(texts)} texts")
        return list(response.scores)
