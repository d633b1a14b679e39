"""Sealed rows: one immutable file, mapped into memory, so that opening it reads little.

    header   magic, format                                                      16 bytes
    sections vectors, keys, norms, hashes, places, ids, metadata, originals     each from a multiple of 64 bytes on
    footer   JSON: settings, rows, where the sections are, a checksum for each piece of what stands before it
    trailer  bytes of the footer, its checksum, magic                           20 bytes

`hashes` are those of all ids, rising, and `places` the rows that they belong to: an id is found without a table in
memory. The pieces' checksums say where a damaged file is damaged.
"""

import json
import mmap
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from hector_faiss_database import disk
from hector_faiss_database.approximate import Approximate
from hector_faiss_database.columns import Columns
from hector_faiss_database.log import Damage
from hector_faiss_database.records import Ids, hashed
from hector_faiss_database.tail import Tail, restored

MAGIC = b"HVS1"
HEADER = MAGIC.ljust(16, b"\0")
TRAILER = struct.Struct("<QQ4s")
ALIGNMENT = 64
PIECE = 1 << 22
"""Bytes under one checksum."""

SECTIONS = {
    "vectors": "<f4",
    "keys": "<i8",
    "norms": "<f8",
    "hashes": "<u8",
    "places": "<u4",
    "id_ends": "<u8",
    "ids": "|u1",
    "metadata_ends": "<u8",
    "metadata": "|u1",
    "original_rows": "<i8",
    "originals": "<f4",
}
SLICE = 4096
"""Rows that are copied at a time: they are in memory twice."""
BULK = ("vectors", "metadata", "originals")
"""Sections that are large, and not read when the file is opened."""


@dataclass(frozen=True)
class Place:
    """Where a section is in the file."""

    offset: int
    bytes: int


