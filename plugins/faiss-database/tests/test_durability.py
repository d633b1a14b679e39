"""What was answered outlives the process, however that ends, and what was not is there whole or not at all."""

import asyncio
import resource
import shutil
import sqlite3
import subprocess
from pathlib import Path
from random import Random

import grpc
import numpy as np
import pytest

from hector.plugin.v1 import database_pb2 as pb
from hector_faiss_database.catalog import Catalog
from hector_faiss_database.records import Batch, Settings
from hector_faiss_database.store import FILE, Store
from hector_sdk import Status
from hector_sdk.values import struct

DIMENSION = 16
RANDOM = Random()  # noqa: S311 - a different history each time
Contents = dict[str, float]  # id: what every component and the metadata's "n" are


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "db"


async def create(db) -> None:
    await db.CreateCollection(pb.CreateCollectionRequest(name="c", dimension=DIMENSION, metric=pb.METRIC_L2))


async def upsert(db, contents: Contents) -> None:
    vectors = [pb.Vector(id=each, vector=[n] * DIMENSION, metadata=struct({"n": n})) for each, n in contents.items()]
    await db.UpsertVectors(pb.UpsertVectorsRequest(collection="c", vectors=vectors))


async def listed(db) -> Contents:
    contents: Contents = {}
    token = ""
    while True:
        request = pb.ListVectorsRequest(collection="c", with_vectors=True, page_size=1000, page_token=token)
        page = await db.ListVectors(request)
        for each in page.vectors:
            assert list(each.vector) == [each.metadata["n"]] * DIMENSION  # never half of an old and half of a new one
            assert each.id not in contents
            contents[each.id] = each.metadata["n"]
        token = page.next_page_token
        if not token:
            return contents


class Writer:
    """Writes, overwrites and deletes until the process dies; knows what must and what may be there."""

    def __init__(self) -> None:
        self.acknowledged: Contents = {}
        self.possible: Contents = {}  # as above, with the change that was under way
        self.answered = asyncio.Semaphore(0)

    async def run(self, db) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self._change_for_ever(db)
        assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}

    async def _change_for_ever(self, db) -> None:
        while True:
            await self._change(db)
            self.acknowledged = self.possible
            self.answered.release()

    async def _change(self, db) -> None:
        ids = [str(each) for each in RANDOM.sample(range(400), 50)]
        self.possible = dict(self.acknowledged)
        if RANDOM.random() < 0.3:
            for each in ids:
                self.possible.pop(each, None)
            await db.DeleteVectors(pb.DeleteVectorsRequest(collection="c", ids=ids))
        else:
            new = {each: float(RANDOM.randrange(1000)) for each in ids}
            self.possible |= new
            await upsert(db, new)


async def test_a_killed_process_has_kept_everything_that_it_answered(directory: Path, serving):
    writer = Writer()
    for _ in range(6):
        async with serving(directory) as process:
            await create(process.db)
            assert await listed(process.db) in (writer.acknowledged, writer.possible)
            writer.acknowledged = writer.possible = await listed(process.db)
            writing = asyncio.create_task(writer.run(process.db))
            for _ in range(RANDOM.randint(3, 30)):
                await writer.answered.acquire()
            await process.kill()
            await writing
    async with serving(directory) as process:
        contents = await listed(process.db)
        assert contents in (writer.acknowledged, writer.possible)
        assert contents
        await finds_each(process, contents)


async def finds_each(process, contents: Contents) -> None:
    for n in RANDOM.sample(sorted(set(contents.values())), 5):
        request = pb.SearchVectorsRequest(collection="c", vector=[n] * DIMENSION, limit=400, threshold=-1e-6)
        found = {each.id for each in (await process.db.SearchVectors(request)).results}
        assert found == {each for each, own in contents.items() if own == n}


async def test_deleted_collections_stay_deleted(directory: Path, serving):
    async with serving(directory) as process:
        await create(process.db)
        await upsert(process.db, {"a": 1})
        await process.db.DeleteCollection(pb.DeleteCollectionRequest(name="c"))
        await process.kill()
    async with serving(directory) as process:
        assert not (await process.db.ListCollections(pb.ListCollectionsRequest())).collections


def batch(number: int) -> Batch:
    ids = [f"{number}-{each}" for each in range(20)]
    return Batch(ids, np.full((20, DIMENSION), number, dtype=np.float32), [b""] * 20)


