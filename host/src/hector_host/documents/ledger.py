"""What was indexed, on disk: which chunks a database may hold for each file of a store.

The rule that it keeps: a chunk is in the database only if the ledger says that it may be. A chunk is promised before it
is stored and forgotten after it is deleted, so a crash between leaves a promise without a chunk, and never a chunk that
nobody promised. A file whose chunks are not all settled has no digest: the next run reads it again, and embeds what is
only promised.
"""

# ruff: noqa: S608 - what is put into statements are the two constants below
from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from hector_host.documents import keywords
from hector_host.documents.files import Stamp
from hector_host.errors import HectorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

VERSION = 2

SCHEMA = f"""
CREATE TABLE place (
    number INTEGER PRIMARY KEY,
    store TEXT NOT NULL,
    database TEXT NOT NULL,
    collection TEXT NOT NULL,
    meaning TEXT NOT NULL,
    chunking TEXT NOT NULL,
    complete INTEGER NOT NULL,
    UNIQUE (store, database, collection)
) STRICT;
CREATE TABLE file (
    place INTEGER NOT NULL REFERENCES place,
    path TEXT NOT NULL,
    digest TEXT,
    reason TEXT NOT NULL DEFAULT '',
    size INTEGER,
    mtime_ns INTEGER,
    inode INTEGER,
    PRIMARY KEY (place, path)
) STRICT, WITHOUT ROWID;
CREATE TABLE chunk (
    place INTEGER NOT NULL,
    path TEXT NOT NULL,
    id TEXT NOT NULL,
    stored INTEGER NOT NULL,
    PRIMARY KEY (place, path, id),
    FOREIGN KEY (place, path) REFERENCES file
) STRICT, WITHOUT ROWID;
PRAGMA user_version = {VERSION}
"""

HERE = "(SELECT number FROM place WHERE store = :store AND database = :database AND collection = :collection)"
"""The number of one place."""

