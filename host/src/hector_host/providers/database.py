"""Vector databases: large upserts are cut to what a message may carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from hector.plugin.v1.database_pb2 import (
    METRIC_COSINE,
    METRIC_DOT,
    METRIC_L2,
    CreateCollectionRequest,
    DeleteVectorsRequest,
    ListCollectionsRequest,
    SearchVectorsRequest,
    UpsertVectorsRequest,
)
from hector.plugin.v1.database_pb2_grpc import DatabaseProviderStub
from hector_host.errors import CallError
from hector_host.providers.rpc import Rpc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hector.plugin.v1.database_pb2 import (
        Collection,
        DeleteVectorsResponse,
        ListCollectionsResponse,
        SearchVectorsResponse,
        Vector,
        VectorResult,
    )
    from hector_host.config import DatabaseConfig
    from hector_host.manager import Manager
    from hector_host.providers.call import Call

UPSERT_LIMIT = 8 << 20
"""Bytes of vectors in one request (the contract's figure)."""

METRICS = {"cosine": METRIC_COSINE, "dot": METRIC_DOT, "l2": METRIC_L2}


class DatabaseProvider:
    """One entry of `databases:`.

    Attributes:
        collection: The configured collection. Empty: one for each document store, of its name.
        dimension: The configured dimension. 0: the embedder's.
    """

    def __init__(self, name: str, config: DatabaseConfig, manager: Manager) -> None:
        self.name = name
        self.collection = config.config.collection or ""
        self.dimension = config.config.dimension or 0
        self._metric = METRICS[config.config.metric or "cosine"]
        self._rpc: Rpc[DatabaseProviderStub] = Rpc(f"database/{name}", config.plugin, manager, DatabaseProviderStub)

    async def create_collection(self, name: str, dimension: int, call: Call) -> None:
        """Makes a collection with the configured metric; harmless when it is there with equal settings.

        Raises:
            CallError: It is there with other settings, or the plugin failed.
        """
        request = CreateCollectionRequest(name=name, dimension=dimension, metric=self._metric)
        await self._rpc.unary("CreateCollection", request, call, step="store")

    async def upsert(self, collection: str, vectors: Sequence[Vector], call: Call) -> None:
        """Stores vectors; they are durable when this returns."""
        for portion in _portions(vectors):
            request = UpsertVectorsRequest(collection=collection, vectors=portion)
            await self._rpc.unary("UpsertVectors", request, call, step="store")

    async def search(  # noqa: PLR0913 - the contract's parameters
        self,
        collection: str,
        vector: Sequence[float],
        *,
        limit: int,
        threshold: float = 0.0,
        where: dict[str, Any] | None = None,
        call: Call,
    ) -> list[VectorResult]:
        """The nearest vectors, best first.

        Args:
            threshold: Results that score lower are left out. 0: no bound.
            where: Metadata that a result must match, in the contract's filter language.
        """
        request = SearchVectorsRequest(collection=collection, vector=vector, limit=limit, threshold=threshold)
        if where:
            request.filter.update(where)
        response: SearchVectorsResponse = await self._rpc.unary("SearchVectors", request, call, step="search")
        return list(response.results)

    async def delete(self, collection: str, ids: Sequence[str], call: Call) -> int:
        """Removes vectors by id and says how many there were."""
        if not ids:
            return 0
        request = DeleteVectorsRequest(collection=collection, ids=ids)
        response: DeleteVectorsResponse = await self._rpc.unary("DeleteVectors", request, call, step="store")
        return response.deleted

    async def collections(self, call: Call) -> list[Collection] | None:
        """What collections there are. None: the plugin does not tell."""
        try:
            response: ListCollectionsResponse = await self._rpc.unary("ListCollections", ListCollectionsRequest(), call)
        except CallError as error:
            if error.code is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            return None
        return list(response.collections)


def _portions(vectors: Iterable[Vector]) -> Iterator[list[Vector]]:
    portion: list[Vector] = []
    size = 0
    for vector in vectors:
        size += vector.ByteSize()
        if portion and size > UPSERT_LIMIT:
            yield portion
            portion, size = [], vector.ByteSize()
        portion.append(vector)
    if portion:
        yield portion
