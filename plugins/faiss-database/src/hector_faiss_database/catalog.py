"""The collections of one directory: the store made them durable, the memory makes them quick.

Rule: a change reaches the disk first, then the memory, then the caller. Methods block; `create`, `drop`, `put` and
`remove` belong to one thread, all others may run anywhere.
"""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

import grpc

from hector.plugin.v1.database_pb2 import Metric
from hector_faiss_database.collection import Collection
from hector_faiss_database.owner import Owner
from hector_faiss_database.records import Batch, Settings
from hector_faiss_database.refusals import no_collection, quoted
from hector_faiss_database.store import Store
from hector_sdk import Status

log = logging.getLogger(__name__)


class Catalog:
    """Everything in the directory, which is made when absent.

    Raises Status FAILED_PRECONDITION when another process owns it, or it or its file cannot be used.
    """

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._owner = Owner(directory)
        except OSError as error:
            words = f"cannot use {directory}: {error.strerror}"
            raise Status(grpc.StatusCode.FAILED_PRECONDITION, words) from error
        try:
            self.store = Store(directory)
            self._collections = {
                settings.name: self._loaded(number, settings) for number, settings in self.store.collections()
            }
        except BaseException:
            self._owner.release()
            raise

    def close(self) -> None:
        """Leave the directory to the next process."""
        self.store.close()
        self._owner.release()

    def all(self) -> list[Collection]:
        """All collections in the order of their names."""
        return [collection for _, collection in sorted(self._collections.items())]

    def collection(self, name: str) -> Collection:
        """The collection of this name. Status NOT_FOUND says which there are."""
        try:
            return self._collections[name]
        except KeyError:
            raise no_collection(name, list(self._collections)) from None

    def create(self, settings: Settings) -> None:
        """Make sure that it exists with these settings. Status ALREADY_EXISTS when it has others."""
        existing = self._collections.get(settings.name)
        if existing is None:
            self._collections[settings.name] = Collection(self.store.create(settings), settings)
        elif existing.settings != settings:
            raise Status(
                grpc.StatusCode.ALREADY_EXISTS,
                f"collection {quoted(settings.name)} exists with {_shape(existing.settings)}, not {_shape(settings)}",
            )

    def drop(self, name: str) -> None:
        """Make sure that it does not exist."""
        collection = self._collections.get(name)
        if collection is not None:
            self.store.drop(collection.number)
            del self._collections[name]

    def put(self, collection: Collection, batch: Batch) -> None:
        """Store vectors, replacing those of the same id."""
        self._still_there(collection)
        fresh = iter(self.store.new_keys(len(batch.ids)))
        keys = [next(fresh) if (key := collection.key(vector_id)) is None else key for vector_id in batch.ids]
        self.store.put(collection.number, keys, batch)
        collection.put(keys, batch)

    def remove(self, collection: Collection, ids: Sequence[str]) -> int:
        """Delete vectors by id; returns how many were there."""
        self._still_there(collection)
        keys = {vector_id: key for vector_id in ids if (key := collection.key(vector_id)) is not None}
        if keys:
            self.store.remove(keys.values())
            collection.remove(list(keys))
        return len(keys)

    def _still_there(self, collection: Collection) -> None:
        if self._collections.get(collection.settings.name) is not collection:
            raise no_collection(collection.settings.name, list(self._collections))

    def _loaded(self, number: int, settings: Settings) -> Collection:
        started = time.monotonic()
        collection = Collection(number, settings)
        for keys, batch in self.store.load(number, settings.dimension):
            collection.put(keys, batch)
        seconds = time.monotonic() - started
        log.info("read %d vectors of collection %s in %.1f s", len(collection), quoted(settings.name), seconds)
        return collection


def _shape(settings: Settings) -> str:
    metric = Metric.Name(settings.metric).removeprefix("METRIC_").lower()
    return f"dimension {settings.dimension} and metric {metric}"
