"""The values that the modules hand to each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xxhash
from numpy.typing import NDArray

from hector.plugin.v1.database_pb2 import Metric

COMPONENT = np.dtype("<f4")  # on disk as on the wire


@dataclass(frozen=True)
class Settings:
    """What a collection was created with."""

    name: str
    dimension: int
    metric: Metric


class Ids(list[str]):
    """Ids that are looked up block by block: encoded and hashed once."""

    @cached_property
    def encoded(self) -> list[bytes]:
        """As in files."""
        return [each.encode() for each in self]

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """By which segments find them."""
        return hashed(self.encoded)


def hashed(ids: Sequence[bytes]) -> NDArray[np.uint64]:
    """The hashes of encoded ids."""
    return np.fromiter(map(xxhash.xxh3_64_intdigest, ids), dtype=np.uint64, count=len(ids))


@dataclass(frozen=True)
class Batch:
    """Vectors to store, column by column, all of one length; ids are unique in it."""

    ids: Ids
    vectors: NDArray[np.float32]  # (n, dimension), as the caller gave them
    metadata: list[bytes]  # each a serialised google.protobuf.Struct, empty where there is none


@dataclass(frozen=True)
class Hit:
    """One result of a search; a higher score is better."""

    id: str
    score: float
    metadata: bytes


@dataclass(frozen=True)
class Stored:
    """One vector as it was given, shape (dimension,)."""

    id: str
    vector: NDArray[np.float32]
    metadata: bytes
