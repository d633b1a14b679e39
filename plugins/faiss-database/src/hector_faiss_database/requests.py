"""Requests read and checked: contract messages in, plain values out. INVALID_ARGUMENT names what is wrong."""

from collections.abc import Sequence

import numpy as np
from google.protobuf.struct_pb2 import Struct
from numpy.typing import NDArray

from hector.plugin.v1.database_pb2 import METRIC_COSINE, METRIC_UNSPECIFIED, CreateCollectionRequest, Metric, Vector
from hector_faiss_database.filters import Condition, parse
from hector_faiss_database.records import Batch, Settings
from hector_faiss_database.refusals import invalid, quoted
from hector_faiss_database.values import finite

LONGEST_NAME = 512  # bytes, of collections and ids alike
MOST_COMPONENTS = 65_536
PAGE = 100
LARGEST_PAGE = 1000


def named(name: str, field: str) -> str:
    """A name of 1 to 512 bytes."""
    size = len(name.encode())
    if not 1 <= size <= LONGEST_NAME:
        raise invalid(field, f"has {size} bytes, must have 1 to {LONGEST_NAME}")
    return name


def settings(request: CreateCollectionRequest) -> Settings:
    """What the new collection shall be."""
    if not 1 <= request.dimension <= MOST_COMPONENTS:
        raise invalid("dimension", f"is {request.dimension}, must be 1 to {MOST_COMPONENTS}")
    if request.metric not in Metric.values():
        raise invalid("metric", f"{request.metric} is none: there are cosine (1), dot (2) and L2 (3)")
    metric = METRIC_COSINE if request.metric == METRIC_UNSPECIFIED else request.metric
    return Settings(named(request.name, "name"), request.dimension, metric)


def batch(vectors: Sequence[Vector], collection: Settings) -> Batch:
    """The vectors to store; of those with the same id the last one alone."""
    for index, vector in enumerate(vectors):
        named(vector.id, f"vectors[{index}].id")
        if not finite(vector.metadata):
            raise invalid(f"vectors[{index}].metadata", "has a number that is not finite")
    matrix = np.empty((len(vectors), collection.dimension), dtype=np.float32)
    for index, vector in enumerate(vectors):
        matrix[index] = _components(vector.vector, collection, f"vectors[{index}].vector")
    last = {vector.id: index for index, vector in enumerate(vectors)}
    chosen = list(last.values())
    if len(chosen) < len(vectors):
        matrix = matrix[chosen]
    return Batch(list(last), matrix, [vectors[index].metadata.SerializeToString() for index in chosen])


def query(components: Sequence[float], collection: Settings) -> NDArray[np.float32]:
    """What to be near to, shape (dimension,)."""
    return _components(components, collection, "vector")


def limit(value: int) -> int:
    """How many results at most."""
    if value < 1:
        raise invalid("limit", f"is {value}, must be at least 1")
    return value


def threshold(value: float) -> float | None:
    """The lowest score, or None."""
    if np.isnan(value):
        raise invalid("threshold", "is not a number")
    return value or None


def condition(filter_: Struct) -> Condition | None:
    """What results must fulfil, or None."""
    return parse(filter_) if filter_.fields else None


def either(ids: Sequence[str], filter_: Struct, *, needed: bool) -> None:
    """Not both of ids and filter, and one of them where it is needed."""
    if ids and filter_.fields:
        raise invalid("ids", "stand beside a filter: give one of the two")
    if needed and not ids and not filter_.fields:
        raise invalid("ids", "are empty and so is filter: give one of the two (an empty filter would match everything)")


def page_size(value: int) -> int:
    """How many vectors in a page at most."""
    if value < 0:
        raise invalid("page_size", f"is {value}, must be at least 0")
    return min(value or PAGE, LARGEST_PAGE)


def page_token(number: int, key: int) -> str:
    """Says where the next page of this collection goes on."""
    return f"{number}:{key}"


def page_start(token: str, number: int) -> int:
    """The key after which the page begins."""
    own, colon, key = token.partition(":")
    if not token:
        return 0
    if own != str(number) or not colon or not (key.isascii() and key.isdigit()) or len(key) > 18:
        raise invalid("page_token", f"{quoted(token)} is none that this collection gave")
    return int(key)


def _components(components: Sequence[float], collection: Settings, field: str) -> NDArray[np.float32]:
    if len(components) != collection.dimension:
        raise invalid(
            field,
            f"has {len(components)} components, the dimension of {quoted(collection.name)} is {collection.dimension}",
        )
    vector = np.fromiter(components, dtype=np.float32, count=len(components))
    if not np.isfinite(vector).all():
        raise invalid(f"{field}[{int(np.argmin(np.isfinite(vector)))}]", "is not finite")
    return vector
