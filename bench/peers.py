"""Other vector databases at the same work: 20,000 vectors in batches, and the nearest ten of each question.

They are installed into an environment of their own, and run in processes of their own, on the same disk, in turns. Only
those are claimed to be behind on upsert that sync before they answer, which strace tells where it is installed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.hosts import ROOT, hosting
from bench.sample import Comparison, take_turns
from bench.vector_rows import BATCH, DIMENSION, queries, rows
from bench.vectors import FOUND, VECTORS, found, in_flight
from hector_host.providers.call import Call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from bench.vector_rows import Rows
    from hector_host.providers.database import DatabaseProvider

PEERS = ("lancedb", "pgvector", "chroma", "milvus-lite")
REQUIREMENTS = Path(__file__).parent / "peers.txt"
ASKED = 50
ROUNDS = 4
SYNCS = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(?:fsync|fdatasync|msync|sync_file_range)\(")


async def measure() -> AsyncIterator[Comparison]:
    stored, asked = rows(0, VECTORS), queries(ASKED)
    nearest = [set(np.argsort(-scores)[:FOUND].tolist()) for scores in asked @ stored.vectors.T]
    document = {
        "plugins": {"database_providers": {"faiss": {"path": str(ROOT / "plugins/faiss-database")}}},
        "databases": {"faiss": {"type": "plugin:faiss"}},
    }
    with environment() as python:
        async with hosting(document) as (manager, registry, _, _):
            await manager.ready("faiss")
            database = registry.database("faiss")
            for peer in PEERS:
                try:
                    async for comparison in compared(peer, python, database, stored, asked, nearest):
                        yield comparison
                except (OSError, ValueError) as error:
                    print(f"{peer}: does not run here: {error}", file=sys.stderr)


async def compared(  # noqa: PLR0913, PLR0917 - what all of them are measured with
    peer: str, python: Path, database: DatabaseProvider, stored: Rows, asked: np.ndarray, nearest: list[set[int]]
) -> AsyncIterator[Comparison]:
    """One peer beside ours."""
    batches = [batch.packed() for batch in stored.batches()]
    names = (f"{peer}-{number}" for number in itertools.count())
    syncs = synced(peer, python, stored, asked)
    with running(peer, python, stored, asked) as ask:
        last = ""

        async def ours() -> float:
            nonlocal last
            last = next(names)
            await database.create_collection(last, DIMENSION, Call())
            started = time.perf_counter()
            await in_flight(database, last, batches, 1)
            return time.perf_counter() - started

        async def theirs() -> float:
            return float(await asyncio.to_thread(ask, "upsert"))

        taken = await take_turns(ours, theirs, rounds=ROUNDS, warm_up=1)
        told = "strace is not installed" if syncs is None else f"{syncs:.1f} syncs of the disk a batch"
        yield Comparison(
            f"upsert of {VECTORS:,} x {DIMENSION} in batches of {BATCH:,}, beside {peer}",
            "host and faiss-database",
            peer,
            *taken,
            limit=1.0 if syncs and syncs >= 1 else None,
            note=f"{peer}: {told}; {VECTORS / statistics.median(taken[1]):,.0f} vectors/s beside "
            f"{VECTORS / statistics.median(taken[0]):,.0f}",
        )
        numbers = {id_: number for number, id_ in enumerate(stored.ids)}
        our_times: list[float] = []
        their_times: list[float] = []
        hits = 0
        for _ in range(ROUNDS):
            for vector in asked:
                started = time.perf_counter()
                await found(database, vector, collection=last)
                our_times.append(time.perf_counter() - started)
            answers = await asyncio.to_thread(ask, "search")
            their_times += [seconds for seconds, _ in answers]
            hits = sum(
                len(known & {numbers[id_] for id_ in ids}) for known, (_, ids) in zip(nearest, answers, strict=True)
            )
        recall = hits / (ASKED * FOUND)
        yield Comparison(
            f"search in {VECTORS:,} x {DIMENSION}, beside {peer}",
            "host and faiss-database",
            peer,
            our_times,
            their_times,
            limit=1.0,
            note=f"{peer} finds {recall:.1%} of the nearest {FOUND}, faiss-database all",
        )


@contextlib.contextmanager
def environment() -> Iterator[Path]:
    """A Python with the other databases, as `peers.txt` pins them."""
    with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        python = Path(folder, "bin/python")
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python]
        subprocess.run([*install, "--requirement", REQUIREMENTS], check=True)
        yield python


@contextlib.contextmanager
def running(
    peer: str, python: Path, stored: Rows, asked: np.ndarray, trace: Path | None = None
) -> Iterator[Callable[[str], Any]]:
    """Asks a peer's process for a round."""
    with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
        np.save(Path(folder, "vectors.npy"), stored.vectors)
        np.save(Path(folder, "queries.npy"), asked)
        Path(folder, "rows.json").write_text(json.dumps([stored.ids, stored.metadata]), encoding="utf-8")
        command = [str(python), str(Path(__file__).parent / "peer_database.py"), peer, folder]
        if trace:
            kinds = "fsync,fdatasync,msync,sync_file_range"
            command = ["strace", "--follow-forks", f"--trace={kinds}", f"--output={trace}", *command]
        log = Path(folder, "log")
        with (
            log.open("w", encoding="utf-8") as errors,
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            ) as process,
        ):

            def ask(what: str) -> Any:
                assert process.stdin
                assert process.stdout
                if what:
                    print(what, file=process.stdin, flush=True)
                line = process.stdout.readline()
                if not line:
                    raise OSError(log.read_text(encoding="utf-8")[-500:])
                return json.loads(line)

            try:
                ask("")
                yield ask
            finally:
                assert process.stdin
                process.stdin.close()
                process.wait(60)


def synced(peer: str, python: Path, stored: Rows, asked: np.ndarray) -> float | None:
    """How often a peer has the disk written to for each batch. None: nobody can watch it."""
    if shutil.which("strace") is None:
        return None
    with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
        trace = Path(folder, "trace")
        with running(peer, python, stored, asked, trace) as ask:
            before = count(trace)
            ask("upsert")
            return (count(trace) - before) / len(stored.batches())


def count(trace: Path) -> int:
    return sum(bool(SYNCS.match(line)) for line in trace.read_text(encoding="utf-8").splitlines())
