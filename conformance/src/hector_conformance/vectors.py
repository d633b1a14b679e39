"""A collection of the suite's own, in whatever database is tested: made for a case, and gone after it."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

from hector.plugin.v1.database_pb2 import (
    METRIC_UNSPECIFIED,
    CreateCollectionRequest,
    DeleteCollectionRequest,
    DeleteVectorsRequest,
    ListVectorsRequest,
    SearchVectorsRequest,
    UpsertVectorsRequest,
    Vector,
)
from hector_conformance.answers import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from hector.plugin.v1.database_pb2 import Metric, VectorResult
    from hector_conformance.instance import Instance

PATIENCE = 5.0
"""Seconds for a small call of a plugin that may be stuck."""


def point(name: str, *floats: float, **metadata: Any) -> Vector:
    """A vector to store."""
    vector = Vector(id=name, vector=floats)
    if metadata:
        vector.metadata.update(metadata)
    return vector


def fresh_name() -> str:
    """A name that no collection has, made of what any database takes."""
    return f"conformance_{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True)
class Collection:
    """A collection in a running database. Its methods raise Failed when the call does not succeed."""

    stub: Any
    name: str

    async def create(self, dimension: int = 2, metric: Metric = METRIC_UNSPECIFIED) -> None:
        """Makes it."""
        request = CreateCollectionRequest(name=self.name, dimension=dimension, metric=metric)
        await answer(self.stub.CreateCollection(request), f"CreateCollection of dimension {dimension}")

    async def drop(self) -> None:
        """Deletes it."""
        await answer(self.stub.DeleteCollection(DeleteCollectionRequest(name=self.name)), "DeleteCollection")

    async def upsert(self, *vectors: Vector, within: float | None = None) -> None:
        """Stores vectors."""
        request = UpsertVectorsRequest(collection=self.name, vectors=vectors)
        what = f"UpsertVectors of {len(vectors)} vectors"
        await answer(self.stub.UpsertVectors(request, timeout=within), what)

    async def search(
        self,
        *vector: float,
        limit: int = 100,
        threshold: float = 0,
        where: Mapping[str, Any] | None = None,
        exact: bool = False,
        within: float | None = None,
    ) -> Sequence[VectorResult]:
        """What is found, best first."""
        request = SearchVectorsRequest(
            collection=self.name, vector=vector, limit=limit, threshold=threshold, exact=exact
        )
        if where is not None:
            request.filter.update(where)
        response = await answer(self.stub.SearchVectors(request, timeout=within), f"SearchVectors with limit {limit}")
        return response.results  # type: ignore[no-any-return]

    async def ids(self, *vector: float, **options: Any) -> list[str]:
        """The ids of what is found, best first."""
        return [result.id for result in await self.search(*vector, **options)]

    async def delete(self, *ids: str, where: Mapping[str, Any] | None = None) -> int:
        """Deletes vectors; how many, as the plugin counts."""
        request = DeleteVectorsRequest(collection=self.name, ids=ids)
        if where is not None:
            request.filter.update(where)
        response = await answer(self.stub.DeleteVectors(request), f"DeleteVectors of {'ids' if ids else 'a filter'}")
        return int(response.deleted)

    async def pages(self, *ids: str, size: int = 0, most: int = 100) -> list[Vector]:
        """All that ListVectors lists, with floats, in at most `most` pages."""
        found: list[Vector] = []
        request = ListVectorsRequest(collection=self.name, ids=ids, page_size=size, with_vectors=True)
        for _ in range(most):
            response = await answer(self.stub.ListVectors(request), f"ListVectors in pages of {size}")
            found.extend(response.vectors)
            request.page_token = response.next_page_token
            if not request.page_token:
                break
        return found


@asynccontextmanager
async def collection(
    instance: Instance, dimension: int = 2, metric: Metric = METRIC_UNSPECIFIED
) -> AsyncIterator[Collection]:
    """A new collection, deleted again where the plugin can."""
    made = Collection(instance.stubs.database, fresh_name())
    await made.create(dimension, metric)
    async with kept(made):
        yield made


@asynccontextmanager
async def kept(made: Collection) -> AsyncIterator[None]:
    """Keeps a collection for as long as the block lasts."""
    try:
        yield
    finally:
        with suppress(grpc.aio.AioRpcError):  # the verdict is about something else
            await made.stub.DeleteCollection(DeleteCollectionRequest(name=made.name), timeout=PATIENCE)
