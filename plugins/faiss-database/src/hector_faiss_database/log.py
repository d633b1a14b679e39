"""The log: every change as one record with a checksum, appended and synced before it is answered.

A record is there whole or not at all: what a crash left of the last write is cut off when the file is opened. A bad
record with one behind it that was written after its sync is damage, and is refused. Reading the records again, from any
of them on, gives the same state: an upsert carries the keys of its vectors, and replaces what has the same ids.
"""

import json
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from hector_faiss_database import disk
from hector_faiss_database.records import COMPONENT, Batch, Ids
from hector_sdk import Status

MAGIC = b"HVL1"
HEADER = struct.Struct("<4sB3xQQQ")
"""Magic, kind, where the write began, bytes of the body, checksum over the header up to here and the body."""
BATCH = struct.Struct("<IIIII")
"""Collection, vectors, dimension, bytes of all ids, bytes of all metadata."""


class Kind(IntEnum):
    """What a record changes."""

    CREATE = 1
    DROP = 2
    UPSERT = 3
    DELETE = 4


@dataclass(frozen=True)
class Record:
    """A change. `collection` is a number.

    Attributes:
        settings: Of CREATE: name, dimension and metric.
        ids: Of DELETE.
        batch: Of UPSERT, as are its `keys`.
    """

    kind: Kind
    collection: int
    settings: dict[str, Any] | None = None
    ids: Sequence[str] = ()
    batch: Batch | None = None
    keys: NDArray[np.int64] | None = None


class Damage(Exception):  # noqa: N818 - it says what is wrong
    """A file does not hold what was written: which, where, and what is wrong."""

    def __init__(self, path: Path, offset: int, problem: str) -> None:
        super().__init__(f"{path} is damaged at byte {offset:,}: {problem}")
        self.path = path
        self.offset = offset
        self.problem = problem

    def refusal(self, step: str) -> Status:
        """As FAILED_PRECONDITION, with what helps."""
        return Status(grpc.StatusCode.FAILED_PRECONDITION, f"{self}; {step}")


class Log:
    """One file, open for appending at `end`.

    Attributes:
        number: Logs are numbered in the order in which they were begun.
        end: Behind the last record that is whole.
        broken: Why nothing is appended any more; empty while that is possible.
    """

    def __init__(self, path: Path, number: int, end: int = 0) -> None:
        self.path = path
        self.number = number
        self.end = end
        self.broken = ""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._syncing = ThreadPoolExecutor(1, "sync")

    def append(self, records: Sequence[Record], meanwhile: Callable[[], None] | None = None) -> None:
        """Write records together; they are on the disk when this returns.

        Args:
            meanwhile: Is done while the disk syncs.

        Raises:
            OSError: They are not, and the file is as before. Where that cannot be known, `broken` says so.
        """
        parts: list[bytes | memoryview] = []
        for record in records:
            parts += _encoded(record, self.end)
        try:
            end = disk.write_at(self._file, parts, self.end)
        except OSError:
            self._cut()
            raise
        try:
            self._sync(meanwhile)
        except OSError as error:
            # The kernel reports this once and may forget the pages: whatever follows could be built on sand.
            self.broken = f"{self.path} could not be synced: {error.strerror}"
            raise
        self.end = end

    def _sync(self, meanwhile: Callable[[], None] | None) -> None:
        if meanwhile is None:
            os.fdatasync(self._file)
            return
        synced = self._syncing.submit(os.fdatasync, self._file)
        try:
            meanwhile()
        finally:
            synced.result()

    def close(self) -> None:
        """Leave the file."""
        self._syncing.shutdown()
        os.close(self._file)

    def _cut(self) -> None:
        try:
            os.ftruncate(self._file, self.end)
        except OSError as error:
            self.broken = f"{self.path} could not be cut back: {error.strerror}"


def _encoded(record: Record, begin: int) -> list[bytes | memoryview]:
    body = encoded(record)
    head = HEADER.pack(MAGIC, record.kind, begin, sum(map(len, body)), 0)[:-8]
    return [head + disk.checksum(head, *body).to_bytes(8, "little"), *body]


