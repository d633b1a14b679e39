"""Stubs of the two services that carry vectors, for which a vector is `bytes`: its float32 components, little-endian.

So vectors go from an embedder to a database without a Python object for each component. On the wire are the contract's
messages; what a plugin sends in a rarer form of them is read with the contract's own types.
"""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hector.plugin.v1 import packed
from hector.plugin.v1.database_pb2 import (
    ListVectorsRequest,
    ListVectorsResponse,
    SearchVectorsResponse,
    UpsertVectorsResponse,
)
from hector.plugin.v1.database_pb2_grpc import DatabaseProviderStub
from hector.plugin.v1.embedder_pb2 import EmbedBatchRequest, EmbedBatchResponse, EmbedTextRequest, EmbedTextResponse
from hector.plugin.v1.embedder_pb2_grpc import EmbedderProviderStub

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import grpc

COMPONENT = 4
"""Bytes of a component."""


@dataclass(frozen=True, slots=True)
class Row:
    """A vector of a collection.

    Attributes:
        vector: Its components. Empty where they were not asked for.
        metadata: A serialised `google.protobuf.Struct`. Empty: none.
    """

    id: str
    vector: bytes
    metadata: bytes = b""


class PackedEmbedderStub:
    """The embedder's RPCs; `EmbedText` and `EmbedBatch` answer with messages of `packed`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        path = "/hector.plugin.v1.EmbedderProvider"
        contract: Any = EmbedderProviderStub(channel)
        self.GetDimensions = contract.GetDimensions
        self.Rerank = contract.Rerank
        self.EmbedText = channel.unary_unary(f"{path}/EmbedText", EmbedTextRequest.SerializeToString, _embedded_text)
        self.EmbedBatch = channel.unary_unary(
            f"{path}/EmbedBatch", EmbedBatchRequest.SerializeToString, _embedded_batch
        )


class PackedDatabaseStub:
    """The database's RPCs; `UpsertVectors` and `SearchVectors` take messages of `packed`, `ListVectors` answers so."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        path = "/hector.plugin.v1.DatabaseProvider"
        contract: Any = DatabaseProviderStub(channel)
        self.CreateCollection = contract.CreateCollection
        self.DeleteVectors = contract.DeleteVectors
        self.ListCollections = contract.ListCollections
        self.CreateSnapshot = contract.CreateSnapshot
        self.UpsertVectors = channel.unary_unary(f"{path}/UpsertVectors", _serialised, UpsertVectorsResponse.FromString)
        self.SearchVectors = channel.unary_unary(f"{path}/SearchVectors", _serialised, SearchVectorsResponse.FromString)
        self.ListVectors = channel.unary_unary(f"{path}/ListVectors", ListVectorsRequest.SerializeToString, _listed)


def upsert_request(collection: str, rows: Sequence[Row]) -> Any:
    """A `packed.UpsertVectorsRequest`."""
    request = packed.UpsertVectorsRequest(collection=collection)
    add = request.vectors.add
    for row in rows:
        vector = add(id=row.id, vector=row.vector)
        if row.metadata:
            vector.metadata = row.metadata
    return request


def components(values: Iterable[float]) -> bytes:
    """Numbers as a vector."""
    floats = array("f", values)
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tobytes()


def _embedded_text(wire: bytes) -> Any:
    response = packed.EmbedTextResponse.FromString(wire)
    if not packed.whole(response, wire):
        response.vector = components(EmbedTextResponse.FromString(wire).vector)
    return response


def _embedded_batch(wire: bytes) -> Any:
    response = packed.EmbedBatchResponse.FromString(wire)
    if not packed.whole(response, wire):
        loose = EmbedBatchResponse.FromString(wire).embeddings
        for embedding, other in zip(response.embeddings, loose, strict=True):
            embedding.vector = components(other.vector)
    return response


def _listed(wire: bytes) -> Any:
    response = packed.ListVectorsResponse.FromString(wire)
    if not packed.whole(response, wire):
        for vector, other in zip(response.vectors, ListVectorsResponse.FromString(wire).vectors, strict=True):
            vector.vector = components(other.vector)
    return response


def _serialised(message: Any) -> bytes:
    wire: bytes = message.SerializeToString()
    return wire
