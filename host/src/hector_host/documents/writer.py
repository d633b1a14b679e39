"""Chunks on their way into the database and out of it, with the ledger told before and after (`ledger` says why)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode

from hector_host.documents.ledger import Entry
from hector_host.errors import CallError, ConfigError
from hector_host.providers.packed import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector.plugin.v1.database_pb2 import Collection
    from hector_host.documents.files import Document
    from hector_host.documents.ledger import Ledger, Place
    from hector_host.documents.split import Chunk
    from hector_host.documents.store import Store
    from hector_host.providers.call import Call

BATCH = 64
"""Chunks that are embedded and stored in one call."""

DELETED_AT_ONCE = 1000
"""Ids in one call."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A document with the chunks that it was cut into."""

    document: Document
    chunks: list[Chunk]


class Writer:
    """Writes one store to its place.

    Attributes:
        known: What the place holds by path, as the ledger had it when the writer was made ready.
    """

    def __init__(self, store: Store, ledger: Ledger, call: Call) -> None:
        self._store = store
        self._place = store.place
        self._ledger = ledger
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
        self._ledger.begin(self._place, self._store.meaning, self._store.chunking)
        if told is not None and (collection.vectors if collection else 0) < self._ledger.held(self._place):
            self._ledger.distrust(self._place)
        self.known = self._ledger.entries(self._place)

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

    async def put(self, pieces: Sequence[Piece]) -> None:
        """Stores the chunks of these documents, and deletes what the documents had more of."""
        had = [self.known[path].chunks if path in self.known else 0 for path in (p.document.path for p in pieces)]
        most = [
            Entry(piece.document.path, None, max(before, len(piece.chunks)))
            for piece, before in zip(pieces, had, strict=True)
        ]
        self._ledger.write(self._place, most)
        await self._upsert(pieces)
        stale = [
            self._store.chunk_id(piece.document.path, number)
            for piece, before in zip(pieces, had, strict=True)
            for number in range(len(piece.chunks), before)
        ]
        await self._delete(self._place, stale)
        now = [Entry(piece.document.path, piece.document.digest, len(piece.chunks)) for piece in pieces]
        passages = [
            (self._store.chunk_id(piece.document.path, number), self._metadata(piece.document.path, chunk))
            for piece in pieces
            for number, chunk in enumerate(piece.chunks)
        ]
        self._ledger.write(self._place, now, passages, stale)

    async def _upsert(self, pieces: Sequence[Piece]) -> None:
        chunks = [(piece.document.path, number, chunk) for piece in pieces for number, chunk in enumerate(piece.chunks)]
        for start in range(0, len(chunks), BATCH):
            batch = chunks[start : start + BATCH]
            # A passage is found by the words of its headings, too.
            texts = [f"{chunk.heading}\n\n{chunk.text}" if chunk.heading else chunk.text for _, _, chunk in batch]
            embedded = await self._store.embedder.embed(texts, call=self._call)
            rows = [
                self._row(path, number, chunk, vector)
                for (path, number, chunk), vector in zip(batch, embedded, strict=True)
            ]
            await self._store.database.upsert(self._place.collection, rows, self._call)

    def _metadata(self, path: str, chunk: Chunk) -> dict[str, Any]:
        return {
            "store": self._store.name,
            "path": path,
            "line": chunk.line,
            "end_line": chunk.end_line,
            "heading": chunk.heading,
            "text": chunk.text,
        }

    def _row(self, path: str, number: int, chunk: Chunk, vector: bytes) -> Row:
        metadata = Struct()
        metadata.update(self._metadata(path, chunk))
        return Row(self._store.chunk_id(path, number), vector, metadata.SerializeToString())

    async def remove(self, paths: Sequence[str]) -> None:
        """Deletes all chunks of these files."""
        await self._remove(self._place, paths)

    async def leave_other_collections(self) -> None:
        """Deletes what earlier settings put into another collection of the same database."""
        for place in self._ledger.places(self._store.name):
            if place.database == self._place.database and place != self._place:
                await self._remove(place, list(self._ledger.entries(place)))
                self._ledger.abandon(place)

    async def _remove(self, place: Place, paths: Sequence[str]) -> None:
        entries = self._ledger.entries(place)
        for path in paths:
            chunks = [self._store.chunk_id(path, number) for number in range(entries[path].chunks)]
            await self._delete(place, chunks)
            self._ledger.forget(place, path, chunks)

    async def _delete(self, place: Place, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), DELETED_AT_ONCE):
            portion = ids[start : start + DELETED_AT_ONCE]
            await self._store.database.delete(place.collection, portion, self._call)
