"""The metadata of one block of rows, readable by key: which rows say what.

Metadata stays bytes until a filter names a key; the key's column is then read once, and goes on from there where the
block has grown. So what nobody filters by (the text of a passage) costs nothing but its bytes. A column takes about 100
bytes for each distinct value and 4 for each row. Rows are never taken out: who is dead is the collection's knowledge.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf.struct_pb2 import Struct
from numpy.typing import NDArray

from hector_faiss_database.values import faces

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

Rows = NDArray[np.int64]
"""Row numbers, rising, each once."""

SLICE = 20_000
"""Rows that are read before others may have their turn."""


class Column:
    """The rows of each value of one key; a list stands under itself and under each of its elements."""

    def __init__(self) -> None:
        self.read = 0
        self._rows: dict[Hashable, array[int]] = {}
        self._sorted: dict[type, tuple[list[Hashable], int]] = {}

    def learn(self, row: int, metadata: bytes, key: str) -> None:
        """Read one row."""
        fields = Struct.FromString(metadata).fields
        if key in fields:
            for face in set(faces(fields[key])):
                self._rows.setdefault(face, array("i")).append(row)

    def among(self, values: Sequence[Hashable]) -> Rows:
        """The rows of any of these values."""
        return _united([self._rows[value] for value in values if value in self._rows])

    def between(self, kind: type, low: tuple[Hashable, bool] | None, high: tuple[Hashable, bool] | None) -> Rows:
        """The rows of values of a type within bounds; each bound says whether it belongs to them."""
        values = self._values(kind)
        begin = 0 if low is None else _place(values, low[0], after=not low[1])
        end = len(values) if high is None else _place(values, high[0], after=high[1])
        return _united([self._rows[value] for value in values[begin:end]])

    def present(self) -> Rows:
        """The rows that have the key."""
        return _united(list(self._rows.values()))

    def _values(self, kind: type) -> list[Hashable]:
        """The distinct values of a type, rising; sorted again when there are others."""
        values, count = self._sorted.get(kind, ([], -1))
        if count != len(self._rows):
            values = sorted(value for value in self._rows if isinstance(value, kind))  # type: ignore[type-var]
            self._sorted[kind] = (values, len(self._rows))
        return values


class Columns:
    """Metadata by row, and columns of it by key. Readers may come side by side, also while rows are appended.

    Args:
        metadata: By row, each a serialised `Struct` or empty. It may grow at its end.
    """

    def __init__(self, metadata: Sequence[bytes]) -> None:
        self._metadata = metadata
        self._columns: dict[str, Column] = {}
        self._reading = threading.Lock()

    def column(self, key: str, count: int) -> Locked:
        """The column of a key, which has read `count` rows at least."""
        while True:
            with self._reading:
                column = self._columns.setdefault(key, Column())
                end = min(count, column.read + SLICE)
                for row in range(column.read, end):
                    metadata = self._metadata[row]
                    if metadata:
                        column.learn(row, metadata, key)
                column.read = max(column.read, end)
                if column.read >= count:
                    return Locked(column, self._reading, count)


class Locked:
    """A column as of so many rows: it may have read more by now, which are left out."""

    def __init__(self, column: Column, lock: threading.Lock, count: int) -> None:
        self._column = column
        self._lock = lock
        self._count = count

    def among(self, values: Sequence[Hashable]) -> Rows:
        """As `Column.among`."""
        with self._lock:
            return self._bounded(self._column.among(values))

    def between(self, kind: type, low: tuple[Hashable, bool] | None, high: tuple[Hashable, bool] | None) -> Rows:
        """As `Column.between`."""
        with self._lock:
            return self._bounded(self._column.between(kind, low, high))

    def present(self) -> Rows:
        """As `Column.present`."""
        with self._lock:
            return self._bounded(self._column.present())

    def _bounded(self, rows: Rows) -> Rows:
        return rows[: np.searchsorted(rows, self._count)]


def _place(values: Sequence[Any], bound: Any, *, after: bool) -> int:
    return (bisect_right if after else bisect_left)(values, bound)


def _united(parts: list[array[int]]) -> Rows:
    """The rows of all parts, each of which rises."""
    rows = np.concatenate([np.array(part, dtype=np.int64) for part in parts] or [np.empty(0, dtype=np.int64)])
    return rows if len(parts) < 2 else np.unique(rows)
