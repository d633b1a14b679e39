"""Vectors as arrays, on the contract's wire."""

import struct
from typing import ClassVar

import numpy as np
import pytest

from hector.plugin.v1.database_pb2 import (
    ListVectorsRequest,
    SearchVectorsRequest,
    SearchVectorsResponse,
    UpsertVectorsRequest,
    UpsertVectorsResponse,
    Vector,
)
from hector.plugin.v1.embedder_pb2 import (
    EmbedBatchRequest,
    EmbedBatchResponse,
    Embedding,
    EmbedTextRequest,
    EmbedTextResponse,
)
from hector_sdk import Database, Embedder
from hector_sdk.testing import running
from hector_sdk.vectors import (
    Embeddings,
    ListResponse,
    SearchRequest,
    SearchResponse,
    UpsertRequest,
    WrongLength,
)


def batch(*vectors):
    request = UpsertVectorsRequest(collection="c")
    for number, vector in enumerate(vectors):
        request.vectors.add(id=f"v{number}", vector=vector)
    request.vectors[0].metadata["n"] = 1
    return request


def field(number, data):
    """A length-delimited field on the wire."""
    return bytes([number << 3 | 2, len(data)]) + data


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def test_a_batch_comes_column_by_column():
    request = batch([1.5, -2], [3, 4])
    read = UpsertRequest(request.SerializeToString())
    assert (read.collection, read.ids, len(read)) == ("c", ["v0", "v1"], 2)
    assert read.metadata == [request.vectors[0].metadata.SerializeToString(), b""]
    matrix = read.matrix(2)
    assert matrix.dtype == np.float32
    assert matrix.tolist() == [[1.5, -2], [3, 4]]
    assert read.message == request


def test_an_empty_batch_has_no_rows():
    read = UpsertRequest(UpsertVectorsRequest(collection="c").SerializeToString())
    assert (len(read), read.matrix(3).shape) == (0, (0, 3))


@pytest.mark.parametrize(
    ("vectors", "index", "length"), [([[1, 2], [3]], 1, 1), ([[1, 2, 3], [3]], 0, 3), ([[]], 0, 0)]
)
def test_a_vector_of_another_length_is_named(vectors, index, length):
    with pytest.raises(WrongLength, match=rf"^vectors\[{index}\]\.vector has {length} components, not 2$") as error:
        UpsertRequest(batch(*vectors).SerializeToString()).matrix(2)
    assert (error.value.index, error.value.length) == (index, length)


IN_PIECES = field(2, floats(1)) + field(2, floats(2))
ONE_BY_ONE = b"\x15" + floats(1) + b"\x15" + floats(2)


@pytest.mark.parametrize("components", [IN_PIECES, ONE_BY_ONE, ONE_BY_ONE[:5] + field(2, floats(2))])
def test_vectors_in_pieces_or_one_by_one_are_read(components):
    upsert = field(1, b"c") + field(2, field(1, b"a") + components) + field(2, field(1, b"b") + field(2, floats(3, 4)))
    assert UpsertRequest(upsert).matrix(2).tolist() == [[1, 2], [3, 4]]
    search = field(1, b"c") + components + b"\x18\x07"
    read = SearchRequest(search)
    assert (read.vector.tolist(), read.limit) == ([1, 2], 7)


def test_a_search_is_read():
    request = SearchVectorsRequest(collection="c", vector=[1, 2], limit=3, threshold=0.5, exact=True)
    request.filter["kind"] = "a"
    read = SearchRequest(request.SerializeToString())
    assert (read.collection, read.limit, read.threshold, read.exact) == ("c", 3, 0.5, True)
    assert (read.filter, read.vector.tolist(), read.message) == (request.filter, [1, 2], request)


def test_a_search_without_a_vector_has_no_components():
    assert SearchRequest(SearchVectorsRequest(collection="c").SerializeToString()).vector.shape == (0,)


class Kept(Database):
    """Answers with what it was given last."""

    async def upsert_vectors(self, request):
        self.ids, self.metadata, self.matrix = request.ids, request.metadata, request.matrix(3)
        return UpsertVectorsResponse(success=True)

    async def search_vectors(self, request):
        scores = self.matrix @ request.vector
        return SearchResponse(zip(self.ids, scores.tolist(), self.metadata, strict=True))

    async def list_vectors(self, request):
        rows = self.matrix if request.with_vectors else [None] * len(self.ids)
        return ListResponse(zip(self.ids, rows, self.metadata, strict=True), "next")

    async def _never(self, request):
        raise AssertionError

    create_collection = delete_collection = delete_vectors = _never


async def test_a_database_reads_and_answers_with_arrays():
    given = batch([1, 2, 3.5], [0, 1, 0])
    async with running(Kept(), config={}) as stubs:
        await stubs.database.UpsertVectors(given)
        found = await stubs.database.SearchVectors(SearchVectorsRequest(collection="c", vector=[1, 1, 2]))
        listed = await stubs.database.ListVectors(ListVectorsRequest(collection="c", with_vectors=True))
        bare = await stubs.database.ListVectors(ListVectorsRequest(collection="c"))
    expected = SearchVectorsResponse(success=True)
    expected.results.add(id="v0", score=10, metadata=given.vectors[0].metadata)
    expected.results.add(id="v1", score=1)
    assert found == expected
    assert (list(listed.vectors), listed.next_page_token) == (list(given.vectors), "next")
    assert bare.vectors[1] == Vector(id="v1")


class Lengths(Embedder):
    """A text is its length."""

    known: ClassVar[dict] = {"tokens": [7], "truncated": [True], "model": "m"}

    async def embed_batch(self, request):
        told = self.known if len(request.texts) == 1 else {}
        return Embeddings(np.array([[len(text), 0] for text in request.texts], dtype=np.float64), **told)

    async def get_dimensions(self, request):
        raise AssertionError


async def test_an_embedder_answers_with_an_array():
    async with running(Lengths(), config={}) as stubs:
        several = await stubs.embedder.EmbedBatch(EmbedBatchRequest(texts=["a", "abc"]))
        one = await stubs.embedder.EmbedText(EmbedTextRequest(text="ab"))
    assert several == EmbedBatchResponse(success=True, embeddings=[Embedding(vector=[1, 0]), Embedding(vector=[3, 0])])
    assert one == EmbedTextResponse(success=True, vector=[2, 0], tokens=7, truncated=True, model="m")
