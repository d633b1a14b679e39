"""Indexing 2,000 files: whether the embedder, by far the slowest part, is kept busy, and what a second run costs.

Beside it the library embeds the same chunks in a process of its own, all in one call, sorted by length. Whether the
embedder works is asked of the system: a moment in which its process used half a core or more is one of work.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.embedding import library
from bench.evaluation.corpora import django
from bench.sample import Comparison
from bench.starts import cpu
from bench.stores import opened
from hector_host.documents.index import index
from hector_host.providers.call import Call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from hector_host.documents.store import Store

FILES = 2_000
BATCH = 32
"""Texts that the library computes together: its own default."""
MOMENT = 0.1
BUSY = 0.85
UNCHANGED = 0.03


async def measure() -> AsyncIterator[Comparison]:
    with django() as sources, smallest(sources) as folder:
        async with opened({"sources": {"path": str(folder), "include": ["*"]}}) as host:
            (store,) = host.stores.values()
            await store.embedder.embed(["warm"], call=Call())
            moments = asyncio.create_task(watched(host.embedder))
            first = await index(store, Call())
            moments.cancel()
            busy = await moments
            again = [(await index(store, Call())).seconds for _ in range(3)]
        texts = chunks(store)
        with library() as encode:
            encode(BATCH, texts[:BATCH])
            alone = encode(BATCH, texts)
    size = f"{first.files} files, {first.chunks} chunks"
    yield Comparison(
        "moments of a first run in which the embedder does not work",
        "moments",
        "claimed",
        [1 - busy],
        [1 - BUSY],
        limit=1.0,
        unit="of all",
        scale=1.0,
        note=f"{size}, the smallest of Django's sources: {first.chunks / first.seconds:.0f} chunks/s",
    )
    yield Comparison(
        "a first run beside the embedder alone",
        "index",
        f"the library in process, {len(texts)} chunks",
        [first.seconds],
        [alone],
        limit=None,
        unit="s",
        scale=1.0,
    )
    yield Comparison(
        "a second run, nothing having changed", "unchanged", "first", again, [first.seconds], UNCHANGED, "s", 1.0
    )


async def watched(process: int) -> float:
    """Until it is cancelled: the share of moments in which a process used half a core or more."""
    busy = total = 0
    used = cpu(process)
    started = time.perf_counter()
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(MOMENT)
            now, before = time.perf_counter(), used
            used = cpu(process)
            busy += used - before >= (now - started) / 2
            total += 1
            started = now
    return busy / total


@contextlib.contextmanager
def smallest(sources: Path) -> Iterator[Path]:
    """A folder with copies of the smallest Python and text files that are not empty."""
    found = [path for kind in ("*.py", "*.txt") for path in sources.rglob(kind) if path.stat().st_size]
    with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
        for path in sorted(found, key=lambda path: (path.stat().st_size, path))[:FILES]:
            copy = Path(folder, path.relative_to(sources))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        yield Path(folder)


def chunks(store: Store) -> list[str]:
    """The chunks of a store that was indexed, as the keyword index keeps them."""
    with contextlib.closing(sqlite3.connect(store.ledger)) as connection:
        (number,) = connection.execute("SELECT number FROM keywords").fetchone()
        kept = [json.loads(row) for (row,) in connection.execute(f"SELECT metadata FROM passage_{number}")]  # noqa: S608 - a number
    return [one["text"] for one in kept]
