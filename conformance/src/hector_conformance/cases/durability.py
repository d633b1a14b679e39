"""What every vector database promises under load and after its end: nothing is lost, mixed up or half done."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from grpc.aio import AioRpcError

from hector.plugin.v1.database_pb2 import (
    SearchVectorsRequest,
    UpsertVectorsRequest,
    Vector,
)
from hector_conformance.answers import bare, beyond_bare
from hector_conformance.case import RESTART, Failed, NotOffered, case
from hector_conformance.vectors import PATIENCE, Collection, collection, fresh_name, point
from hector_host.config import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from hector_conformance.subject import Subject

SIZE = 8 << 20
"""Bytes of vectors that a host puts into one request at most."""
ROUNDS = 3
"""Kills in the course of writing."""
DELAYS = (0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2)
"""Seconds after which a call is cancelled, so that it is met in whatever it does."""


def _many(count: int, dimension: int, prefix: str = "v") -> list[Vector]:
    chance = random.Random(f"{prefix}{count}")  # noqa: S311  the same vectors each time
    return [point(f"{prefix}{n}", *(chance.uniform(-1, 1) for _ in range(dimension)), n=n) for n in range(count)]


async def _ids(made: Collection, dimension: int) -> set[str]:
    return {result.id for result in await made.search(*[1.0] * dimension, limit=1_000_000)}


def _complete(found: Iterable[str], wanted: Iterable[str], what: str) -> None:
    found, wanted = set(found), set(wanted)
    if missing := wanted - found:
        raise Failed(f"{what}: {len(missing)} of {len(wanted)} vectors are missing, as {min(missing)!r}")
    if strange := found - wanted:
        raise Failed(f"{what}: {len(strange)} vectors should not be there, as {min(strange)[:100]!r}")


@case(Kind.DATABASE, "huge input")
async def a_batch_of_8_mib_is_stored_whole(subject: Subject) -> None:
    """A batch of the 8 MiB that hosts send at most is stored whole."""
    dimension = 1024
    vectors: list[Vector] = []
    left = SIZE
    for vector in _many(SIZE // (4 * dimension), dimension):
        left -= vector.ByteSize()
        if left < 0:
            break
        vectors.append(vector)
    async with (
        beyond_bare(subject, "messages over 4 MiB"),
        subject.running() as instance,
        collection(instance, dimension) as made,
    ):
        await made.upsert(*vectors)
        _complete(await _ids(made, dimension), (each.id for each in vectors), f"a batch of {len(vectors)} vectors")
        last = vectors[-1]
        found = [(each.id, each.metadata) for each in await made.search(*last.vector, limit=1)]
        if found[:1] != [(last.id, last.metadata)]:
            names = [name for name, _ in found[:1]]
            raise Failed(f"a search for the last vector of a batch: should find {[last.id]}, found {names}")


@case(Kind.DATABASE, "concurrency")
async def parallel_upserts_lose_nothing(subject: Subject) -> None:
    """Upserts to one collection at the same time lose nothing."""
    batches = [_many(20, 8, f"{number}-") for number in range(24)]
    async with subject.running() as instance, collection(instance, 8) as made:
        await asyncio.gather(*(made.upsert(*batch) for batch in batches))
        wanted = [each.id for batch in batches for each in batch]
        _complete(await _ids(made, 8), wanted, f"after {len(batches)} upserts at the same time")


@case(Kind.DATABASE, "concurrency")
async def parallel_collections_do_not_mix(subject: Subject) -> None:
    """Upserts to several collections at the same time stay apart, and so do searches."""
    async with subject.running() as instance:
        made = [Collection(instance.stubs.database, fresh_name()) for _ in range(8)]
        await asyncio.gather(*(each.create() for each in made))
        try:
            for turn in range(3):
                await asyncio.gather(
                    *(each.upsert(point(f"{number}-{turn}", 1, number)) for number, each in enumerate(made))
                )
            found = await asyncio.gather(*(each.ids(1, 0) for each in made))
            for number, ids in enumerate(found):
                _complete(ids, [f"{number}-{turn}" for turn in range(3)], f"collection {number} of {len(made)}")
        finally:
            for each in made:
                with suppress(Failed, NotOffered):
                    await each.drop()


@case(Kind.DATABASE, "cancellation")
async def cancelled_upserts_leave_it_whole(subject: Subject) -> None:
    """Upserts that are cancelled on their way harm no other call: those succeed, and soon."""
    async with subject.running() as instance, collection(instance, 64) as made:
        request = UpsertVectorsRequest(collection=made.name, vectors=_many(600, 64))
        for delay in DELAYS:
            call = made.stub.UpsertVectors(request)
            await asyncio.sleep(delay)
            call.cancel()
        await made.upsert(point("after", *[100.0] * 64), within=PATIENCE)
        found = await made.ids(*[1.0] * 64, limit=1, within=PATIENCE)
        if found[:1] != ["after"]:
            raise Failed(f"a search after cancelled upserts: should find 'after' first, found {found[:1]}")


@case(Kind.DATABASE, "deadlines")
async def late_searches_leave_it_whole(subject: Subject) -> None:
    """Searches whose deadline passes harm no other call: those succeed, and soon."""
    async with subject.running() as instance, collection(instance, 64) as made:
        await made.upsert(*_many(500, 64))
        request = SearchVectorsRequest(collection=made.name, vector=[1.0] * 64, limit=500)
        calls = [made.stub.SearchVectors(request, timeout=delay) for delay in DELAYS for _ in range(8)]
        await asyncio.gather(*calls, return_exceptions=True)
        await made.upsert(point("after", *[100.0] * 64), within=PATIENCE)
        found = await made.ids(*[1.0] * 64, limit=1, within=PATIENCE)
        if found[:1] != ["after"]:
            raise Failed(f"a search after late searches: should find 'after' first, found {found[:1]}")


async def _alone(subject: Subject) -> Path:
    """The data directory of a case that ends processes; the shared process of a bare server leaves it its port."""
    if await bare(subject):
        await subject.rest()
    return subject.folder()


@asynccontextmanager
async def _killed(subject: Subject, data: Path, name: str) -> AsyncIterator[Collection]:
    """A collection as it is in a new process, after the one that had it was killed."""
    async with subject.running(data=data) as instance:
        made = Collection(instance.stubs.database, name)
        if await bare(subject):
            try:
                await made.search(1, 0)
            except Failed:
                raise NotOffered("a bare server that keeps nothing beyond its process") from None
        yield made


@case(Kind.DATABASE, "durability", requires=(RESTART,))
async def answered_upserts_survive_a_kill(subject: Subject) -> None:
    """Vectors whose upsert was answered are there, whole, after the process was killed and started again."""
    data, vectors = await _alone(subject), [point("a", 1, 0, text="x" * 1000), point("b", 0, 1), point("c", -1, 0)]
    async with subject.running(data=data) as instance:
        made = Collection(instance.stubs.database, fresh_name())
        await made.create()
        await made.upsert(*vectors)
        before = [(each.id, each.metadata) for each in await made.search(1, 0.1)]
        instance.kill()
    async with _killed(subject, data, made.name) as again:
        _complete(await again.ids(1, 0.1), "abc", "after a kill, of what was answered")
        after = [(each.id, each.metadata) for each in await again.search(1, 0.1)]
        if after != before:
            raise Failed(
                f"after a kill, results: should be {[name for name, _ in before]} and their metadata as before"
            )


@case(Kind.DATABASE, "durability", requires=(RESTART,))
async def answered_changes_survive_a_kill(subject: Subject) -> None:
    """An overwritten vector keeps its newest floats and metadata after a kill."""
    data = await _alone(subject)
    async with subject.running(data=data) as instance:
        made = Collection(instance.stubs.database, fresh_name())
        await made.create()
        await made.upsert(point("a", 1, 0, turn=1), point("b", 1, 0.5, turn=1))
        await made.upsert(point("a", 0, 1, turn=2))
        instance.kill()
    async with _killed(subject, data, made.name) as again:
        found = [(each.id, dict(each.metadata)) for each in await again.search(0, 1)]
        if found != [("a", {"turn": 2}), ("b", {"turn": 1})]:
            raise Failed(f"after a kill, what was overwritten: should be a in turn 2 and then b, was {found}")


@case(Kind.DATABASE, "durability", requires=(RESTART, "DeleteVectors", "DeleteCollection"))
async def answered_deletions_survive_a_kill(subject: Subject) -> None:
    """Deleted vectors and collections stay deleted after a kill."""
    data = await _alone(subject)
    async with subject.running(data=data) as instance:
        made, gone = (Collection(instance.stubs.database, fresh_name()) for _ in range(2))
        for each in (made, gone):
            await each.create()
            await each.upsert(point("a", 1, 0), point("b", 0, 1))
        await made.delete("a")
        await gone.drop()
        instance.kill()
    async with _killed(subject, data, made.name) as again:
        _complete(await again.ids(1, 0), ["b"], "after a kill, where a was deleted and b was not")
        once = Collection(again.stub, gone.name)
        await once.create()
        await once.upsert(point("new", 1, 0))
        _complete(
            await once.ids(1, 0), ["new"], "after a kill, a collection that was deleted, made again and given one"
        )


@case(Kind.DATABASE, "durability", requires=(RESTART,))
async def kills_while_writing_lose_nothing_answered(subject: Subject) -> None:
    """Killed again and again while it writes, it loses nothing that it has answered, and stays usable."""
    data, name, answered = await _alone(subject), fresh_name(), set[str]()
    async with subject.running(data=data) as instance:
        await Collection(instance.stubs.database, name).create()
        answered |= await _written_until_killed(Collection(instance.stubs.database, name), instance.kill, "0")
    for number in range(1, ROUNDS):
        async with subject.running(data=data) as instance:
            made = Collection(instance.stubs.database, name)
            await _nothing_lost(subject, made, answered)
            answered |= await _written_until_killed(made, instance.kill, str(number))
    async with _killed(subject, data, name) as again:
        await _nothing_lost(subject, again, answered)


async def _nothing_lost(subject: Subject, made: Collection, answered: set[str]) -> None:
    try:
        found = set(await made.ids(1, 0, limit=1_000_000))
    except Failed:
        if await bare(subject):
            raise NotOffered("a bare server that keeps nothing beyond its process") from None
        raise
    if missing := answered - found:
        raise Failed(f"killed while it wrote: {len(missing)} of {len(answered)} answered vectors are missing")


async def _written_until_killed(made: Collection, kill: object, prefix: str) -> set[str]:
    """Writes from four callers, and kills once forty batches are answered; the ids of all that was answered."""
    answered: set[str] = set()

    async def write(caller: int) -> None:
        with suppress(AioRpcError):
            for turn in range(10_000):
                names = [f"{prefix}-{caller}-{turn}-{number}" for number in range(5)]
                vectors = [point(name, 1, turn) for name in names]
                response = await made.stub.UpsertVectors(UpsertVectorsRequest(collection=made.name, vectors=vectors))
                if not response.success:
                    raise Failed("UpsertVectors: should succeed, answered success = false")
                answered.update(names)
                if len(answered) >= 200:
                    kill()  # type: ignore[operator]

    await asyncio.gather(*map(write, range(4)))
    return answered


@case(Kind.DATABASE, "restart", requires=(RESTART,))
async def a_stopped_one_goes_on_where_it_was(subject: Subject) -> None:
    """Stopped and started again, it has what it had, and goes on."""
    data = await _alone(subject)
    async with subject.running(data=data) as instance:
        made = Collection(instance.stubs.database, fresh_name())
        await made.create()
        await made.upsert(point("a", 1, 0))
    async with _killed(subject, data, made.name) as again:
        await again.upsert(point("b", 0, 1))
        _complete(await again.ids(1, 0), "ab", "after a stop and a start")


@case(Kind.DATABASE, "statelessness", requires=(RESTART,))
async def replicas_share_what_they_keep(subject: Subject) -> None:
    """Two processes over one data directory, whose calls alternate, are one database."""
    async with subject.running():
        if subject.exclusive:
            raise NotOffered("it owns its data directory")
        if await bare(subject):
            raise NotOffered("a bare server has its port for itself")
    data = subject.folder()
    async with subject.running(data=data) as one, subject.running(data=data) as other:
        here = Collection(one.stubs.database, fresh_name())
        there = Collection(other.stubs.database, here.name)
        await here.create()
        await there.upsert(point("a", 1, 0), point("b", 0, 1))
        await here.upsert(point("a", 0, 1))
        _complete(await there.ids(1, 0), "ab", "what one replica finds of what the other stored")
        await there.delete("b")
        _complete(await here.ids(1, 0), "a", "what one replica finds of what the other deleted")
