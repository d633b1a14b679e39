"""Vectors as bytes between the host and real servers, also of those who write the same message otherwise."""

import contextlib
import struct

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1.database_pb2 import ListVectorsRequest, ListVectorsResponse, UpsertVectorsRequest, Vector
from hector.plugin.v1.embedder_pb2 import EmbedBatchRequest, EmbedBatchResponse, EmbedTextRequest, EmbedTextResponse
from hector_host.providers.packed import PackedDatabaseStub, PackedEmbedderStub, Row, components, upsert_request

PLAIN = b"\x0a\x08" + struct.pack("<2f", 1, 2)
IN_PIECES = b"\x0a\x04" + struct.pack("<f", 1) + b"\x0a\x04" + struct.pack("<f", 2)
ONE_BY_ONE = b"\x0d" + struct.pack("<f", 1) + b"\x0d" + struct.pack("<f", 2)
MIXED = b"\x0d" + struct.pack("<f", 1) + b"\x0a\x04" + struct.pack("<f", 2)
"""Ways to write the floats 1 and 2 into field 1."""

FORMS = pytest.mark.parametrize("floats", [PLAIN, IN_PIECES, ONE_BY_ONE, MIXED])


@contextlib.asynccontextmanager
async def answering(path, wire):
    """A channel to a server that answers one RPC with these bytes; what it was asked is appended to `asked`."""
    asked = []

    async def answer(request, _):
        asked.append(request)
        return wire

    server = grpc.aio.server()
    service, _, method = path.rpartition("/")
    handlers = {method: grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel, asked
    finally:
        await server.stop(None)


def moved(floats, number):
    """The same floats in another field."""
    tags = {0x0A: number << 3 | 2, 0x0D: number << 3 | 5}
    wire, at = b"", 0
    while at < len(floats):
        size = 5 if floats[at] == 0x0D else 2 + floats[at + 1]
        wire += bytes([tags[floats[at]]]) + floats[at + 1 : at + size]
        at += size
    return wire


@FORMS
async def test_embeddings_of_every_form_are_read(floats):
    wire = b"\x08\x01" + b"".join(b"\x1a" + bytes([len(one)]) + one for one in (PLAIN, floats))
    assert [list(one.vector) for one in EmbedBatchResponse.FromString(wire).embeddings] == [[1, 2], [1, 2]]
    async with answering("hector.plugin.v1.EmbedderProvider/EmbedBatch", wire) as (channel, asked):
        response = await PackedEmbedderStub(channel).EmbedBatch(EmbedBatchRequest(texts=["a", "b"]))
    assert (response.success, [one.vector for one in response.embeddings]) == (True, [components([1, 2])] * 2)
    assert EmbedBatchRequest.FromString(asked[0]).texts == ["a", "b"]


@FORMS
async def test_an_embedding_of_every_form_is_read(floats):
    wire = b"\x08\x01" + moved(floats, 3)
    assert list(EmbedTextResponse.FromString(wire).vector) == [1, 2]
    async with answering("hector.plugin.v1.EmbedderProvider/EmbedText", wire) as (channel, _):
        response = await PackedEmbedderStub(channel).EmbedText(EmbedTextRequest(text="a"))
    assert (response.success, response.vector) == (True, components([1, 2]))


@FORMS
async def test_listed_vectors_of_every_form_are_read(floats):
    vector = b"\x0a\x01a" + moved(floats, 2)
    wire = b"\x0a" + bytes([len(vector)]) + vector
    assert ListVectorsResponse.FromString(wire).vectors[0] == Vector(id="a", vector=[1, 2])
    async with answering("hector.plugin.v1.DatabaseProvider/ListVectors", wire) as (channel, _):
        response = await PackedDatabaseStub(channel).ListVectors(ListVectorsRequest(collection="c"))
    assert [(one.id, one.vector) for one in response.vectors] == [("a", components([1, 2]))]


async def test_rows_are_the_contracts_vectors_on_the_wire():
    metadata = Struct()
    metadata.update({"path": "a.md", "line": 3})
    rows = [Row("a", components([1, -2.5]), metadata.SerializeToString()), Row("b", components([0, 1]))]
    async with answering("hector.plugin.v1.DatabaseProvider/UpsertVectors", b"\x08\x01") as (channel, asked):
        assert (await PackedDatabaseStub(channel).UpsertVectors(upsert_request("c", rows))).success
    expected = [Vector(id="a", vector=[1, -2.5], metadata=metadata), Vector(id="b", vector=[0, 1])]
    assert UpsertVectorsRequest.FromString(asked[0]) == UpsertVectorsRequest(collection="c", vectors=expected)
