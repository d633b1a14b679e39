"""The values that the modules hand to each other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hector.plugin.v1.database_pb2 import Metric

COMPONENT = np.dtype("<f4")  # on disk as on the wire


@dataclass(frozen=True)
class Settings:
    """What a collection was created with."""

    name: str
    dimension: int
    metric: Metric


@dataclass(frozen=True)
class Batch:
    """Vectors to store, column by column, all of one length; ids are unique in it."""

    ids: list[str]
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
