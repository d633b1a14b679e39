"""What was indexed, on disk: which chunks a database may hold for each file of a store.

The rule that it keeps: a chunk is in the database only if the ledger says that it may be. A file's row is written
before its first chunk is stored and lowered after its stale chunks are deleted, so a crash between leaves a row that
promises too many chunks and never a chunk that no row names. Such a row has no digest: the next run does it again.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from hector_host.documents import keywords
from hector_host.errors import HectorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

VERSION = 1

SCHEMA = f"""
CREATE TABLE place (
    store TEXT NOT NULL,
    database TEXT NOT NULL,
    collection TEXT NOT NULL,
    meaning TEXT NOT NULL,
    chunking TEXT NOT NULL,
    complete INTEGER NOT NULL,
    PRIMARY KEY (store, database, collection)
) STRICT, WITHOUT ROWID;
CREATE TABLE file (
    store TEXT NOT NULL,
    database TEXT NOT NULL,
    collection TEXT NOT NULL,
    path TEXT NOT NULL,
    digest TEXT,
    chunks INTEGER NOT NULL,
    PRIMARY KEY (store, database, collection, path),
    FOREIGN KEY (store, database, collection) REFERENCES place
) STRICT, WITHOUT ROWID;
PRAGMA user_version = {VERSION}
"""

HERE = "store = :store AND database = :database AND collection = :collection"
"""The rows of one place."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where chunks of a store are: an entry of `databases:` and a collection in it."""

    store: str
    database: str
    collection: str


@dataclass(frozen=True, slots=True)
class State:
    """How a store was indexed into a place.

    Attributes:
        meaning: What makes its vectors comparable with a question's, see `Store.meaning`.
        chunking: How texts became chunks, see `Store.chunking`.
        complete: A run over all files ended since `meaning` became what it is.
    """

    meaning: str
    chunking: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """What a place holds of one file.

    Attributes:
        digest: Of the bytes that were indexed. None: a run began the file and did not finish it.
        chunks: Chunks 0 to `chunks - 1` may be there, and no others.
    """

    path: str
    digest: str | None
    chunks: int


