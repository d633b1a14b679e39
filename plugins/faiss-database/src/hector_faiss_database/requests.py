"""Requests read and checked: contract messages in, plain values out. INVALID_ARGUMENT names what is wrong."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct
from numpy.typing import NDArray

from hector.plugin.v1 import packed
from hector.plugin.v1.database_pb2 import (
    METRIC_COSINE,
    METRIC_UNSPECIFIED,
    CreateCollectionRequest,
    Metric,
    UpsertVectorsRequest,
)
from hector_faiss_database.filters import Condition, parse
from hector_faiss_database.records import Batch, Ids, Settings
from hector_faiss_database.refusals import invalid, quoted
from hector_faiss_database.values import finite
from hector_sdk import Status
from hector_sdk.vectors import UpsertRequest, WrongLength

LONGEST_NAME = 512  # bytes, of collections and ids alike
MOST_COMPONENTS = 65_536
MOST_METADATA = 2 << 20
"""Bytes of one vector's metadata."""
NOT_FINITE = re.compile(rb"\x11.{6}[\xf0-\xff][\x7f\xff]", re.DOTALL)
"""A number in a serialised Struct that is NaN or infinite; other bytes may look so by chance."""
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


def batch(request: UpsertRequest, collection: Settings) -> Batch:
    """The vectors to store; of those with the same id the last one alone."""
    for index, vector_id in enumerate(request.ids):
        if not 1 <= len(vector_id) <= LONGEST_NAME // 4:  # in bytes at most four times as long
            named(vector_id, f"vectors[{index}].id")
    _check_metadata(request)
    try:
        matrix = request.matrix(collection.dimension)
    except WrongLength as error:
        raise _wrong_length(f"vectors[{error.index}].vector", error.length, collection) from None
    if not np.isfinite(matrix).all():
        row, column = (int(place[0]) for place in np.nonzero(~np.isfinite(matrix)))
        raise invalid(f"vectors[{row}].vector[{column}]", "is not finite")
    last = {vector_id: index for index, vector_id in enumerate(request.ids)}
    if len(last) == len(request.ids):
        return Batch(Ids(request.ids), matrix, request.metadata)
    chosen = list(last.values())
    return Batch(Ids(last), matrix[chosen], [request.metadata[index] for index in chosen])


def query(vector: NDArray[np.float32], collection: Settings) -> NDArray[np.float32]:
    """What to be near to, shape (dimension,)."""
    if len(vector) != collection.dimension:
        raise _wrong_length("vector", len(vector), collection)
    if not np.isfinite(vector).all():
        raise invalid(f"vector[{int(np.argmin(np.isfinite(vector)))}]", "is not finite")
    return vector


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


def whole_path(folder: str) -> Path:
    """Where something is to be written."""
    if not Path(folder).is_absolute():
        raise invalid("folder", f"{quoted(folder)} is no whole path")
    return Path(folder)


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


def _check_metadata(request: UpsertRequest) -> None:
    """Whether each is a Struct of a size that can be kept, that clients can read, and whose numbers JSON can write."""
    given = request.metadata
    for index, metadata in enumerate(given):
        if len(metadata) > MOST_METADATA:
            problem = f"has {len(metadata):,} bytes, must have at most {MOST_METADATA:,}"
            raise invalid(f"vectors[{index}].metadata", problem)
    try:
        _ = request.message  # all at once; answers nest metadata as deep as requests do
    except DecodeError:
        raise _unreadable(request) from None
    if NOT_FINITE.search(b"".join(given)) is None:
        return
    for index, metadata in enumerate(given):
        if not finite(Struct.FromString(metadata)):
            raise invalid(f"vectors[{index}].metadata", "has a number that is not finite")


def _unreadable(request: UpsertRequest) -> Status:
    for index, metadata in enumerate(request.metadata):
        alone = packed.UpsertVectorsRequest()
        alone.vectors.add(metadata=metadata)
        try:
            UpsertVectorsRequest.FromString(alone.SerializeToString())
        except DecodeError:
            return invalid(f"vectors[{index}].metadata", "cannot be read: it is nested too deep, or is no Struct")
    return invalid("vectors", "cannot be read")


def _wrong_length(field: str, length: int, collection: Settings) -> Status:
    return invalid(
        field, f"has {length} components, the dimension of {quoted(collection.name)} is {collection.dimension}"
    )
