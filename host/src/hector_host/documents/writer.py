"""Chunks on their way into the database and out of it, with the ledger told before and after (`ledger` says why)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode

from hector_host.documents.ledger import Settled
from hector_host.errors import CallError, ConfigError
from hector_host.providers.packed import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    from hector.plugin.v1.database_pb2 import Collection
    from hector_host.documents.ledger import Entry, Ledger, Place
    from hector_host.documents.plan import Item, Work
    from hector_host.documents.store import Store
    from hector_host.providers.call import Call

    T = TypeVar("T")

DELETED_AT_ONCE = 1000
"""Ids in one call."""


class Writer:
    """Writes one store to its place.

    Args:
        thread: A single one, in which the ledger waits for the disk; it ends before the ledger is closed.

    Attributes:
        known: What the place holds by path, as the ledger had it when the writer was made ready.
    """

    def __init__(self, store: Store, ledger: Ledger, thread: Executor, call: Call) -> None:
        self._store = store
        self._place = store.place
        self._ledger = ledger
        self._thread = thread
        self._call = call
        self.known: dict[str, Entry] = {}

    async def prepare(self) -> None:
        """Makes the collection, and forgets what the ledger says of one that has lost vectors since.

        Raises:
            ConfigError: It is there with another dimension, or the embedder does not fit the database.
        """
        told = await self._store.database.collections(self._call)
        collection = next((one for one in told or () if one.name == self._place.collection), None)
        if collection is None or not self._fits(collection):
            # The embedder is asked only here: its model may load for long, and an unchanged store needs none.
            await self._create_collection(await self._store.dimension(self._call))
        has = None if told is None else collection.vectors if collection else 0
        self.known = await self._told(lambda: self._begun(has))

    def _begun(self, has: int | None) -> dict[str, Entry]:
        """What the ledger says of the place when a run begins there.

        Args:
            has: Vectors that the collection has, of all stores. None: its plugin does not tell.
        """
        self._ledger.begin(self._place, self._store.meaning, self._store.chunking)
        if has is not None and has < self._ledger.held(self._place):
            self._ledger.distrust(self._place)
        return self._ledger.entries(self._place)

    def _fits(self, collection: Collection) -> bool:
        """Whether a whole run with these very settings made the collection what it is."""
        state = self._ledger.state(self._place)
        same = state is not None and state.complete and state.meaning == self._store.meaning
        return same and collection.dimension == (self._store.database.dimension or collection.dimension)

    async def _create_collection(self, dimension: int) -> None:
        name = self._place.collection
        try:
            await self._store.database.create_collection(name, dimension, self._call)
        except CallError as error:
            if error.code is not StatusCode.ALREADY_EXISTS:
                raise
            raise ConfigError(
                f'{self._store.label}: collection "{name}" of databases.{self._place.database} has other settings than '
                f"the {dimension} numbers a vector of embedders.{self._store.config.embedder}: {error.detail}",
                f"Name another collection in databases.{self._place.database}.config.collection.",
            ) from None

    async def held(self, paths: Sequence[str]) -> list[Mapping[str, Mapping[str, Any] | None]]:
        """The chunks of each of these files that the database may have, see `Ledger.chunks`."""
        return await self._told(partial(self._held, self._place, paths))

    def _held(self, place: Place, paths: Sequence[str]) -> list[Mapping[str, Mapping[str, Any] | None]]:
        return [self._ledger.chunks(place, path) for path in paths]

    async def promise(self, works: Sequence[Work]) -> None:
        """Has the ledger say what may be in the database from now on."""
        chunks = {work.path: [item.id for item in work.items] for work in works}
        await self._told(lambda: self._ledger.promise(self._place, chunks))

    async def kept(self, ids: Sequence[str]) -> dict[str, bytes]:
        """The vectors that the database has of these ids; none where it cannot list them."""
        try:
            rows = await self._store.database.fetch(self._place.collection, ids, self._call)
        except CallError as error:
            if error.code is not StatusCode.UNIMPLEMENTED:
                raise
            return {}
        return {row.id: row.vector for row in rows}

    async def upsert(self, items: Sequence[Item], vectors: Sequence[bytes]) -> None:
        """Stores chunks."""
        rows = [_row(item, vector) for item, vector in zip(items, vectors, strict=True)]
        await self._store.database.upsert(self._place.collection, rows, self._call)

    async def settle(self, stored: Sequence[tuple[Work, Item]], done: Sequence[Work]) -> None:
        """Deletes what is stale of the files that are done, and has the ledger say what is so now."""
        refused = [work for work in done if work.refused]
        whole = [work for work in done if not work.refused]
        stale = [(work.path, id_) for work in whole for id_ in work.stale]
        gone = await self.held([work.path for work in refused])
        await self._delete(self._place, [id_ for _, id_ in stale] + [id_ for ids in gone for id_ in ids])
        settled = Settled(
            passages=[(work.path, item.id, item.metadata) for work, item in stored if not work.refused],
            files=[work.done for work in whole],
            stale=stale,
            gone=[work.path for work in refused],
        )
        await self._told(lambda: self._ledger.settle(self._place, settled))

    async def seen(self, entries: Sequence[Entry]) -> None:
        """Has the ledger know files that were read and found unchanged by their stamps the next time."""
        if entries:
            await self._told(lambda: self._ledger.settle(self._place, Settled(files=list(entries))))

    async def remove(self, paths: Sequence[str]) -> None:
        """Deletes all chunks of these files."""
        await self._remove(self._place, paths)

    async def leave_other_collections(self) -> None:
        """Deletes what earlier settings put into another collection of the same database."""
        for place in await self._told(lambda: self._ledger.places(self._store.name)):
            if place.database == self._place.database and place != self._place:
                await self._remove(place, list(await self._told(partial(self._ledger.entries, place))))
                await self._told(partial(self._ledger.abandon, place))

    async def _remove(self, place: Place, paths: Sequence[str]) -> None:
        for start in range(0, len(paths), DELETED_AT_ONCE):
            gone = list(paths[start : start + DELETED_AT_ONCE])
            held = await self._told(partial(self._held, place, gone))
            await self._delete(place, [id_ for ids in held for id_ in ids])
            await self._told(partial(self._ledger.settle, place, Settled(gone=gone)))

    async def _delete(self, place: Place, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), DELETED_AT_ONCE):
            portion = ids[start : start + DELETED_AT_ONCE]
            await self._store.database.delete(place.collection, portion, self._call)

    async def _told(self, tell: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, tell)


def _row(item: Item, vector: bytes) -> Row:
    metadata = Struct()
    metadata.update(item.metadata)
    return Row(item.id, vector, metadata.SerializeToString())
