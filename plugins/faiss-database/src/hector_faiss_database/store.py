"""What is durable: one SQLite file with the collections, ids, metadata and vectors.

Rule: a method that writes returns when its change is on the disk (write-ahead log, synchronous=FULL), or raises and has
changed nothing. SQLite recovers a torn log by its checksums. One thread writes; `fetch` has a connection of its own, so
that reading never waits for a write to reach the disk.
"""

import itertools
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import grpc
import numpy as np

from hector_faiss_database.records import COMPONENT, Batch, Settings, Stored
from hector_faiss_database.refusals import no_room
from hector_sdk import Status

FILE = "vectors.sqlite3"
VERSION = 1
SCHEMA = """
BEGIN;
CREATE TABLE collections (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    dimension INTEGER NOT NULL,
    metric INTEGER NOT NULL
);
CREATE TABLE vectors (
    key INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL REFERENCES collections ON DELETE CASCADE,
    id TEXT NOT NULL,
    metadata BLOB NOT NULL,
    vector BLOB NOT NULL,
    UNIQUE (collection, id)
);
PRAGMA user_version = 1;
COMMIT;
"""
PRAGMAS = (
    "page_size = 16384",  # several vectors with their texts fit into a page
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "cache_size = -65536",  # 64 MiB at most: a batch is not written before it is whole
    "wal_autocheckpoint = 4000",  # 64 MiB of log: written back seldom, read again quickly
    "journal_size_limit = 67108864",
)
FULL = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,  # a quota or a limit on the size of files, not told apart from a failing disk
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
}
CHUNK = 16_384  # rows that `load` holds at a time


class Store:
    """The file in this directory, made when absent. Status FAILED_PRECONDITION when it cannot be read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / FILE
        with ExitStack() as connections, self._readable():
            self._writer = self._connect(connections)
            self._create()
            self._reader = self._connect(connections)
            (highest,) = self._writer.execute("SELECT coalesce(max(key), 0) FROM vectors").fetchone()
            self._connections = connections.pop_all()
        self._reading = threading.Lock()
        self._keys = itertools.count(highest + 1)
        _sync(directory)  # the names of new files are as durable as their bytes

    def close(self) -> None:
        """Write the log back into the file and leave it."""
        self._connections.close()

    def new_keys(self, count: int) -> list[int]:
        """Keys that no vector has, rising."""
        return list(itertools.islice(self._keys, count))

    def collections(self) -> list[tuple[int, Settings]]:
        """All collections with their numbers."""
        rows = self._writer.execute("SELECT number, name, dimension, metric FROM collections").fetchall()
        return [(number, Settings(name, dimension, metric)) for number, name, dimension, metric in rows]

    def load(self, number: int, dimension: int) -> Iterator[tuple[list[int], Batch]]:
        """All vectors of a collection with their keys, in the order of storing, batch by batch."""
        query = "SELECT key, id, metadata, vector FROM vectors WHERE collection = ? ORDER BY key"
        with self._readable(), closing(self._writer.execute(query, (number,))) as rows:
            while chunk := rows.fetchmany(CHUNK):
                keys, ids, metadata, vectors = zip(*chunk, strict=True)
                matrix = np.frombuffer(b"".join(vectors), dtype=COMPONENT).reshape(-1, dimension)
                yield list(keys), Batch(list(ids), matrix, list(metadata))

    def fetch(self, key: int) -> Stored | None:
        """The vector of this key as it is now, None when it is gone."""
        query = "SELECT id, metadata, vector FROM vectors WHERE key = ?"
        with self._reading:
            row = self._reader.execute(query, (key,)).fetchone()
        return row and Stored(*row)

    def create(self, settings: Settings) -> int:
        """Add a collection; returns its number."""
        statement = "INSERT INTO collections (name, dimension, metric) VALUES (?, ?, ?) RETURNING number"
        with self._transaction():
            row = (settings.name, settings.dimension, settings.metric)
            ((number,),) = self._writer.execute(statement, row).fetchall()
        return int(number)

    def drop(self, number: int) -> None:
        """Remove a collection with all its vectors."""
        with self._transaction():
            self._writer.execute("DELETE FROM collections WHERE number = ?", (number,))

    def put(self, number: int, keys: Iterable[int], batch: Batch) -> None:
        """Write vectors under their keys; a key that is there is replaced."""
        statement = (
            "INSERT INTO vectors (key, collection, id, metadata, vector) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET metadata = excluded.metadata, vector = excluded.vector"
        )
        vectors = (row.tobytes() for row in batch.vectors.astype(COMPONENT, copy=False))
        with self._transaction():
            self._writer.executemany(
                statement, zip(keys, itertools.repeat(number), batch.ids, batch.metadata, vectors, strict=False)
            )

    def remove(self, keys: Iterable[int]) -> None:
        """Remove the vectors of these keys."""
        with self._transaction():
            self._writer.executemany("DELETE FROM vectors WHERE key = ?", ((key,) for key in keys))

    def _connect(self, connections: ExitStack) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connections.callback(connection.close)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _create(self) -> None:
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._writer.executescript(SCHEMA)
        elif version != VERSION:
            raise Status(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"{self._path} has format {version}, this release reads {VERSION}: use the release that wrote it",
            )

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode in FULL:
                raise no_room(str(self._directory), str(error)) from error
            raise Status(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"cannot read {self._path}: {error}; put back a copy of the directory, or move it away and index again",
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            yield
            self._writer.execute("COMMIT")
        except BaseException as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            if isinstance(error, sqlite3.DatabaseError) and error.sqlite_errorcode in FULL:
                raise no_room(str(self._directory), str(error)) from error
            raise


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
