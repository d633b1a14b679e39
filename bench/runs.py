"""Whole runs with one tool call, journal on, beside LangGraph; and what a long session leaves on the disk."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.hosts import ECHO, REACT, SHELL, hosting
from bench.sample import Comparison, take_turns
from hector_host.runtime.runtime import RunRequest
from hector_host.runtime.sqlite import FILE

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the peer's own deprecations
    from bench import langgraph_agent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from hector_host.runtime.runtime import Runtime

AT_ONCE = 32
ROUNDS = 100
BATCH = 128
SESSION_RUNS = 100
SESSION_STEPS = 10
LINEAR = 2.1
"""Twice the runs take at most so many times the room."""


def document(steps: int, engine: str = "default") -> dict[str, Any]:
    """An agent whose model calls a tool so many times and then answers."""
    look = {"tool_calls": [{"tool": "list_files", "arguments": {"directory": "."}}]}
    echo = ECHO | {"config": {"replies": [look] * steps + ["I looked."]}}
    plugins: dict[str, Any] = {"llm_providers": {"echo": echo}, "tool_providers": {"shell": SHELL}}
    if engine != "default":
        plugins["reasoning_strategies"] = {"react": REACT}
    return {
        "plugins": plugins,
        "llms": {"script": {"type": "plugin:echo", "model": "script"}},
        "tools": {"shell": {"type": "plugin:shell"}},
        "agents": {"a": {"llm": "script", "reasoning": {"engine": engine, "max_iterations": 2 * steps + 2}}},
    }


async def ask(runtime: Runtime, session: str | None = None) -> float:
    """One run; the seconds of it that were spent inside plugins."""
    last = None
    async for event in runtime.run(RunRequest("a", "Look around.", session)):
        last = event
    assert last is not None
    if last.run_finished.answer != "I looked.":
        raise SystemExit(f"the run did not end as it should: {last}")
    return sum(step.seconds for step in last.run_finished.steps)


async def measure() -> AsyncIterator[Comparison]:
    with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
        async with (
            hosting(document(1)) as (_, _, runtime, _),
            langgraph_agent.agent(Path(folder, "peer.db")) as peer,
        ):
            yield await one_at_a_time(runtime, peer)
            yield await many_at_once(runtime, peer)
        peer_size = await peer_session(Path(folder))
    for engine in ("default", "plugin:react"):
        yield await session_size(engine, peer_size)


async def one_at_a_time(runtime: Runtime, peer: Callable[[str], Awaitable[None]]) -> Comparison:
    own: list[float] = []
    threads = iter(range(1_000_000))

    async def ours() -> float:
        started = time.perf_counter()
        inside = await ask(runtime)
        seconds = time.perf_counter() - started
        own.append(seconds - inside)
        return seconds

    async def theirs() -> float:
        started = time.perf_counter()
        await peer(f"thread-{next(threads)}")
        return time.perf_counter() - started

    taken = await take_turns(ours, theirs, rounds=ROUNDS, warm_up=5)
    note = (
        f"host's own share {statistics.median(own) * 1000:.1f} ms;"
        f" {1 / statistics.mean(taken[0]):.0f} and {1 / statistics.mean(taken[1]):.0f} runs/s"
    )
    return Comparison("a run with one tool call", "hector", "LangGraph", *taken, limit=1.0, note=note)


async def many_at_once(runtime: Runtime, peer: Callable[[str], Awaitable[None]]) -> Comparison:
    threads = iter(range(1_000_000, 2_000_000))

    async def batch(one: Callable[[], Awaitable[Any]]) -> float:
        gate = asyncio.Semaphore(AT_ONCE)

        async def gated() -> None:
            async with gate:
                await one()

        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(BATCH):
                group.create_task(gated())
        return (time.perf_counter() - started) / BATCH

    taken = await take_turns(
        lambda: batch(lambda: ask(runtime)),
        lambda: batch(lambda: peer(f"thread-{next(threads)}")),
        rounds=6,
        warm_up=1,
    )
    note = f"{1 / statistics.median(taken[0]):.0f} and {1 / statistics.median(taken[1]):.0f} runs/s"
    return Comparison(f"runs, {AT_ONCE} at once, time per run", "hector", "LangGraph", *taken, limit=0.5, note=note)


async def peer_session(folder: Path) -> tuple[float, float]:
    """MB that the peer's file has after half and after all runs of one thread."""
    file = folder / "session.db"
    async with langgraph_agent.agent(file, SESSION_STEPS) as peer:
        return await halves(lambda: peer("one"), file)


async def session_size(engine: str, peer: tuple[float, float]) -> Comparison:
    """MB of the journal after the runs of one session; twice the runs take about twice the room."""
    async with hosting(document(SESSION_STEPS, engine)) as (_, _, runtime, storage):
        half, whole = await halves(lambda: ask(runtime, "one"), storage / FILE)
    growth = whole / half
    note = (
        f"{whole:.1f} MB and {peer[1]:.0f} MB after {SESSION_RUNS} runs of {SESSION_STEPS} steps in one session;"
        f" after all of them {growth:.2f} times what it was after half, the peer's {peer[1] / peer[0]:.2f} times"
    )
    if growth > LINEAR:
        raise SystemExit(f"the journal of {engine} does not grow linearly: {note}")
    return Comparison(
        f"journal of a session, {engine}", "hector", "LangGraph", [whole], [peer[1]], 1.0, unit="MB", scale=1, note=note
    )


async def halves(one: Callable[[], Awaitable[Any]], file: Path) -> tuple[float, float]:
    """MB of a database after half and after all of the runs."""
    sizes = []
    for _ in range(2):
        for _ in range(SESSION_RUNS // 2):
            await one()
        sizes.append(on_disk(file))
    return sizes[0], sizes[1]


def on_disk(file: Path) -> float:
    """MB of a database whose log has been moved into it."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size / 1e6
