"""The vectors that databases are compared with: seeded, of length 1, each with an id and metadata."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hector_host.providers.packed import Row
from hector_sdk.values import struct

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMENSION = 384
BATCH = 1_000
CENTRES = 1_000
"""Vectors lie around so many points, as those of texts do; vectors without any order have no neighbours to find."""


@dataclass(frozen=True)
class Rows:
    """So many vectors, column by column.

    Attributes:
        vectors: Shape (n, DIMENSION).
        metadata: JSON objects; "tenth" is 0 in every tenth.
        structs: The same as serialised `google.protobuf.Struct`.
    """

    vectors: NDArray[np.float32]
    ids: list[str]
    metadata: list[dict[str, Any]]
    structs: list[bytes]

    def batches(self) -> list[Rows]:
        """All, BATCH by BATCH."""
        return [self._part(slice(at, at + BATCH)) for at in range(0, len(self.ids), BATCH)]

    def packed(self) -> list[Row]:
        """As the host's providers take them."""
        rows = zip(self.ids, self.vectors, self.structs, strict=True)
        return [Row(each, vector.tobytes(), metadata) for each, vector, metadata in rows]

    def _part(self, which: slice) -> Rows:
        return Rows(self.vectors[which], self.ids[which], self.metadata[which], self.structs[which])


def rows(first: int, count: int) -> Rows:
    """The vectors from a number on."""
    numbers = range(first, first + count)
    metadata = [
        {"source": f"docs/page-{number // 20}.md", "chunk": number % 20, "tenth": number % 10} for number in numbers
    ]
    structs = [struct(each).SerializeToString() for each in metadata]
    return Rows(around(count, first), [f"chunk-{number}" for number in numbers], metadata, structs)


def queries(count: int) -> NDArray[np.float32]:
    """Vectors that are not stored, shape (count, DIMENSION)."""
    return around(count, seed=2**31)


def around(count: int, seed: int) -> NDArray[np.float32]:
    """Vectors of length 1 around the centres, shape (count, DIMENSION)."""
    chance = np.random.default_rng(seed)
    vectors = _centres()[chance.integers(CENTRES, size=count)]
    vectors += 0.6 * chance.standard_normal((count, DIMENSION), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


@functools.cache
def _centres() -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal((CENTRES, DIMENSION), dtype=np.float32)
