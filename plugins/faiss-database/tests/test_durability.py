"""What was answered outlives the process, however that ends, and what was not is there whole or not at all."""

import asyncio
import errno
import logging
import resource
import subprocess
from pathlib import Path
from random import Random

import grpc
import numpy as np
import pytest

from hector.plugin.v1 import database_pb2 as pb
from hector_faiss_database.engine import Engine
from hector_faiss_database.log import Kind, Log, Record
from hector_faiss_database.options import Options
from hector_faiss_database.records import Batch, Ids, Settings
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


SMALL_LOGS = 20_000
"""Bytes of a log so small that rows are sealed and segments merged all the time."""


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


@pytest.mark.timeout(300)
async def test_killed_fifty_times_a_process_has_kept_everything_that_it_answered(directory: Path, serving):
    writer = Writer()
    files: set[str] = set()
    for _ in range(50):
        async with serving(directory, SMALL_LOGS) as process:
            await create(process.db)
            there = await listed(process.db)
            assert there in (writer.acknowledged, writer.possible)
            writer.acknowledged = writer.possible = there
            writing = asyncio.create_task(writer.run(process.db))
            for _ in range(RANDOM.randint(1, 10)):
                await writer.answered.acquire()
            await asyncio.sleep(RANDOM.random() / 100)  # so that it is met in whatever it does
            await process.kill()
            await writing
            files |= names(directory)
    assert sum(name.startswith("segment-") for name in files) > 20
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


def batch(number: int, count: int = 20) -> Batch:
    ids = [f"{number}-{each}" for each in range(count)]
    return Batch(Ids(ids), np.full((count, DIMENSION), number, dtype=np.float32), [b""] * count)


def written(directory: Path, numbers: range, count: int = 20) -> list[int]:
    """The sizes of the log after each of these batches."""
    engine = Engine(directory, Options())
    engine.create(Settings("c", DIMENSION, pb.METRIC_L2)).result()
    ends = []
    for number in numbers:
        engine.put(engine.collection("c"), batch(number, count)).result()
        ends.append(engine.log.end)
    engine.close()
    return ends


def batches(directory: Path) -> list[int]:
    """The numbers of the batches that are there, each of which has to be whole."""
    engine = Engine(directory, Options())
    try:
        collection = engine.collection("c")
        hits = collection.search(np.zeros(DIMENSION, dtype=np.float32), 1000, None, None)
        counts = dict.fromkeys({hit.id.partition("-")[0] for hit in hits}, 0)
        for hit in hits:
            counts[hit.id.partition("-")[0]] += 1
        assert len(set(counts.values())) <= 1
        return sorted(map(int, counts))
    finally:
        engine.close()


def test_a_write_torn_at_any_byte_leaves_all_before_it_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    directory = tmp_path / "db"
    ends = written(directory, range(3), count=2)
    log = directory / "log-1"
    content = log.read_bytes()
    assert ends[1] < ends[2] == len(content)
    for end in range(ends[1], ends[2]):
        log.write_bytes(content[:end])
        caplog.clear()
        assert batches(directory) == [0, 1]
        assert log.read_bytes() == content[: ends[1]]
        warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
        assert len(warnings) == (end > ends[1])
    log.write_bytes(content)
    assert batches(directory) == [0, 1, 2]


def test_a_torn_write_is_told_with_its_place(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    directory = tmp_path / "db"
    ends = written(directory, range(2))
    log = directory / "log-1"
    log.write_bytes(log.read_bytes()[:-7])
    assert batches(directory) == [0]
    (warning,) = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    size = ends[1] - ends[0]
    assert warning == (
        f"{log}: cut off the last {size - 7} bytes, from byte {ends[0]} on: a record has {size - 39:,} of "
        f"{size - 32:,} bytes; that change was never answered"
    )


@pytest.mark.parametrize("at", [0, 5, 24, 40, 200])
def test_a_damaged_record_with_a_good_one_behind_it_is_refused(tmp_path: Path, at: int):
    directory = tmp_path / "db"
    ends = written(directory, range(3))
    log = directory / "log-1"
    content = bytearray(log.read_bytes())
    content[ends[0] + at] ^= 0xFF
    log.write_bytes(content)
    with pytest.raises(Status) as caught:
        Engine(directory, Options())
    assert caught.value.code is grpc.StatusCode.FAILED_PRECONDITION
    problems = {0: "it is no record", 5: "the checksum of a record does not fit"}
    assert str(caught.value) == (
        f"{log} is damaged at byte {ends[0]:,}: {problems.get(at, problems[5])}; "
        f"stop this plugin and run: python -m hector_faiss_database repair {directory}"
    )
    assert log.read_bytes() == content


@pytest.mark.parametrize("later", [False, True])
def test_of_records_that_share_a_sync_the_last_may_be_written_first(tmp_path: Path, later: bool):
    directory = tmp_path / "db"
    (end,) = written(directory, range(1))
    log = Log(directory / "log-1", 1, end)
    shared = [Record(Kind.UPSERT, 1, batch=batch(n), keys=np.arange(100 * n, 100 * n + 20)) for n in (1, 2)]
    log.append(shared)
    if later:
        log.append([Record(Kind.UPSERT, 1, batch=batch(3), keys=np.arange(300, 320))])
    log.close()
    content = bytearray(log.path.read_bytes())
    content[end : end + 40] = bytes(40)
    log.path.write_bytes(content)
    if later:  # then they were synced, and this is damage
        with pytest.raises(Status, match=f"log-1 is damaged at byte {end:,}: it is no record"):
            Engine(directory, Options())
    else:
        assert batches(directory) == [0]


async def test_a_full_disk_refuses_and_loses_nothing(directory: Path, serving):
    async with serving(directory) as process:
        await create(process.db)
        await upsert(process.db, {"before": 1})
        limits = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        size = (directory / "log-1").stat().st_size
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size + 10_000, limits[1]))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await upsert(process.db, {str(each): 2 for each in range(1000)})
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert caught.value.details() == (
            f"cannot write to {directory}: File too large; "
            "what was answered before is safe, free some space and repeat the call"
        )
        assert await listed(process.db) == {"before": 1}
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)
        await upsert(process.db, {"after": 3})
        assert await listed(process.db) == {"before": 1, "after": 3}
        await process.kill()
    async with serving(directory) as process:
        assert await listed(process.db) == {"before": 1, "after": 3}