def encoded(record: Record) -> list[bytes | memoryview]:
    """The body of a record."""
    if record.kind is Kind.CREATE:
        return [json.dumps({"number": record.collection} | (record.settings or {})).encode()]
    if record.batch is None:
        return _texts(record.collection, [each.encode() for each in record.ids])
    batch = record.batch
    ids = batch.ids.encoded
    head = BATCH.pack(
        record.collection, len(ids), batch.vectors.shape[1], sum(map(len, ids)), sum(map(len, batch.metadata))
    )
    vectors = np.ascontiguousarray(batch.vectors, dtype=COMPONENT).reshape(-1)
    return [
        head,
        np.asarray(record.keys, dtype="<i8").tobytes(),
        _lengths(ids),
        _lengths(batch.metadata),
        b"".join(ids),
        b"".join(batch.metadata),
        vectors.view(np.uint8).data,
    ]


def decoded(kind: Kind, body: memoryview) -> Record:
    """The record of a body."""
    if kind is Kind.CREATE:
        settings = json.loads(bytes(body))
        return Record(kind, settings.pop("number"), settings=settings)
    collection, count, dimension, id_bytes, metadata_bytes = BATCH.unpack_from(body)
    at = BATCH.size
    if kind is not Kind.UPSERT:
        lengths, at = _read(body, "<u4", count, at)
        return Record(kind, collection, ids=[str(text, "utf-8") for text in _cut(body, lengths, at)])
    keys, at = _read(body, "<i8", count, at)
    id_lengths, at = _read(body, "<u4", count, at)
    metadata_lengths, at = _read(body, "<u4", count, at)
    ids = Ids(str(text, "utf-8") for text in _cut(body, id_lengths, at))
    metadata = [bytes(text) for text in _cut(body, metadata_lengths, at + id_bytes)]
    vectors, _ = _read(body, COMPONENT.str, count * dimension, at + id_bytes + metadata_bytes)
    return Record(kind, collection, batch=Batch(ids, vectors.reshape(count, dimension), metadata), keys=keys)


def read(path: Path) -> Iterator[tuple[int, Record]]:
    """The records of a file, each with the offset behind it.

    Raises:
        Damage: What follows the last offset is no whole record.
    """
    data = memoryview(path.read_bytes())
    at = 0
    while at < len(data):
        problem, end = whole(data, at)
        if problem:
            raise Damage(path, at, problem)
        yield end, decoded(Kind(data[at + 4]), data[at + HEADER.size : end])
        at = end


def whole(data: memoryview, at: int) -> tuple[str, int]:
    """What is wrong with the record at an offset (empty: nothing), and the offset behind it."""
    if len(data) - at < HEADER.size:
        return f"a record's header has {len(data) - at} of {HEADER.size} bytes", at
    magic, kind, _, length, told = HEADER.unpack_from(data, at)
    if magic != MAGIC or kind not in iter(Kind):
        return "it is no record", at
    begin, end = at + HEADER.size, at + HEADER.size + length
    if end > len(data):
        return f"a record has {len(data) - begin:,} of {length:,} bytes", at
    if disk.checksum(data[at : begin - 8], data[begin:end]) != told:
        return "the checksum of a record does not fit", at
    return "", end


def next_whole(data: bytes, at: int) -> int | None:
    """The offset of the next whole record from an offset on; None: there is none."""
    view = memoryview(data)
    while (at := data.find(MAGIC, at)) >= 0:
        if not whole(view, at)[0]:
            return at
        at += 1
    return None


def synced(data: bytes, at: int) -> bool:
    """Whether a bad record at an offset was synced once: one is whole that was written after that."""
    view, following = memoryview(data), next_whole(data, at + 1)
    while following is not None:
        begin = HEADER.unpack_from(view, following)[2]
        if begin > at:
            return True
        following = next_whole(data, whole(view, following)[1])
    return False


def _texts(collection: int, texts: list[bytes]) -> list[bytes | memoryview]:
    return [BATCH.pack(collection, len(texts), 0, sum(map(len, texts)), 0), _lengths(texts), b"".join(texts)]


def _lengths(texts: Sequence[bytes]) -> bytes:
    return np.fromiter(map(len, texts), dtype="<u4", count=len(texts)).tobytes()


def _read(body: memoryview, kind: str, count: int, at: int) -> tuple[NDArray[Any], int]:
    array = np.frombuffer(body, dtype=kind, count=count, offset=at)
    return array, at + array.nbytes


def _cut(body: memoryview, lengths: NDArray[Any], at: int) -> Iterator[memoryview]:
    for length in lengths.tolist():
        yield body[at : at + length]
        at += length