class Blobs(Sequence[bytes]):
    """Byte strings one behind the other, each read when it is asked for."""

    def __init__(self, data: NDArray[np.uint8], ends: NDArray[np.uint64]) -> None:
        self._data = data
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, row: Any) -> Any:
        begin = int(self._ends[row - 1]) if row else 0
        return self._data[begin : int(self._ends[row])].tobytes()

    def gathered(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """The lengths of these, and all of them one behind the other."""
        ends = self._ends[rows].astype(np.int64)
        begins = np.where(rows == 0, 0, self._ends[rows - 1].astype(np.int64))
        lengths = ends - begins
        shifts = begins - np.concatenate([[0], np.cumsum(lengths)[:-1]])
        return lengths, self._data[np.repeat(shifts, lengths) + np.arange(int(lengths.sum()))]


class Segment:
    """A block of rows that stays as it is. The attributes are those of `Tail`.

    Raises:
        Damage: It cannot be read; its bulk is looked at by `verify` alone.
    """

    index: Approximate | None = None

    def __init__(self, path: Path, *, lenient: bool = False) -> None:
        """Map a file.

        Args:
            path: Of the file.
            lenient: For `repair`: only its footer has to be whole.
        """
        self.path = path
        self._lenient = lenient
        self.bytes = path.stat().st_size
        with path.open("rb") as file:
            if not self.bytes:
                raise Damage(path, 0, "it is empty")
            self._map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        footer = self._footer()
        self.dimension = int(footer["dimension"])
        self.count = int(footer["rows"])
        self._places = {name: Place(*place) for name, place in footer["sections"].items()}
        self._sums: list[int] = footer["checksums"]
        for name, place in self._places.items():
            if name not in BULK and not lenient:
                self._check(place)
        self.vectors: NDArray[np.float32] = self._array("vectors").reshape(self.count, self.dimension)
        self.keys: NDArray[np.int64] = self._array("keys")
        self.norms: NDArray[np.float64] = self._array("norms")
        self._hashes: NDArray[np.uint64] = self._array("hashes")
        self._rows: NDArray[np.uint32] = self._array("places")
        self._ids = Blobs(self._array("ids"), self._array("id_ends"))
        self.metadata = Blobs(self._array("metadata"), self._array("metadata_ends"))
        self._original_rows: NDArray[np.int64] = self._array("original_rows")
        self._originals = self._array("originals").reshape(-1, self.dimension)
        self.columns = Columns(self.metadata)

    def __len__(self) -> int:
        return self.count

    def find(self, ids: Ids) -> NDArray[np.int64]:
        """The row of each id, -1 where there is none."""
        at = np.searchsorted(self._hashes, ids.hashes)
        rows = np.full(len(ids), -1, dtype=np.int64)
        near = np.flatnonzero(at < self.count)
        for index in near[self._hashes[at[near]] == ids.hashes[near]].tolist():
            rows[index] = self._row(ids.encoded[index], int(at[index]))
        return rows

    def id(self, row: int) -> str:
        """The id of a row."""
        return str(self._ids[row], "utf-8")

    def original(self, row: int) -> NDArray[np.float32]:
        """The vector of a row as it was given."""
        at = int(np.searchsorted(self._original_rows, row))
        if at < len(self._original_rows) and self._original_rows[at] == row:
            kept: NDArray[np.float32] = self._originals[at]
            return kept
        vector: NDArray[np.float32] = restored(self.vectors[row : row + 1], self.norms[row : row + 1])[0]
        return vector

    def texts(self, name: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """The `ids` or the `metadata` of rows: their lengths, and all of them one behind the other."""
        return (self._ids if name == "ids" else self.metadata).gathered(rows)

    def hashes(self, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The hashes of the ids of rows."""
        if self._lenient:
            return hashed([self._ids[row] for row in rows.tolist()])
        of_row = np.empty(self.count, dtype=np.uint64)
        of_row[self._rows] = self._hashes
        return of_row[rows]

    def kept(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The places in `rows` whose vectors were kept as they were given, and those vectors."""
        places = np.flatnonzero(np.isin(rows, self._original_rows))
        return places, self._originals[np.searchsorted(self._original_rows, rows[places])]

    def pieces(self) -> Iterator[tuple[int, bool]]:
        """Reads the whole file piece by piece: the offset of each, and whether its checksum fits."""
        for index, told in enumerate(self._sums):
            yield index * PIECE, disk.checksum(self._piece(index)) == told

    def verify(self) -> None:
        """Raises Damage unless every checksum fits."""
        for offset, fits in self.pieces():
            if not fits:
                raise Damage(self.path, offset, f"the checksum of {PIECE >> 20} MiB from there on does not fit")

    def rows_in(self, offset: int) -> NDArray[np.int64]:
        """The rows of which something stands in the piece at an offset."""
        touched = [np.empty(0, dtype=np.int64)]
        widths = {"vectors": 4 * self.dimension, "keys": 8, "norms": 8, "id_ends": 8, "metadata_ends": 8}
        for name, width in widths.items():
            low, high = self._within(name, offset)
            # The end of a text is the beginning of the next row's.
            touched.append(np.arange(low // width, -(-high // width) + (high > low and name.endswith("ends"))))
        for name in ("ids", "metadata"):
            low, high = self._within(name, offset)
            if low < high:
                ends = self._array("id_ends" if name == "ids" else "metadata_ends")
                touched.append(np.arange(np.searchsorted(ends, low, "right"), np.searchsorted(ends, high) + 1))
        low, high = self._within("originals", offset)
        width = 4 * self.dimension
        touched.append(self._original_rows[low // width : -(-high // width)])
        if self._within("original_rows", offset)[1]:
            touched.append(np.arange(self.count))
        rows = np.unique(np.concatenate(touched))
        return rows[rows < self.count]

    def _within(self, name: str, offset: int) -> tuple[int, int]:
        """The part of a section in the piece at an offset, in bytes from the section's start."""
        place, begin, end = self._places[name], offset, offset + PIECE
        low, high = max(begin, place.offset), min(end, place.offset + place.bytes)
        return (low - place.offset, high - place.offset) if low < high else (0, 0)

    def _row(self, wanted: bytes, at: int) -> int:
        """Which of the ids with the hash at a place it is."""
        first = self._hashes[at]
        while at < self.count and self._hashes[at] == first:
            row = int(self._rows[at])
            if self._ids[row] == wanted:
                return row
            at += 1
        return -1

    def _footer(self) -> dict[str, Any]:
        size = self.bytes
        if size < len(HEADER) + TRAILER.size or self._map[: len(HEADER)] != HEADER:
            raise Damage(self.path, 0, "it is no segment of this format")
        length, told, magic = TRAILER.unpack(self._map[size - TRAILER.size :])
        begin = size - TRAILER.size - length
        if magic != MAGIC or begin < len(HEADER):
            raise Damage(self.path, size - TRAILER.size, "its end is missing")
        footer = self._map[begin : begin + length]
        if disk.checksum(footer) != told:
            raise Damage(self.path, begin, "the checksum of its footer does not fit")
        self._end = begin
        loaded: dict[str, Any] = json.loads(footer)
        return loaded

    def _array(self, name: str) -> NDArray[Any]:
        place, kind = self._places[name], np.dtype(SECTIONS[name])
        return np.frombuffer(self._map, dtype=kind, count=place.bytes // kind.itemsize, offset=place.offset)

    def _piece(self, index: int) -> memoryview:
        return memoryview(self._map)[index * PIECE : min((index + 1) * PIECE, self._end)]

    def _check(self, place: Place) -> None:
        for index in range(place.offset // PIECE, -(-(place.offset + place.bytes) // PIECE)):
            if disk.checksum(self._piece(index)) != self._sums[index]:
                words = f"the checksum of {PIECE >> 20} MiB from there on does not fit"
                raise Damage(self.path, index * PIECE, words)


class Writer:
    """Writes the sections of a new segment, one after the other; the file has its name once `finish` ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_name(path.name + ".new")
        self._file = self._aside.open("wb", buffering=0)
        self._places: dict[str, tuple[int, int]] = {}
        self._at = 0
        self._sum = xxhash.xxh3_64()
        self._room = PIECE
        self._sums: list[int] = []
        self._put(HEADER)

    def section(self, name: str, parts: Iterable[NDArray[Any]]) -> None:
        """Write a section."""
        self._put(b"\0" * (-self._at % ALIGNMENT))
        begin = self._at
        for part in parts:
            self._put(np.ascontiguousarray(part, dtype=SECTIONS[name]).reshape(-1).view(np.uint8).data)
        self._places[name] = (begin, self._at - begin)

    def finish(self, *, dimension: int, rows: int) -> None:
        """Write the footer; the file is on the disk when this returns."""
        self._put(b"\0" * (-self._at % ALIGNMENT))
        if self._room < PIECE:
            self._sums.append(self._sum.intdigest())
        told = {"dimension": dimension, "rows": rows, "sections": self._places, "checksums": self._sums}
        footer = json.dumps(told).encode()
        trailer = TRAILER.pack(len(footer), disk.checksum(footer), MAGIC)
        disk.write_at(self._file.fileno(), [footer, trailer], self._at)
        os.fsync(self._file.fileno())
        self._file.close()
        self._aside.replace(self._path)
        disk.sync_folder(self._path.parent)

    def abandon(self) -> None:
        """Leave nothing."""
        self._file.close()
        self._aside.unlink(missing_ok=True)

    def _put(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        self._at = disk.write_at(self._file.fileno(), [view], self._at)
        while view:
            part, view = view[: self._room], view[self._room :]
            self._sum.update(part)
            self._room -= len(part)
            if not self._room:
                self._sums.append(self._sum.intdigest())
                self._sum, self._room = xxhash.xxh3_64(), PIECE


Block = Tail | Segment


def write(
    path: Path, dimension: int, sources: Sequence[tuple[Block, NDArray[np.int64]]], between: Callable[[], None]
) -> None:
    """Write a segment of rows of several blocks, in their order.

    Args:
        path: Of the new file. There is none when this raises.
        dimension: Of all vectors.
        sources: Blocks and which of their rows.
        between: Called between slices; what it raises ends the writing.
    """
    writer = Writer(path)
    slices = [(block, rows[begin : begin + SLICE]) for block, rows in sources for begin in range(0, len(rows), SLICE)]
    try:
        for name in ("vectors", "keys", "norms"):
            writer.section(name, _each(between, (getattr(block, name)[rows] for block, rows in slices)))
        for name in ("ids", "metadata"):
            lengths: list[NDArray[np.int64]] = []
            writer.section(name, _each(between, _texts(slices, name, lengths)))
            ends = np.cumsum(np.concatenate(lengths))
            writer.section("id_ends" if name == "ids" else "metadata_ends", [ends])
        hashes = np.concatenate([block.hashes(rows) for block, rows in sources])
        order = np.argsort(hashes, kind="stable")
        writer.section("hashes", [hashes[order]])
        writer.section("places", [order])
        begins = np.cumsum([0, *(len(rows) for _, rows in slices)]).tolist()
        kept = [block.kept(rows) for block, rows in slices]
        writer.section("original_rows", [places + begin for (places, _), begin in zip(kept, begins, strict=False)])
        writer.section("originals", [vectors for _, vectors in kept])
        writer.finish(dimension=dimension, rows=len(hashes))
    except BaseException:
        writer.abandon()
        raise


def _texts(
    slices: Sequence[tuple[Block, NDArray[np.int64]]], name: str, lengths: list[NDArray[np.int64]]
) -> Iterator[NDArray[np.uint8]]:
    for block, rows in slices:
        size, data = block.texts(name, rows)
        lengths.append(size)
        yield data


def _each(between: Callable[[], None], parts: Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    for part in parts:
        between()
        yield part