def test_what_nobody_foresaw_is_told_to_who_waits_and_nothing_is_written_after_it(directory: Path, monkeypatch):
    written(directory, range(2))
    engine = Engine(directory, Options())
    collection = engine.collection("c")

    def failing(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(engine, "_record", failing)
        with pytest.raises(MemoryError):
            engine.put(collection, batch(2)).result(30)
    with pytest.raises(Status) as caught:
        engine.put(collection, batch(3)).result(30)
    assert str(caught.value) == (
        "a batch could not be stored: MemoryError; "
        "nothing more is written there: mend the disk and start this plugin again"
    )
    assert len(collection) == 40
    engine.close()
    assert batches(directory) == [0, 1]


def test_after_a_sync_that_failed_nothing_is_written_until_the_next_start(directory: Path, monkeypatch):
    written(directory, range(2))
    engine = Engine(directory, Options())
    collection = engine.collection("c")

    def failing(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("hector_faiss_database.log.os.fdatasync", failing)
        with pytest.raises(Status) as caught:
            engine.put(collection, batch(2)).result()
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert str(caught.value) == f"cannot write to {directory}: Input/output error; what was answered before is safe"
    with pytest.raises(Status) as caught:
        engine.put(collection, batch(3)).result()
    assert caught.value.code is grpc.StatusCode.FAILED_PRECONDITION
    assert str(caught.value) == (
        f"{directory}/log-1 could not be synced: Input/output error; "
        "nothing more is written there: mend the disk and start this plugin again"
    )
    assert len(collection) == 40
    engine.close()
    assert batches(directory) in ([0, 1], [0, 1, 2])  # the one that failed is whole or absent


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 3 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def fill(db, acknowledged: Contents) -> None:
    """Write until that is refused."""
    for number in range(1000):
        new = {f"{number}-{each}": float(number) for each in range(50)}
        await upsert(db, new)
        acknowledged |= new


async def test_on_a_full_file_system_everything_answered_is_kept_and_room_is_used_again(small_disk: Path, serving):
    directory, ballast = small_disk / "db", small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    acknowledged: Contents = {}
    async with serving(directory, SMALL_LOGS) as process:
        await create(process.db)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await fill(process.db, acknowledged)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert caught.value.details() == (
            f"cannot write to {directory}: No space left on device; "
            "what was answered before is safe, free some space and repeat the call"
        )
        assert await listed(process.db) == acknowledged
        await process.kill()
    ballast.unlink()
    async with serving(directory, SMALL_LOGS) as process:
        assert await listed(process.db) == acknowledged
        await upsert(process.db, {"after": 1.0})
        await process.kill()
    async with serving(directory) as process:
        assert await listed(process.db) == acknowledged | {"after": 1.0}


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


def test_a_manifest_that_is_none_is_refused_and_left_as_it_is(directory: Path):
    written(directory, range(1))
    file = directory / "manifest.json"
    file.write_bytes(b"no manifest")
    with pytest.raises(Status) as caught:
        Engine(directory, Options())
    assert str(caught.value) == (
        f"{file} is damaged at byte 0: it is no manifest; "
        f"stop this plugin and run: python -m hector_faiss_database repair {directory}"
    )
    assert file.read_bytes() == b"no manifest"
    file.unlink()
    with pytest.raises(Status, match="it is missing, and log-1 is there"):
        Engine(directory, Options())


def test_a_format_of_another_release_is_refused(directory: Path):
    written(directory, range(1))
    file = directory / "manifest.json"
    file.write_text(file.read_text().replace('"format": 1', '"format": 7'))
    with pytest.raises(Status) as caught:
        Engine(directory, Options())
    assert str(caught.value) == f"{file} has format 7, this release reads 1: use the release that wrote it"


def test_a_directory_that_cannot_be(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(Status) as caught:
        Engine(tmp_path / "file" / "db", Options())
    assert caught.value.code is grpc.StatusCode.FAILED_PRECONDITION
    assert str(caught.value) == f"cannot use {tmp_path}/file/db: Not a directory"


async def test_an_owner_that_leaves_in_a_moment_is_waited_for(directory: Path):
    first = Engine(directory, Options())
    second = asyncio.create_task(asyncio.to_thread(Engine, directory, Options()))
    assert await asyncio.wait([second], timeout=0.2) == (set(), {second})
    first.close()
    (await second).close()


def test_a_start_that_failed_gives_the_directory_back(directory: Path):
    written(directory, range(1))
    (directory / "manifest.json").write_bytes(b"no manifest")
    for _ in range(2):
        with pytest.raises(Status, match="it is no manifest"):
            Engine(directory, Options())
