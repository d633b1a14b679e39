"""The contract's RPCs as blocking functions: a request in, a response out, Status raised.

`create`, `drop`, `upsert` and `remove` belong to one thread; the others may run anywhere. `batch` is the part of an
upsert that needs no turn: reading and checking its vectors.
"""

from pathlib import Path

from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1 import database_pb2 as pb
from hector_faiss_database import listing, requests
from hector_faiss_database.catalog import Catalog
from hector_faiss_database.collection import Collection
from hector_faiss_database.records import Batch, Hit
from hector_sdk.vectors import SearchRequest, UpsertRequest


class Service:
    """The database in a directory. Status FAILED_PRECONDITION when it cannot be opened."""

    def __init__(self, directory: Path) -> None:
        self._catalog = Catalog(directory)

    def close(self) -> None:
        """Leave the directory to the next process."""
        self._catalog.close()

    def create(self, request: pb.CreateCollectionRequest) -> pb.CreateCollectionResponse:
        """Create a collection unless it exists alike."""
        self._catalog.create(requests.settings(request))
        return pb.CreateCollectionResponse(success=True)

    def drop(self, request: pb.DeleteCollectionRequest) -> pb.DeleteCollectionResponse:
        """Delete a collection if it exists."""
        self._catalog.drop(requests.named(request.name, "name"))
        return pb.DeleteCollectionResponse(success=True)

    def batch(self, request: UpsertRequest) -> tuple[Collection, Batch]:
        """What to store, and where."""
        collection = self._catalog.collection(request.collection)
        return collection, requests.batch(request.message.vectors, collection.settings)

    def upsert(self, collection: Collection, batch: Batch) -> pb.UpsertVectorsResponse:
        """Store vectors; they are durable when this returns."""
        self._catalog.put(collection, batch)
        return pb.UpsertVectorsResponse(success=True)

    def search(self, request: SearchRequest) -> pb.SearchVectorsResponse:
        """Find the nearest vectors, exactly."""
        collection = self._catalog.collection(request.collection)
        hits = collection.search(
            requests.query(request.message.vector, collection.settings),
            requests.limit(request.limit),
            requests.threshold(request.threshold),
            requests.condition(request.filter),
        )
        return pb.SearchVectorsResponse(success=True, results=map(_result, hits))

    def remove(self, request: pb.DeleteVectorsRequest) -> pb.DeleteVectorsResponse:
        """Delete vectors by id or by filter."""
        collection = self._catalog.collection(request.collection)
        requests.either(request.ids, request.filter, needed=True)
        condition = requests.condition(request.filter)
        ids = request.ids if condition is None else collection.matching(condition)
        return pb.DeleteVectorsResponse(success=True, deleted=self._catalog.remove(collection, ids))

    def collections(self) -> pb.ListCollectionsResponse:
        """Say which collections there are."""
        return pb.ListCollectionsResponse(collections=map(_collection, self._catalog.all()))

    def vectors(self, request: pb.ListVectorsRequest) -> pb.ListVectorsResponse:
        """Fetch vectors by id, or page through all that match."""
        return listing.page(request, self._catalog.collection(request.collection), self._catalog.store)


def _result(hit: Hit) -> pb.VectorResult:
    metadata = Struct.FromString(hit.metadata) if hit.metadata else None
    return pb.VectorResult(id=hit.id, score=hit.score, metadata=metadata)


def _collection(collection: Collection) -> pb.Collection:
    settings = collection.settings
    return pb.Collection(
        name=settings.name, dimension=settings.dimension, metric=settings.metric, vectors=len(collection)
    )