class Ledger:
    """The ledger of all document stores of one storage folder. A context manager, which closes it.

    Args:
        path: Made, with its folder, if it is not there.

    Raises:
        HectorError: The file is no ledger, or one of a newer release.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, timeout=30, isolation_level=None)
        try:
            self._database.execute("PRAGMA foreign_keys = ON")
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        try:
            # Most come to read what is there: they take no lock.
            if self._version() == 0:
                with self._transaction():
                    self._create()
        except sqlite3.DatabaseError as error:
            raise HectorError(
                f"{self.path}: is not a ledger of document stores: {error}",
                "Restore it from a backup, or delete it together with the collections and index the stores anew.",
            ) from None
        if self._version() > VERSION:
            raise HectorError(
                f"{self.path}: is a ledger of version {self._version()}, this release reads {VERSION}",
                "Upgrade Hector.",
            )

    def _version(self) -> int:
        return int(self._database.execute("PRAGMA user_version").fetchone()[0])

    def _create(self) -> None:
        if self._version() == 0:
            for statement in SCHEMA.split(";"):
                self._database.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps every other process from indexing into this ledger; the lock dies with the process.

        Raises:
            HectorError: Another process is at it.
        """
        lock = sqlite3.connect(self.path.with_suffix(".lock"), timeout=0, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            lock.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise HectorError(
                    f"{self.path.parent}: cannot keep what is indexed: {error}",
                    "Check that the disk has room and that the folder of storage.path can be written.",
                ) from None
            raise HectorError(
                f"{self.path.parent}: another process is indexing document stores there", "Wait until it is done."
            ) from None
        try:
            yield
        finally:
            lock.close()

    def state(self, place: Place) -> State | None:
        """How the store was indexed there. None: never."""
        row = self._run(f"SELECT meaning, chunking, complete FROM place WHERE {HERE}", place).fetchone()  # noqa: S608 - a constant
        return None if row is None else State(row[0], row[1], bool(row[2]))

    def begin(self, place: Place, meaning: str, chunking: str) -> None:
        """Starts a run. If the settings changed since the last one, all files are to be done again."""
        before = self.state(place)
        same = before is not None and before.meaning == meaning
        with self._transaction():
            if before is not None and (before.meaning, before.chunking) != (meaning, chunking):
                self._run(f"UPDATE file SET digest = NULL WHERE {HERE}", place)  # noqa: S608 - a constant
            self._run(
                "INSERT INTO place VALUES (:store, :database, :collection, :meaning, :chunking, FALSE)"
                " ON CONFLICT DO UPDATE SET meaning = :meaning, chunking = :chunking, complete = complete AND :same",
                place,
                meaning=meaning,
                chunking=chunking,
                same=same,
            )

    def complete(self, place: Place) -> None:
        """Ends a run that did all files."""
        with self._transaction():
            self._run(f"UPDATE place SET complete = TRUE WHERE {HERE}", place)  # noqa: S608 - a constant

    def distrust(self, place: Place) -> None:
        """Has every store of that collection done again: it holds less than it was given."""
        with self._transaction():
            for change in ("file SET digest = NULL", "place SET complete = FALSE"):
                self._run(f"UPDATE {change} WHERE database = :database AND collection = :collection", place)

    def places(self, store: str) -> list[Place]:
        """Every place that may hold chunks of the store."""
        rows = self._database.execute("SELECT store, database, collection FROM place WHERE store = ?", (store,))
        return [Place(*row) for row in rows]

    def entries(self, place: Place) -> dict[str, Entry]:
        """What the place may hold, by path."""
        rows = self._run(f"SELECT path, digest, chunks FROM file WHERE {HERE}", place)  # noqa: S608 - a constant
        return {row[0]: Entry(*row) for row in rows}

    def held(self, place: Place) -> int:
        """How many chunks the collection holds at least, of all stores."""
        row = self._run(
            "SELECT total(chunks) FROM file"
            " WHERE database = :database AND collection = :collection AND digest IS NOT NULL",
            place,
        ).fetchone()
        return int(row[0])

    def write(
        self,
        place: Place,
        entries: Iterable[Entry],
        passages: Iterable[tuple[str, Mapping[str, Any]]] = (),
        stale: Iterable[str] = (),
    ) -> None:
        """Replaces the rows of these files, and what the keyword index has of them, all or none.

        Args:
            passages: The chunks that the files now have, by their ids, with their metadata.
            stale: The ids of those that they had.
        """
        with self._transaction():
            keywords.delete(self._database, place, stale)
            keywords.put(self._database, place, passages)
            for entry in entries:
                self._run(
                    "INSERT OR REPLACE INTO file VALUES (:store, :database, :collection, :path, :digest, :chunks)",
                    place,
                    **asdict(entry),
                )

    def forget(self, place: Place, path: str, chunks: Iterable[str]) -> None:
        """Removes the row of a file, and its chunks from the keyword index."""
        with self._transaction():
            keywords.delete(self._database, place, chunks)
            self._run(f"DELETE FROM file WHERE {HERE} AND path = :path", place, path=path)  # noqa: S608 - a constant

    def abandon(self, place: Place) -> None:
        """Removes a place whose files are all forgotten."""
        with self._transaction():
            keywords.drop(self._database, place)
            self._run(f"DELETE FROM place WHERE {HERE}", place)  # noqa: S608 - a constant

    def _run(self, statement: str, place: Place, **values: str | int | None) -> sqlite3.Cursor:
        return self._database.execute(statement, asdict(place) | values)


def read_state(path: Path, place: Place) -> State | None:
    """As `Ledger.state`, without making a ledger where there is none."""
    if not path.exists():
        return None
    with Ledger(path) as ledger:
        return ledger.state(place)