NEIGHBOURS = "(SELECT number FROM place WHERE database = :database AND collection = :collection)"
"""The numbers of all places whose chunks are in the same collection."""


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
        stamp: By which the file is taken for unchanged. None: by its bytes alone.
        chunks: How many of its chunks may be there.
        reason: Why it has none, though it was read. Empty: it was indexed.
    """

    path: str
    digest: str | None
    stamp: Stamp | None = None
    chunks: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """What has been done in the database, for the ledger to say so.

    Attributes:
        passages: Chunks that are stored: file, id, metadata.
        files: Files that are done, with the digest and the stamp of what was indexed.
        stale: Chunks that are deleted: file, id.
        gone: Files that the place no longer has any chunk of.
    """

    passages: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    files: list[Entry] = field(default_factory=list)
    stale: list[tuple[str, str]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


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
        # A run uses it from a thread of its own.
        self._database = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
            self._database.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        try:
            # Most come to read what is there: they take no lock.
            if self._version() == 0:
                self._database.execute("PRAGMA journal_mode = WAL")  # who searches does not wait for who indexes
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
        if self._version() < VERSION:
            raise HectorError(
                f"{self.path}: is a ledger of version {self._version()}, this release reads {VERSION}",
                "Delete it together with the collections of its stores, and index them anew.",
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
        row = self._run(f"SELECT meaning, chunking, complete FROM place WHERE number = {HERE}", place).fetchone()
        return None if row is None else State(row[0], row[1], bool(row[2]))

    def begin(self, place: Place, meaning: str, chunking: str) -> None:
        """Starts a run. If the settings changed since the last one, all files are to be read again.

        Chunks of another meaning are to be embedded again, too; those of other files or sizes are not.
        """
        before = self.state(place)
        same = before is not None and before.meaning == meaning
        with self._transaction():
            if before is not None and (before.meaning, before.chunking) != (meaning, chunking):
                self._run(f"UPDATE file SET digest = NULL WHERE place = {HERE}", place)
            if not same:
                self._run(f"UPDATE chunk SET stored = FALSE WHERE place = {HERE}", place)
            self._run(
                "INSERT INTO place (store, database, collection, meaning, chunking, complete)"
                " VALUES (:store, :database, :collection, :meaning, :chunking, FALSE) ON CONFLICT DO UPDATE"
                " SET meaning = :meaning, chunking = :chunking, complete = complete AND :same",
                place,
                meaning=meaning,
                chunking=chunking,
                same=same,
            )

    def complete(self, place: Place) -> None:
        """Ends a run that did all files."""
        with self._transaction():
            self._run(f"UPDATE place SET complete = TRUE WHERE number = {HERE}", place)

    def distrust(self, place: Place) -> None:
        """Has every store of that collection done again: it holds less than it was given."""
        with self._transaction():
            self._run(f"UPDATE file SET digest = NULL WHERE place IN {NEIGHBOURS}", place)
            self._run(f"UPDATE chunk SET stored = FALSE WHERE place IN {NEIGHBOURS}", place)
            self._run(f"UPDATE place SET complete = FALSE WHERE number IN {NEIGHBOURS}", place)

    def places(self, store: str) -> list[Place]:
        """Every place that may hold chunks of the store."""
        rows = self._database.execute("SELECT store, database, collection FROM place WHERE store = ?", (store,))
        return [Place(*row) for row in rows]

    def entries(self, place: Place) -> dict[str, Entry]:
        """What the place may hold, by path."""
        rows = self._run(
            "SELECT path, digest, reason, size, mtime_ns, inode, count(id) FROM file"
            f" LEFT JOIN chunk USING (place, path) WHERE place = {HERE} GROUP BY path",
            place,
        )
        return {
            path: Entry(path, digest, None if size is None else Stamp(size, mtime_ns, inode), chunks, reason)
            for path, digest, reason, size, mtime_ns, inode, chunks in rows
        }

    def held(self, place: Place) -> int:
        """How many chunks the collection holds at least, of all stores."""
        return int(self._run(f"SELECT count(*) FROM chunk WHERE stored AND place IN {NEIGHBOURS}", place).fetchone()[0])

    def chunks(self, place: Place, path: str) -> dict[str, dict[str, Any] | None]:
        """The chunks of a file that may be in the database, by id: as stored, with its metadata, or None: promised."""
        rows = self._run(f"SELECT id, stored FROM chunk WHERE place = {HERE} AND path = :path", place, path=path)
        stored = dict(rows.fetchall())
        kept = keywords.metadata(self._database, place, [id_ for id_, is_stored in stored.items() if is_stored])
        return {id_: kept.get(id_) for id_ in stored}

    def promise(self, place: Place, chunks: Mapping[str, Iterable[str]]) -> None:
        """Says that these chunks may be in the database from now on, by file. The files are not done any more."""
        with self._transaction():
            for path, ids in chunks.items():
                self._run(
                    f"INSERT INTO file (place, path) VALUES ({HERE}, :path) ON CONFLICT DO UPDATE SET digest = NULL",
                    place,
                    path=path,
                )
                for id_ in ids:
                    # What was stored may have been written over when this run dies.
                    self._run(
                        f"INSERT INTO chunk VALUES ({HERE}, :path, :id, FALSE)"
                        " ON CONFLICT DO UPDATE SET stored = FALSE",
                        place,
                        path=path,
                        id=id_,
                    )

    def settle(self, place: Place, done: Settled) -> None:
        """Says what was done, all or nothing; the keyword index has the same from then on."""
        with self._transaction():
            gone = [(path, id_) for path in done.gone for id_ in self._ids(place, path)]
            keywords.delete(self._database, place, [id_ for _, id_ in [*done.stale, *gone]])
            keywords.put(self._database, place, [(id_, metadata) for _, id_, metadata in done.passages])
            for path, id_, _ in done.passages:
                self._chunk("UPDATE chunk SET stored = TRUE", place, path, id_)
            for path, id_ in [*done.stale, *gone]:
                self._chunk("DELETE FROM chunk", place, path, id_)
            for path in done.gone:
                self._run(f"DELETE FROM file WHERE place = {HERE} AND path = :path", place, path=path)
            for entry in done.files:
                stamp = asdict(entry.stamp) if entry.stamp else {"size": None, "mtime_ns": None, "inode": None}
                self._run(
                    f"INSERT OR REPLACE INTO file VALUES ({HERE}, :path, :digest, :reason, :size, :mtime_ns, :inode)",
                    place,
                    path=entry.path,
                    digest=entry.digest,
                    reason=entry.reason,
                    **stamp,
                )

    def abandon(self, place: Place) -> None:
        """Removes a place whose files are all gone."""
        with self._transaction():
            keywords.drop(self._database, place)
            self._run(f"DELETE FROM place WHERE number = {HERE}", place)

    def _ids(self, place: Place, path: str) -> list[str]:
        rows = self._run(f"SELECT id FROM chunk WHERE place = {HERE} AND path = :path", place, path=path)
        return [id_ for (id_,) in rows]

    def _chunk(self, what: str, place: Place, path: str, id_: str) -> None:
        self._run(f"{what} WHERE place = {HERE} AND path = :path AND id = :id", place, path=path, id=id_)

    def _run(self, statement: str, place: Place, **values: str | int | None) -> sqlite3.Cursor:
        return self._database.execute(statement, asdict(place) | values)


def read_state(path: Path, place: Place) -> State | None:
    """As `Ledger.state`, without making a ledger where there is none."""
    if not path.exists():
        return None
    with Ledger(path) as ledger:
        return ledger.state(place)
