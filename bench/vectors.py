"""Vectors through host and database beside FAISS in the process, which syncs a file after each batch.

All on the same disk, in turns. A round of upserts has a new collection, or a new index and file.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from bench.hosts import ROOT, hosting
from bench.sample import Comparison, take_turns
from bench.vector_flat import Flat
from bench.vector_rows import BATCH, DIMENSION, queries, rows
from hector.plugin.v1.database_pb2 import DeleteCollectionRequest
from hector.plugin.v1.database_pb2_grpc import DatabaseProviderStub
from hector_host.providers.call import Call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import numpy as np
    from numpy.typing import NDArray

    from bench.vector_rows import Rows
    from hector_host.providers.database import DatabaseProvider
    from hector_host.providers.packed import Row

VECTORS = 20_000
ASKED = 100
"""Questions whose answers are compared one by one."""
FOUND = 10
LIMITS = {1: 1 / 0.5, 4: 1 / 0.8}
"""By batches in flight, how many times as long an upsert may take at most."""


async def measure() -> AsyncIterator[Comparison]:
    document = {
        "plugins": {"database_providers": {"faiss": {"path": str(ROOT / "plugins/faiss-database")}}},
        "databases": {"faiss": {"type": "plugin:faiss"}},
    }
    stored = rows(0, VECTORS)
    async with hosting(document) as (manager, registry, _, _):
        bare = DatabaseProviderStub((await manager.ready("faiss")).channel)
        database = registry.database("faiss")
        for flying, limit in LIMITS.items():
            yield await upserts(database, bare, stored, flying, limit)
        await database.create_collection("stored", DIMENSION, Call())
        await in_flight(database, "stored", [batch.packed() for batch in stored.batches()], 4)
        async for comparison in searches(database, stored):
            yield comparison


async def upserts(
    database: DatabaseProvider, bare: DatabaseProviderStub, stored: Rows, flying: int, limit: float
) -> Comparison:
    """A sample is all vectors, in batches."""
    batches = stored.batches()
    packed = [batch.packed() for batch in batches]
    names = (f"upserts-{flying}-{number}" for number in itertools.count())

    async def ours() -> float:
        name = next(names)
        await database.create_collection(name, DIMENSION, Call())
        started = time.perf_counter()
        await in_flight(database, name, packed, flying)
        seconds = time.perf_counter() - started
        await bare.DeleteCollection(DeleteCollectionRequest(name=name), timeout=30)
        return seconds

    async def theirs() -> float:
        with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
            flat = Flat(Path(folder, "file"))
            started = time.perf_counter()
            for batch in batches:
                flat.upsert(batch)
            seconds = time.perf_counter() - started
            flat.close()
        return seconds

    taken = await take_turns(ours, theirs, rounds=15)
    return Comparison(
        f"upsert of {VECTORS:,} x {DIMENSION}, {flying} batches of {BATCH:,} in flight",
        "host and faiss-database",
        "FAISS in process and a file synced for each batch",
        *taken,
        limit=limit,
        note="with ids and metadata; an answer comes after the sync",
    )


async def searches(database: DatabaseProvider, stored: Rows) -> AsyncIterator[Comparison]:
    """Of what is stored, one after the other; a sample is one question."""
    vectors = queries(ASKED)
    with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
        flat = Flat(Path(folder, "file"))
        for batch in stored.batches():
            flat.upsert(batch)
    answers = [await found(database, vector) for vector in vectors]
    known = [{id_ for id_, _ in flat.search(vector, FOUND)} for vector in vectors]
    hits = sum(len(own & {one.id for one in answer}) for own, answer in zip(known, answers, strict=True))
    yield Comparison(
        f"the nearest {FOUND} of {VECTORS:,} that an exact search misses",
        "misses",
        "claimed, and one",
        [ASKED * FOUND - hits + 1],
        [1],
        limit=1.0,
        unit="",
        scale=1.0,
    )
    size = sum(one.ByteSize() for one in answers[0])
    async with bare_call(size) as call:
        asked = itertools.cycle(vectors)

        async def ours() -> float:
            vector = next(asked)
            started = time.perf_counter()
            await found(database, vector)
            return time.perf_counter() - started

        async def theirs() -> float:
            vector = next(asked)
            started = time.perf_counter()
            flat.search(vector, FOUND)
            await call(vector.tobytes() + bytes(40))
            return time.perf_counter() - started

        async def filtered() -> float:
            vector = next(asked)
            started = time.perf_counter()
            await found(database, vector, where={"tenth": 0})
            return time.perf_counter() - started

        yield Comparison(
            f"search in {VECTORS:,} x {DIMENSION}",
            "host and faiss-database",
            f"FAISS in process, and a bare call of {size:,} bytes",
            *await take_turns(ours, theirs, rounds=300, warm_up=20),
            limit=1.15,
        )
        yield Comparison(
            f"a filter that keeps a tenth of {VECTORS:,}",
            "with it",
            "without one",
            *await take_turns(filtered, ours, rounds=300, warm_up=20),
            limit=1.0,
        )


async def found(
    database: DatabaseProvider,
    vector: NDArray[np.float32],
    where: dict[str, int] | None = None,
    collection: str = "stored",
) -> Any:
    return await database.search(collection, vector.tobytes(), limit=FOUND, where=where, call=Call())


@contextlib.asynccontextmanager
async def bare_call(size: int) -> AsyncIterator[Callable[[bytes], Awaitable[bytes]]]:
    """A call that is answered at once with so many bytes, by a process that does nothing else."""
    with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
        address = f"unix:{folder}/s"
        command = [sys.executable, str(Path(__file__).parent / "bare_server.py"), address, str(size)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout
                process.stdout.readline()
                async with grpc.aio.insecure_channel(address) as channel:
                    yield channel.unary_unary("/bare/Call")
            finally:
                process.terminate()


async def in_flight(database: DatabaseProvider, name: str, batches: list[list[Row]], flying: int) -> None:
    """Store batches, so many at a time."""
    waiting = iter(batches)

    async def one() -> None:
        for batch in waiting:
            await database.upsert(name, batch, Call())

    await asyncio.gather(*(one() for _ in range(flying)))
