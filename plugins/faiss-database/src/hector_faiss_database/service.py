"""The contract's RPCs: a request in, what answers it out, Status raised.

Changes answer with a future, which the engine's writer fulfils; everything else blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from hector.plugin.v1 import database_pb2 as pb
from hector_faiss_database import listing, requests, snapshot
from hector_faiss_database.engine import Engine
from hector_sdk import Status
from hector_sdk.vectors import ListResponse, SearchRequest, SearchResponse, UpsertRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from hector_faiss_database.collection import Collection
    from hector_faiss_database.options import Options

LARGEST_ANSWER = 60 << 20
"""Bytes of ids and metadata in an answer; a message holds 64 MiB."""


class Service:
    """The database in a directory. Status FAILED_PRECONDITION when it cannot be opened."""

    def __init__(self, folder: Path, options: Options) -> None:
        self._engine = Engine(folder, options)

    def close(self) -> None:
        """Leave the directory to the next process."""
        self._engine.close()

    def create(self, request: pb.CreateCollectionRequest) -> Future[None]:
        """Create a collection unless it exists alike."""
        return self._engine.create(requests.settings(request))

    def drop(self, request: pb.DeleteCollectionRequest) -> Future[None]:
        """Delete a collection if it exists."""
        return self._engine.drop(requests.named(request.name, "name"))

    def upsert(self, request: UpsertRequest) -> Future[None]:
        """Store vectors; they are durable when the future is done."""
        collection = self._collection(request.collection)
        return self._engine.put(collection, requests.batch(request, collection.settings))

    def search(self, request: SearchRequest) -> SearchResponse:
        """Find the nearest vectors."""
        collection = self._collection(request.collection)
        hits = collection.search(
            requests.query(request.vector, collection.settings),
            requests.limit(request.limit),
            requests.threshold(request.threshold),
            requests.condition(request.filter),
            exact=request.exact,
        )
        if sum(len(hit.id) + len(hit.metadata) for hit in hits) > LARGEST_ANSWER:
            words = f"limit: {len(hits)} results have more than {LARGEST_ANSWER >> 20} MiB: ask for fewer"
            raise Status(grpc.StatusCode.RESOURCE_EXHAUSTED, words)
        return SearchResponse((hit.id, hit.score, hit.metadata) for hit in hits)

    def remove(self, request: pb.DeleteVectorsRequest) -> Future[int]:
        """Delete vectors by id or by filter; how many were there."""
        collection = self._collection(request.collection)
        requests.either(request.ids, request.filter, needed=True)
        condition = requests.condition(request.filter)
        if condition is None:
            ids = list(dict.fromkeys(request.ids))
            return self._engine.remove(collection, lambda: ids)
        return self._engine.remove(collection, lambda: collection.matching(condition))

    def collections(self) -> pb.ListCollectionsResponse:
        """Say which collections there are."""
        return pb.ListCollectionsResponse(collections=self._listed())

    def vectors(self, request: pb.ListVectorsRequest) -> ListResponse:
        """Fetch vectors by id, or page through all that match."""
        return listing.page(request, self._collection(request.collection))

    def snapshot(self, request: pb.CreateSnapshotRequest) -> Future[tuple[int, int]]:
        """Copy everything into a folder; how many vectors and bytes that are."""
        folder = requests.whole_path(request.folder)
        return self._engine.do(lambda: snapshot.take(self._engine, folder))

    def _collection(self, name: str) -> Collection:
        collection = self._engine.collection(name)
        if collection.damage:
            raise Status(grpc.StatusCode.FAILED_PRECONDITION, collection.damage)
        return collection

    def _listed(self) -> Iterator[pb.Collection]:
        for _, collection in sorted(self._engine.collections.items()):
            settings = collection.settings
            yield pb.Collection(
                name=settings.name,
                dimension=settings.dimension,
                metric=settings.metric,
                vectors=len(collection),
                index=self._index(collection),
            )

    def _index(self, collection: Collection) -> pb.Index:
        """How the collection is searched: by indexes of its large segments, and exactly beside them."""
        found = [(part.living, part.block.index.recall) for part in collection.parts if part.block.index is not None]
        lacking = self._engine.indexing.lacks(collection)
        if not found and not lacking:
            return pb.Index(kind="flat", state=pb.INDEX_STATE_READY, vectors=len(collection), recall=1)
        vectors = sum(living for living, _ in found)
        return pb.Index(
            kind=self._engine.options.index,
            state=pb.INDEX_STATE_BUILDING if lacking else pb.INDEX_STATE_READY,
            vectors=vectors,
            recall=sum(living * recall for living, recall in found) / max(1, vectors),
        )
