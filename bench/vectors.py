"""Vectors through host and database beside FAISS in the process, which syncs a file after each batch.

All on the same disk, in turns. A round of upserts has a new collection, or a new index and file.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.hosts import ROOT, hosting
from bench.sample import Comparison, take_turns
from bench.vector_flat import Flat
from bench.vector_rows import BATCH, DIMENSION, rows
from hector.plugin.v1.database_pb2 import DeleteCollectionRequest
from hector.plugin.v1.database_pb2_grpc import DatabaseProviderStub
from hector_host.providers.call import Call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.vector_rows import Rows
    from hector_host.providers.database import DatabaseProvider
    from hector_host.providers.packed import Row

VECTORS = 20_000
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


async def in_flight(database: DatabaseProvider, name: str, batches: list[list[Row]], flying: int) -> None:
    """Store batches, so many at a time."""
    waiting = iter(batches)

    async def one() -> None:
        for batch in waiting:
            await database.upsert(name, batch, Call())

    await asyncio.gather(*(one() for _ in range(flying)))
