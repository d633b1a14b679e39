"""Vector databases: large upserts are cut to what a message may carry. A vector is bytes, as in `packed`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1 import packed
from hector.plugin.v1.database_pb2 import (
    METRIC_COSINE,
    METRIC_DOT,
    METRIC_L2,
    CreateCollectionRequest,
    CreateSnapshotRequest,
    DeleteVectorsRequest,
    ListCollectionsRequest,
    ListVectorsRequest,
)
from hector_host.errors import CallError
from hector_host.providers.packed import PackedDatabaseStub, Row, upsert_request
from hector_host.providers.rpc import Rpc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hector.plugin.v1.database_pb2 import (
        Collection,
        CreateSnapshotResponse,
        DeleteVectorsResponse,
        ListCollectionsResponse,
        SearchVectorsResponse,
        VectorResult,
    )
    from hector_host.config import DatabaseConfig
    from hector_host.manager import Manager
    from hector_host.providers.call import Call

UPSERT_LIMIT = 8 << 20
"""Bytes of vectors in one request (the contract's figure)."""

OVERHEAD = 1024
"""Bytes of a vector in a request beside its components and metadata at most: its id, and what the wire adds."""

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
        self._rpc: Rpc[PackedDatabaseStub] = Rpc(f"database/{name}", config.plugin, manager, PackedDatabaseStub)

    async def create_collection(self, name: str, dimension: int, call: Call) -> None:
        """Makes a collection with the configured metric; harmless when it is there with equal settings.

        Raises:
            CallError: It is there with other settings, or the plugin failed.
        """
        request = CreateCollectionRequest(name=name, dimension=dimension, metric=self._metric)
        await self._rpc.unary("CreateCollection", request, call, step="store")

    async def upsert(self, collection: str, rows: Sequence[Row], call: Call) -> None:
        """Stores vectors; they are durable when this returns."""
        for portion in _portions(rows):
            await self._rpc.unary("UpsertVectors", upsert_request(collection, portion), call, step="store")

    async def search(  # noqa: PLR0913 - the contract's parameters
        self,
        collection: str,
        vector: bytes,
        *,
        limit: int,
        threshold: float = 0.0,
        where: dict[str, Any] | None = None,
        exact: bool = False,
        call: Call,
    ) -> list[VectorResult]:
        """The nearest vectors, best first.

        Args:
            threshold: Results that score lower are left out. 0: no bound.
            where: Metadata that a result must match, in the contract's filter language.
            exact: Compare with every vector, whatever index there is.
        """
        request = packed.SearchVectorsRequest(
            collection=collection, vector=vector, limit=limit, threshold=threshold, exact=exact
        )
        if where:
            condition = Struct()
            condition.update(where)
            request.filter = condition.SerializeToString()
        response: SearchVectorsResponse = await self._rpc.unary("SearchVectors", request, call, step="search")
        return list(response.results)

    async def delete(self, collection: str, ids: Sequence[str], call: Call) -> int:
        """Removes vectors by id and says how many there were."""
        if not ids:
            return 0
        request = DeleteVectorsRequest(collection=collection, ids=ids)
        response: DeleteVectorsResponse = await self._rpc.unary("DeleteVectors", request, call, step="store")
        return response.deleted

    async def fetch(self, collection: str, ids: Sequence[str], call: Call) -> list[Row]:
        """Vectors by id, with their components; those that are not there are left out.

        Raises:
            CallError: The plugin failed, or cannot list vectors (UNIMPLEMENTED).
        """
        rows: list[Row] = []
        request = ListVectorsRequest(collection=collection, ids=ids, with_vectors=True)
        while ids:
            response = await self._rpc.unary("ListVectors", request, call)
            rows += [Row(vector.id, vector.vector, vector.metadata) for vector in response.vectors]
            request.page_token = response.next_page_token
            if not request.page_token:
                break
        return rows

    async def snapshot(self, folder: str, call: Call) -> tuple[int, int]:
        """Copies all collections of the plugin into a folder on its machine; how many vectors and bytes that were.

        Raises:
            CallError: The plugin failed, or makes no snapshots (UNIMPLEMENTED).
        """
        request = CreateSnapshotRequest(folder=folder)
        response: CreateSnapshotResponse = await self._rpc.unary("CreateSnapshot", request, call, step="store")
        return response.vectors, response.bytes

    async def collections(self, call: Call) -> list[Collection] | None:
        """What collections there are. None: the plugin does not tell."""
        try:
            response: ListCollectionsResponse = await self._rpc.unary("ListCollections", ListCollectionsRequest(), call)
        except CallError as error:
            if error.code is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            return None
        return list(response.collections)


def _portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    portion: list[Row] = []
    size = 0
    for row in rows:
        own = len(row.vector) + len(row.metadata) + OVERHEAD
        size += own
        if portion and size > UPSERT_LIMIT:
            yield portion
            portion, size = [], own
        portion.append(row)
    if portion:
        yield portion
