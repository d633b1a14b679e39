"""Vectors that were computed before, in one SQLite file: bounded, shared by processes, and never a reason to fail.

Texts are not kept, only digests of them. A file that is damaged is dropped and begun anew; one that cannot be written
is read on. Both are told once. A row has a checksum, because SQLite does not notice a flipped bit.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import struct
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hector_sdk.errors import InvalidOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

log = logging.getLogger(__name__)

FILE = "vectors.sqlite3"
SCHEMA = """
CREATE TABLE IF NOT EXISTS vector (key BLOB PRIMARY KEY, used INTEGER NOT NULL, value BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS vector_used ON vector (used);
"""
PRAGMAS = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;"
PATIENCE = 1.0
"""Seconds that a write waits for other processes; then it is left out."""
EVICTED = 10
"""Every so many-th part of the rows goes when the file is full, those unused for longest first."""

_HEAD = struct.Struct("<II?")
_SIZE = re.compile(r"(\d+)(B|KB|MB|GB)?")
_BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_CROWDED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@dataclass(frozen=True)
class Row:
    """A text's vector as bytes (little-endian float32), the tokens that the model read, and whether there were more."""

    vector: bytes
    tokens: int
    truncated: bool


class Cache:
    """One file. One thread uses it; other processes may have it open too."""

    def __init__(self, folder: Path, most: int) -> None:
        """Open the file in a folder, or begin it.

        Args:
            folder: It is there.
            most: Bytes of the file; a journal of some megabytes stands beside it.
        """
        self._path = folder / FILE
        self._most = most
        self._hits: set[bytes] = set()
        self._written = True
        self._connection: sqlite3.Connection | None = None
        self._open()

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Row]:
        """The rows that are there, by key."""
        found: dict[bytes, Row] = {}
        connection = self._connection
        if connection is None:
            return found
        try:
            for key in keys:
                value = connection.execute("SELECT value FROM vector WHERE key = ?", (key,)).fetchone()
                if value:
                    found[key] = _row(value[0])
        except sqlite3.Error as error:
            self._failed(error)
            return {}
        self._hits.update(found)
        return found

    def put(self, rows: Mapping[bytes, Row]) -> None:
        """Keep rows, and note which were used since the last time."""
        connection = self._connection
        if connection is None or not self._written:
            return
        try:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                (now,) = connection.execute("SELECT ifnull(max(used), 0) + 1 FROM vector").fetchone()
                connection.executemany("UPDATE vector SET used = ? WHERE key = ?", [(now, key) for key in self._hits])
                insert = "INSERT OR REPLACE INTO vector (key, used, value) VALUES (?, ?, ?)"
                connection.executemany(insert, [(key, now, _value(row)) for key, row in rows.items()])
                while self._size(connection) > self._most and _evicted(connection):
                    pass
            self._hits.clear()
        except sqlite3.Error as error:
            self._failed(error)

    def close(self) -> None:
        """Close the file. It can be used no more."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _open(self) -> None:
        deadline = time.monotonic() + PATIENCE
        try:
            connection = sqlite3.connect(self._path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
            self._connection = connection
            while not _prepared(connection, deadline):
                time.sleep(0.01)
        except sqlite3.Error as error:
            self._failed(error)

    def _size(self, connection: sqlite3.Connection) -> int:
        """Bytes of the file that hold something."""
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int(pages - free) * int(size)

    def _failed(self, error: sqlite3.Error) -> None:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without the extended part
        if code in _CROWDED:
            return
        if code in _DAMAGED:
            self._drop(error)
            return
        if self._written:
            log.warning("vectors are kept no longer: %s cannot be written: %s", self._path, error)
        self._written = False

    def _drop(self, error: sqlite3.Error) -> None:
        log.warning("the vectors in %s are dropped, the file is damaged: %s", self._path, error)
        self.close()
        try:
            for end in ("", "-wal", "-shm"):
                self._path.with_name(FILE + end).unlink(missing_ok=True)
        except OSError as refused:
            log.warning("vectors are kept no longer: %s cannot be removed: %s", self._path, refused)
            return
        self._open()


def size(value: str, option: str = "cache") -> int:
    """Bytes of an option such as "256MB".

    Raises:
        InvalidOptions: It is none.
    """
    found = _SIZE.fullmatch(value)
    if not found:
        raise InvalidOptions(option, f'"{value}" is not a size: write it as 64MB or 1GB, or 0 for none')
    return int(found[1]) * _BYTES[found[2] or "B"]


def _prepared(connection: sqlite3.Connection, deadline: float) -> bool:
    """False when another process prepares the file at this moment: SQLite's own patience is not for that."""
    try:
        connection.executescript(PRAGMAS + SCHEMA)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in _CROWDED and time.monotonic() < deadline:
            return False
        raise
    return True


def _evicted(connection: sqlite3.Connection) -> int:
    (rows,) = connection.execute("SELECT count(*) FROM vector").fetchone()
    oldest = "SELECT key FROM vector ORDER BY used LIMIT ?"
    delete = f"DELETE FROM vector WHERE key IN ({oldest})"  # noqa: S608 - nothing foreign is in it
    return connection.execute(delete, (max(1, rows // EVICTED),)).rowcount


def _value(row: Row) -> bytes:
    return _HEAD.pack(zlib.crc32(row.vector), row.tokens, row.truncated) + row.vector


def _row(value: bytes) -> Row:
    """A row as it was stored. sqlite3.DatabaseError when it is another by now."""
    vector = value[_HEAD.size :]
    checksum, tokens, truncated = _HEAD.unpack_from(value) if vector else (None, 0, False)
    if checksum != zlib.crc32(vector):
        raise sqlite3.DatabaseError("a vector is not what was stored")
    return Row(vector, tokens, truncated)
