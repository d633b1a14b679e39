"""The contract's words on DatabaseProvider, one by one, over a real socket."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator

import grpc
import pytest

from hector.plugin.v1 import database_pb2 as pb
from hector.plugin.v1.plugin_pb2 import DescribeRequest
from hector_faiss_database.plugin import FaissDatabase
from hector_sdk.testing import Stubs, running
from hector_sdk.values import struct


@pytest.fixture
async def stubs() -> AsyncIterator[Stubs]:
    async with running(FaissDatabase(), config={}) as stubs:
        yield stubs


@pytest.fixture
async def db(stubs):
    await stubs.database.CreateCollection(pb.CreateCollectionRequest(name="c", dimension=2, metric=pb.METRIC_DOT))
    return stubs.database


async def refusal(call) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code().name, caught.value.details()


def vector(vector_id: str, *components: float, **metadata: object) -> pb.Vector:
    return pb.Vector(id=vector_id, vector=components, metadata=struct(metadata) if metadata else None)


async def upsert(db, *vectors: pb.Vector) -> pb.UpsertVectorsResponse:
    return await db.UpsertVectors(pb.UpsertVectorsRequest(collection="c", vectors=vectors))


async def search(db, *components: float, limit: int = 10, **more: object) -> list[pb.VectorResult]:
    request = pb.SearchVectorsRequest(collection="c", vector=components, limit=limit, **more)
    response = await db.SearchVectors(request)
    assert response.success
    return list(response.results)


async def test_describe_tells_what_it_is(stubs):
    described = await stubs.plugin.Describe(DescribeRequest())
    assert list(described.services) == ["hector.plugin.v1.DatabaseProvider"]
    assert dict(described.config_schema["properties"]["directory"])["type"] == "string"


class TestCreateCollection:
    async def test_again_with_equal_settings_is_harmless(self, db):
        await upsert(db, vector("a", 1, 1))
        request = pb.CreateCollectionRequest(name="c", dimension=2, metric=pb.METRIC_DOT)
        assert (await db.CreateCollection(request)).success
        assert [each.id for each in await search(db, 1, 1)] == ["a"]

    async def test_the_default_metric_is_cosine(self, db):
        for metric in (pb.METRIC_UNSPECIFIED, pb.METRIC_COSINE):
            assert (await db.CreateCollection(pb.CreateCollectionRequest(name="d", dimension=3, metric=metric))).success
        listed = (await db.ListCollections(pb.ListCollectionsRequest())).collections
        assert [each.metric for each in listed] == [pb.METRIC_DOT, pb.METRIC_COSINE]

    async def test_other_settings_are_refused_with_both(self, db):
        request = pb.CreateCollectionRequest(name="c", dimension=3)
        assert await refusal(db.CreateCollection(request)) == (
            "ALREADY_EXISTS",
            'collection "c" exists with dimension 2 and metric dot, not dimension 3 and metric cosine',
        )

    @pytest.mark.parametrize(
        ("request_", "message"),
        [
            ({"name": "", "dimension": 1}, "name: has 0 bytes, must have 1 to 512"),
            ({"name": "é" * 257, "dimension": 1}, "name: has 514 bytes, must have 1 to 512"),
            ({"name": "n"}, "dimension: is 0, must be 1 to 65536"),
            ({"name": "n", "dimension": -1}, "dimension: is -1, must be 1 to 65536"),
            ({"name": "n", "dimension": 65537}, "dimension: is 65537, must be 1 to 65536"),
            ({"name": "n", "dimension": 1, "metric": 9}, "metric: 9 is none: there are cosine (1), dot (2) and L2 (3)"),
        ],
    )
    async def test_bad_settings(self, db, request_, message):
        assert await refusal(db.CreateCollection(pb.CreateCollectionRequest(**request_))) == (
            "INVALID_ARGUMENT",
            message,
        )


class TestDeleteCollection:
    async def test_its_vectors_go_with_it(self, db):
        await upsert(db, vector("a", 1, 1))
        assert (await db.DeleteCollection(pb.DeleteCollectionRequest(name="c"))).success
        assert (await db.CreateCollection(pb.CreateCollectionRequest(name="c", dimension=2))).success
        assert await search(db, 1, 1) == []

    async def test_one_that_is_not_there_is_harmless(self, db):
        assert (await db.DeleteCollection(pb.DeleteCollectionRequest(name="nobody"))).success

    async def test_no_name(self, db):
        answer = await refusal(db.DeleteCollection(pb.DeleteCollectionRequest()))
        assert answer == ("INVALID_ARGUMENT", "name: has 0 bytes, must have 1 to 512")


class TestUpsertVectors:
    async def test_an_id_is_replaced_whole(self, db):
        await upsert(db, vector("a", 1, 0, colour="red", size=1), vector("b", 0, 1))
        await upsert(db, vector("a", 5, 0, colour="blue"))
        first, second = await search(db, 1, 0)
        assert (first.id, first.score, first.metadata) == ("a", 5, struct({"colour": "blue"}))
        assert (second.id, second.HasField("metadata")) == ("b", False)

    async def test_metadata_can_be_replaced_by_none(self, db):
        await upsert(db, vector("a", 1, 0, colour="red"))
        await upsert(db, vector("a", 1, 0))
        assert await search(db, 1, 0, filter=struct({"colour": "red"})) == []
        assert not (await search(db, 1, 0))[0].HasField("metadata")

    async def test_of_an_id_that_comes_twice_the_last_counts(self, db):
        await upsert(db, vector("a", 1, 0, n=1), vector("b", 2, 0), vector("a", 3, 0, n=2))
        assert [(each.id, each.score) for each in await search(db, 1, 0)] == [("a", 3), ("b", 2)]

    async def test_nothing_is_a_success(self, db):
        assert (await upsert(db)).success

    async def test_any_text_is_an_id(self, db):
        ids = ["\0", "a\0b", " ", "'; DROP TABLE vectors", "ü" * 256, "\U0001f600"]
        await upsert(db, *(vector(each, 1, 0) for each in ids))
        assert {each.id for each in await search(db, 1, 0)} == set(ids)

    async def test_any_json_is_metadata(self, db):
        metadata = {"null": None, "deep": {"list": [1, [True, {"": ""}]]}, "text": "\0ü", "number": -1e300}
        await upsert(db, vector("a", 1, 0, **metadata))
        assert (await search(db, 1, 0))[0].metadata == struct(metadata)

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            (vector("", 1, 1), "vectors[1].id: has 0 bytes, must have 1 to 512"),
            (vector("x" * 513, 1, 1), "vectors[1].id: has 513 bytes, must have 1 to 512"),
            (vector("b", 1), 'vectors[1].vector: has 1 components, the dimension of "c" is 2'),
            (vector("b"), 'vectors[1].vector: has 0 components, the dimension of "c" is 2'),
            (vector("b", 1, float("nan")), "vectors[1].vector[1]: is not finite"),
            (vector("b", float("-inf"), 1), "vectors[1].vector[0]: is not finite"),
        ],
    )
    async def test_a_bad_vector_stores_nothing_of_its_batch(self, db, bad, message):
        assert await refusal(upsert(db, vector("a", 1, 1), bad)) == ("INVALID_ARGUMENT", message)
        assert await search(db, 1, 1) == []

    async def test_wide_metadata_are_kept(self, db):
        wide = {"text": "x" * 1_000_000, **{str(each): each for each in range(1000)}}
        await upsert(db, vector("a", 1, 0, **wide))
        assert (await search(db, 1, 0))[0].metadata == struct(wide)

    async def test_metadata_over_their_size(self, db):
        bad = vector("a", 1, 1, text="x" * (2 << 20))
        message = f"vectors[0].metadata: has {bad.metadata.ByteSize():,} bytes, must have at most 2,097,152"
        assert await refusal(upsert(db, bad)) == ("INVALID_ARGUMENT", message)

    async def test_metadata_that_are_nested_too_deep(self, db):
        deep: list[object] = []
        for _ in range(48):  # a Struct that deep can be read alone, but not inside an answer
            deep = [deep]
        bad = vector("b", 1, 1, deep=deep)
        message = "vectors[1].metadata: cannot be read: it is nested too deep, or is no Struct"
        assert await refusal(upsert(db, vector("a", 1, 1), bad)) == ("INVALID_ARGUMENT", message)
        assert await search(db, 1, 1) == []

    async def test_metadata_that_are_no_json(self, db):
        bad = vector("a", 1, 1)
        bad.metadata.fields["n"].number_value = float("nan")
        message = "vectors[0].metadata: has a number that is not finite"
        assert await refusal(upsert(db, bad)) == ("INVALID_ARGUMENT", message)


class TestSearchVectors:
    async def test_limit_and_threshold_and_filter_together(self, db):
        await upsert(db, *(vector(str(n), n, 0, even=n % 2 == 0) for n in range(10)))
        even = struct({"even": True})
        assert [each.id for each in await search(db, 1, 0, limit=3, filter=even)] == ["8", "6", "4"]
        assert [each.id for each in await search(db, 1, 0, threshold=5, filter=even)] == ["8", "6"]
        assert [each.id for each in await search(db, 1, 0, limit=10**9, filter=struct({}))] == list("9876543210")

    async def test_more_than_a_message_holds(self, db):
        for number in range(32):
            await upsert(db, vector(str(number), 1, 0, text="x" * 2_000_000))
        message = "limit: 32 results have more than 60 MiB: ask for fewer"
        assert await refusal(search(db, 1, 0, limit=10**9)) == ("RESOURCE_EXHAUSTED", message)
        assert len(await search(db, 1, 0, limit=10)) == 10

    async def test_all_deleted(self, db):
        await upsert(db, vector("a", 1, 0))
        await db.DeleteVectors(pb.DeleteVectorsRequest(collection="c", ids=["a"]))
        assert await search(db, 1, 0) == []

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"limit": 0}, "limit: is 0, must be at least 1"),
            ({"limit": -1}, "limit: is -1, must be at least 1"),
            ({"vector": [1]}, 'vector: has 1 components, the dimension of "c" is 2'),
            ({"vector": []}, 'vector: has 0 components, the dimension of "c" is 2'),
            ({"vector": [1, float("inf")]}, "vector[1]: is not finite"),
            ({"threshold": float("nan")}, "threshold: is not a number"),
            (
                {"filter": struct({"$near": 1})},
                'filter.$near: unknown operator "$near": there are $and, $not, $or here',
            ),
        ],
    )
    async def test_bad_requests(self, db, changes, message):
        request = {"collection": "c", "vector": [1, 0], "limit": 1} | changes
        assert await refusal(db.SearchVectors(pb.SearchVectorsRequest(**request))) == ("INVALID_ARGUMENT", message)


class TestReadsBesideWrites:
    async def test_a_search_does_not_wait_for_the_disk(self, db, monkeypatch):
        await upsert(db, vector("a", 1, 0))
        reached, free = threading.Event(), threading.Event()
        sync = os.fdatasync

        def slow(descriptor: int) -> None:
            reached.set()
            assert free.wait(30)
            sync(descriptor)

        monkeypatch.setattr("hector_faiss_database.log.os.fdatasync", slow)
        writing = asyncio.create_task(upsert(db, vector("b", 2, 0)))
        await asyncio.to_thread(reached.wait, 30)
        assert [each.id for each in await search(db, 1, 0)] == ["a"]
        page = await db.ListVectors(pb.ListVectorsRequest(collection="c"))
        assert [each.id for each in page.vectors] == ["a"]
        assert not writing.done()
        free.set()
        await writing
        assert [each.id for each in await search(db, 1, 0)] == ["b", "a"]

    async def test_searches_see_each_batch_whole(self, db):
        async def overwrite() -> None:
            for n in range(1, 60):
                await upsert(db, *(vector(str(each), n, 0, n=n) for each in range(50)))

        writing = asyncio.create_task(overwrite())
        while not writing.done():
            seen = {(each.score, each.metadata["n"]) for each in await search(db, 1, 0, limit=50)}
            assert len(seen) <= 1
            assert all(score == n for score, n in seen)
        await writing


class TestDeleteVectors:
    async def test_by_ids_counts_those_that_were_there(self, db):
        await upsert(db, *(vector(each, 1, 0) for each in "abc"))
        request = pb.DeleteVectorsRequest(collection="c", ids=["a", "a", "x", "c"])
        answer = await db.DeleteVectors(request)
        assert (answer.success, answer.deleted) == (True, 2)
        assert (await db.DeleteVectors(request)).deleted == 0
        assert [each.id for each in await search(db, 1, 0)] == ["b"]

    async def test_by_filter(self, db):
        await upsert(db, *(vector(each, 1, 0, old=each < "c") for each in "abcd"))
        answer = await db.DeleteVectors(pb.DeleteVectorsRequest(collection="c", filter=struct({"old": True})))
        assert answer.deleted == 2
        assert [each.id for each in await search(db, 1, 0)] == ["c", "d"]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({}, "ids: are empty and so is filter: give one of the two (an empty filter would match everything)"),
            (
                {"filter": struct({})},
                "ids: are empty and so is filter: give one of the two (an empty filter would match everything)",
            ),
            ({"ids": ["a"], "filter": struct({"a": 1})}, "ids: stand beside a filter: give one of the two"),
            ({"filter": struct({"a": {"$like": 1}})}, None),
        ],
    )
    async def test_exactly_one_of_ids_and_filter(self, db, given, message):
        await upsert(db, vector("a", 1, 0))
        code, words = await refusal(db.DeleteVectors(pb.DeleteVectorsRequest(collection="c", **given)))
        there = "there are $and, $eq, $exists, $gt, $gte, $in, $lt, $lte, $ne, $nin, $not, $or here"
        assert (code, words) == (
            "INVALID_ARGUMENT",
            message or f'filter.a.$like: unknown operator "$like": {there}',
        )
        assert [each.id for each in await search(db, 1, 0)] == ["a"]


class TestListCollections:
    async def test_by_name_with_what_is_in_them(self, db):
        await db.CreateCollection(pb.CreateCollectionRequest(name="b", dimension=3, metric=pb.METRIC_L2))
        await upsert(db, vector("x", 1, 0), vector("y", 1, 0))
        listed = (await db.ListCollections(pb.ListCollectionsRequest())).collections
        assert [(each.name, each.dimension, each.metric, each.vectors) for each in listed] == [
            ("b", 3, pb.METRIC_L2, 0),
            ("c", 2, pb.METRIC_DOT, 2),
        ]

    async def test_how_they_are_searched(self, db):
        await upsert(db, vector("x", 1, 0))
        (listed,) = (await db.ListCollections(pb.ListCollectionsRequest())).collections
        assert listed.index == pb.Index(kind="flat", state=pb.INDEX_STATE_READY, vectors=1, recall=1)


class TestCreateSnapshot:
    async def test_it_holds_that_moment(self, db, tmp_path):
        await upsert(db, vector("a", 1, 0, n=1))
        folder = tmp_path / "copies" / "one"
        taken = await db.CreateSnapshot(pb.CreateSnapshotRequest(folder=str(folder)))
        assert (taken.success, taken.vectors) == (True, 1)
        assert taken.bytes == sum(path.stat().st_size for path in folder.iterdir())
        await upsert(db, vector("a", 0, 0, n=2), vector("b", 1, 0))
        async with running(FaissDatabase(), config={"directory": str(folder)}) as copy:
            (result,) = await search(copy.database, 1, 0)
        assert (result.id, result.score, result.metadata) == ("a", 1, struct({"n": 1}))

    async def test_no_whole_path(self, db):
        call = db.CreateSnapshot(pb.CreateSnapshotRequest(folder="here"))
        assert await refusal(call) == ("INVALID_ARGUMENT", 'folder: "here" is no whole path')

    async def test_a_folder_that_is_in_use(self, db, tmp_path):
        (tmp_path / "file").touch()
        call = db.CreateSnapshot(pb.CreateSnapshotRequest(folder=str(tmp_path)))
        message = f"{tmp_path} is in use: name a folder that is not there yet, or an empty one"
        assert await refusal(call) == ("ALREADY_EXISTS", message)

    async def test_a_folder_that_cannot_be(self, db, tmp_path):
        (tmp_path / "file").touch()
        call = db.CreateSnapshot(pb.CreateSnapshotRequest(folder=str(tmp_path / "file" / "copy")))
        assert await refusal(call) == ("INVALID_ARGUMENT", f"cannot make {tmp_path}/file/copy: Not a directory")


class TestListVectors:
    async def pages(self, db, **given: object) -> list[list[str]]:
        pages, token = [], ""
        while True:
            request = pb.ListVectorsRequest(collection="c", page_token=token, **given)
            page = await db.ListVectors(request)
            pages.append([each.id for each in page.vectors])
            token = page.next_page_token
            if not token:
                return pages

    async def test_pages_hold_everything_once(self, db):
        await upsert(db, *(vector(f"{n}", n, 0) for n in range(5)))
        assert await self.pages(db, page_size=2) == [["0", "1"], ["2", "3"], ["4"]]
        assert await self.pages(db, page_size=5) == [["0", "1", "2", "3", "4"]]
        assert await self.pages(db) == [["0", "1", "2", "3", "4"]]

    async def test_changes_between_pages_shift_nothing(self, db):
        await upsert(db, *(vector(f"{n}", n, 0) for n in range(4)))
        first = await db.ListVectors(pb.ListVectorsRequest(collection="c", page_size=2))
        await db.DeleteVectors(pb.DeleteVectorsRequest(collection="c", ids=["0"]))
        await upsert(db, vector("new", 1, 1), vector("1", 9, 9))
        rest = await db.ListVectors(pb.ListVectorsRequest(collection="c", page_token=first.next_page_token))
        assert [each.id for each in [*first.vectors, *rest.vectors]] == ["0", "1", "2", "3", "new"]

    async def test_vectors_come_back_as_they_were_given(self, db):
        await db.CreateCollection(pb.CreateCollectionRequest(name="cos", dimension=2))
        given = [vector("a", 3, 4, n=1), vector("b", 0.1, 1e-30)]
        await db.UpsertVectors(pb.UpsertVectorsRequest(collection="cos", vectors=given))
        page = await db.ListVectors(pb.ListVectorsRequest(collection="cos", with_vectors=True))
        assert list(page.vectors) == given
        page = await db.ListVectors(pb.ListVectorsRequest(collection="cos"))
        assert [(each.id, list(each.vector)) for each in page.vectors] == [("a", []), ("b", [])]

    async def test_by_ids_and_by_filter(self, db):
        await upsert(db, *(vector(f"{n}", n, 0, odd=n % 2) for n in range(6)))
        assert await self.pages(db, ids=["4", "nobody", "1"]) == [["1", "4"]]
        assert await self.pages(db, filter=struct({"odd": 1}), page_size=2) == [["1", "3"], ["5"]]
        assert await self.pages(db, ids=["nobody"]) == [[]]

    async def test_a_page_ends_before_it_is_too_large_for_a_message(self, db):
        await upsert(db, *(vector(f"{n}", n, 0, text="x" * 2_000_000) for n in range(3)))
        assert await self.pages(db) == [["0"], ["1"], ["2"]]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"page_size": -1}, "page_size: is -1, must be at least 0"),
            ({"page_token": "x"}, 'page_token: "x" is none that this collection gave'),
            ({"page_token": "99:1"}, 'page_token: "99:1" is none that this collection gave'),
            ({"page_token": "1:-1"}, 'page_token: "1:-1" is none that this collection gave'),
            ({"ids": ["a"], "filter": struct({"a": 1})}, "ids: stand beside a filter: give one of the two"),
        ],
    )
    async def test_bad_requests(self, db, given, message):
        request = pb.ListVectorsRequest(collection="c", **given)
        assert await refusal(db.ListVectors(request)) == ("INVALID_ARGUMENT", message)


class TestNoCollection:
    @pytest.mark.parametrize(
        ("rpc", "request_"),
        [
            ("UpsertVectors", pb.UpsertVectorsRequest(collection="nobody")),
            ("SearchVectors", pb.SearchVectorsRequest(collection="nobody", vector=[1], limit=1)),
            ("DeleteVectors", pb.DeleteVectorsRequest(collection="nobody", ids=["a"])),
            ("ListVectors", pb.ListVectorsRequest(collection="nobody")),
        ],
    )
    async def test_it_says_which_there_are(self, db, rpc, request_):
        call = getattr(db, rpc)
        assert await refusal(call(request_)) == ("NOT_FOUND", 'no collection "nobody": there are "c"')
        await db.DeleteCollection(pb.DeleteCollectionRequest(name="c"))
        assert await refusal(call(request_)) == ("NOT_FOUND", 'no collection "nobody": there is none yet')