def test_a_torn_last_write_leaves_all_before_it_whole(tmp_path: Path):
    written = tmp_path / "written"
    catalog = Catalog(written)
    catalog.create(Settings("c", DIMENSION, pb.METRIC_L2))
    log = written / f"{FILE}-wal"
    ends = []
    for number in range(3):
        catalog.put(catalog.collection("c"), batch(number))
        ends.append(log.stat().st_size)
    copy = tmp_path / "copy"
    shutil.copytree(written, copy)  # as SIGKILL leaves it: the log is not yet written back
    catalog.close()
    content = (copy / log.name).read_bytes()
    assert ends[1] < ends[2] == len(content)
    survivors = set()
    for end in range(ends[1], ends[2] + 1, 389):
        torn = tmp_path / f"torn{end}"
        shutil.copytree(copy, torn)
        (torn / log.name).write_bytes(content[:end])
        survivors.add(tuple(batches(torn)))
        shutil.rmtree(torn)
    assert survivors == {(0, 1)}
    assert batches(copy) == [0, 1, 2]


def batches(directory: Path) -> list[int]:
    catalog = Catalog(directory)
    try:
        collection = catalog.collection("c")
        hits = collection.search(np.zeros(DIMENSION, dtype=np.float32), 1000, None, None)
        numbers = [int(hit.id.partition("-")[0]) for hit in hits]
        assert all(numbers.count(number) == 20 for number in numbers)
        return sorted(set(numbers))
    finally:
        catalog.close()


async def test_a_full_disk_refuses_and_loses_nothing(directory: Path, serving):
    async with serving(directory) as process:
        await create(process.db)
        await upsert(process.db, {"before": 1})
        limits = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        size = (directory / f"{FILE}-wal").stat().st_size
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size + 10_000, limits[1]))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await upsert(process.db, {str(each): 2 for each in range(1000)})
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert caught.value.details() == (
            f"cannot write to {directory}: disk I/O error; "
            "what was answered before is safe, free some space and repeat the call"
        )
        assert await listed(process.db) == {"before": 1}
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
        await upsert(process.db, {"after": 3})
        assert await listed(process.db) == {"before": 1, "after": 3}
        await process.kill()
    async with serving(directory) as process:
        assert await listed(process.db) == {"before": 1, "after": 3}


def test_a_file_system_without_room_is_told_in_its_own_words(directory: Path):
    directory.mkdir()
    store = Store(directory)
    number = store.create(Settings("c", DIMENSION, pb.METRIC_L2))
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages}")
    ids = [str(each) for each in range(1000)]
    large = Batch(ids, np.zeros((1000, DIMENSION), dtype=np.float32), [b""] * 1000)
    with pytest.raises(Status) as caught:
        store.put(number, store.new_keys(1000), large)
    store.close()
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(caught.value) == (
        f"cannot write to {directory}: database or disk is full; "
        "what was answered before is safe, free some space and repeat the call"
    )


async def test_a_second_process_is_told_who_owns_the_directory(directory: Path, serving, command):
    async with serving(directory) as process:
        second = await asyncio.to_thread(
            subprocess.run, command(directory, "127.0.0.1:0"), capture_output=True, text=True
        )
        assert second.returncode == 1
        assert second.stderr.splitlines()[-1] == (
            f"faiss-database: {directory} is in use by process {process.pid}: "
            "a database directory has one owner at a time"
        )
        await process.kill()
    async with serving(directory) as process:  # the lock died with its holder
        assert process.pid


def test_a_damaged_file_is_refused_and_left_as_it_is(directory: Path):
    directory.mkdir()
    file = directory / FILE
    file.write_bytes(b"no database " * 1000)
    with pytest.raises(Status) as caught:
        Catalog(directory)
    assert caught.value.code is grpc.StatusCode.FAILED_PRECONDITION
    assert str(caught.value) == (
        f"cannot read {file}: file is not a database; put back a copy of the directory, or move it away and index again"
    )
    assert file.read_bytes() == b"no database " * 1000


def test_a_format_of_another_release_is_refused(directory: Path):
    Catalog(directory).close()
    with sqlite3.connect(directory / FILE) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(Status) as caught:
        Catalog(directory)
    assert str(caught.value) == f"{directory / FILE} has format 7, this release reads 1: use the release that wrote it"


def test_a_directory_that_cannot_be(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(Status) as caught:
        Catalog(tmp_path / "file" / "db")
    assert caught.value.code is grpc.StatusCode.FAILED_PRECONDITION
    assert str(caught.value) == f"cannot use {tmp_path}/file/db: Not a directory"


async def test_an_owner_that_leaves_in_a_moment_is_waited_for(directory: Path):
    first = Catalog(directory)
    second = asyncio.create_task(asyncio.to_thread(Catalog, directory))
    assert await asyncio.wait([second], timeout=0.2) == (set(), {second})
    first.close()
    (await second).close()


def test_a_start_that_failed_gives_the_directory_back(directory: Path):
    directory.mkdir()
    (directory / FILE).write_bytes(b"no database " * 1000)
    for _ in range(2):
        with pytest.raises(Status, match="file is not a database"):
            Catalog(directory)
