"""How the plugin finds its directory, and how it lets go of it."""

import asyncio
import threading
from pathlib import Path

import grpc
import pytest

from hector.plugin.v1 import database_pb2 as pb
from hector_faiss_database.options import Options
from hector_faiss_database.plugin import FaissDatabase
from hector_faiss_database.service import Service
from hector_sdk import InvalidOptions
from hector_sdk.testing import running


async def test_a_directory_of_its_own(tmp_path: Path):
    for there in ([], ["c"]):
        async with running(FaissDatabase(), config={"directory": str(tmp_path / "vectors")}) as stubs:
            listed = await stubs.database.ListCollections(pb.ListCollectionsRequest())
            assert [each.name for each in listed.collections] == there
            await stubs.database.CreateCollection(pb.CreateCollectionRequest(name="c", dimension=2))


async def test_the_data_directory_of_the_host(tmp_path: Path):
    for there in ([], ["c"]):
        async with running(FaissDatabase(), config={}, data_dir=tmp_path) as stubs:
            listed = await stubs.database.ListCollections(pb.ListCollectionsRequest())
            assert [each.name for each in listed.collections] == there
            await stubs.database.CreateCollection(pb.CreateCollectionRequest(name="c", dimension=2))


async def test_no_directory_at_all_is_refused():
    database = FaissDatabase()
    database.options = Options()
    with pytest.raises(InvalidOptions) as caught:
        await database.start()
    assert str(caught.value) == "directory: is empty, and there is no data directory: give one of the two"


async def test_a_relative_one_is_refused():
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with running(FaissDatabase(), config={"directory": "here"}):
            pass
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == 'directory: "here" is relative: write the whole path'


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hnsw_m": 3}, "hnsw_m: is 3, must be 4 to 64"),
        ({"index_from": 10}, "index_from: is 10, must be 1000 to 1000000000"),
    ],
)
async def test_numbers_out_of_their_range_are_refused(options: dict[str, int], message: str):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with running(FaissDatabase(), config=options):
            pass
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, message)


async def test_a_cancelled_start_gives_the_directory_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    reached, free = threading.Event(), threading.Event()

    def slow(directory: Path, options: Options) -> Service:
        service = Service(directory, options)
        reached.set()
        assert free.wait(30)
        return service

    monkeypatch.setattr("hector_faiss_database.plugin._opened", slow)
    database = FaissDatabase()
    database.options = Options(directory=str(tmp_path))
    starting = asyncio.create_task(database.start())
    await asyncio.to_thread(reached.wait, 30)
    starting.cancel()
    free.set()
    with pytest.raises(asyncio.CancelledError):
        await starting
    monkeypatch.setattr("hector_faiss_database.owner.PATIENCE", 0)
    Service(tmp_path, Options()).close()
