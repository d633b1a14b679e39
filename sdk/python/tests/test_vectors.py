"""Buffers in place of lists of floats, on the same wire."""

import struct

import pytest

from hector.plugin.v1 import database_pb2
from hector.plugin.v1.database_pb2 import SearchVectorsRequest, SearchVectorsResponse, UpsertVectorsRequest, Vector
from hector_sdk import Database
from hector_sdk.testing import running
from hector_sdk.vectors import Views

VIEWS = Views(database_pb2.DESCRIPTOR)


def test_the_wire_is_the_same():
    request = UpsertVectorsRequest(collection="c", vectors=[Vector(id="a", vector=[1.5, -2]), Vector(id="b")])
    request.vectors[0].metadata["n"] = 1
    view = VIEWS.UpsertVectorsRequest.FromString(request.SerializeToString())
    assert view.vectors[0].vector == struct.pack("<2f", 1.5, -2)
    assert (view.collection, view.vectors[0].metadata["n"], view.vectors[1].vector) == ("c", 1, b"")
    assert UpsertVectorsRequest.FromString(view.SerializeToString()) == request


def test_a_message_that_is_not_there():
    with pytest.raises(AttributeError, match=r"^Nothing$"):
        _ = VIEWS.Nothing


class Buffered(Database):
    request_types = {"SearchVectors": VIEWS.SearchVectorsRequest}  # noqa: RUF012 - declared a ClassVar in the SDK

    async def search_vectors(self, request):
        values = struct.unpack("<3f", request.vector)
        result = VIEWS.SearchVectorsResponse(success=True)
        result.results.add(id=request.collection, score=sum(values))
        return result

    async def _never(self, request):
        raise AssertionError

    create_collection = delete_collection = upsert_vectors = delete_vectors = _never


async def test_a_provider_reads_and_answers_with_views():
    async with running(Buffered(), config={}) as stubs:
        answer = await stubs.database.SearchVectors(SearchVectorsRequest(collection="c", vector=[1, 2, 3.5]))
    expected = SearchVectorsResponse(success=True)
    expected.results.add(id="c", score=6.5)
    assert answer == expected
