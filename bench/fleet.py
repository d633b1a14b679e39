"""What a hundred idle plugins cost their host: its memory and its processor time, and those of its warden."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import psutil

from bench.hosts import ECHO_GO, hosting
from bench.sample import Comparison

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COUNT = 100
SECONDS = 20.0


async def measure() -> AsyncIterator[Comparison]:
    async with hosting({"plugins": {"llm_providers": fleet(1)}}):
        one = memory()
    async with hosting({"plugins": {"llm_providers": fleet(COUNT + 1)}}):
        grown = (memory() - one) / COUNT
        await asyncio.sleep(2)
        used = await idle()
    yield Comparison(
        f"memory of the host for each of {COUNT} plugins",
        "memory",
        "promised",
        [grown],
        [1 << 20],
        limit=1.0,
        unit="MB",
        scale=1 / (1 << 20),
    )
    yield Comparison(
        f"processor time of the host with {COUNT} idle plugins",
        "of one core",
        "promised",
        [used],
        [0.02],
        limit=1.0,
        unit="%",
        scale=100,
    )


def fleet(count: int) -> dict[str, object]:
    return {f"p{number}": ECHO_GO for number in range(count)}


def own() -> list[psutil.Process]:
    """This process and its warden."""
    me = psutil.Process()
    return [me, *(child for child in me.children() if "hector-warden" in child.cmdline())]


def memory() -> float:
    """Bytes resident."""
    return float(sum(process.memory_info().rss for process in own()))


async def idle() -> float:
    """Seconds of processor time for each second."""
    before, started = spent(), time.perf_counter()
    await asyncio.sleep(SECONDS)
    return (spent() - before) / (time.perf_counter() - started)


def spent() -> float:
    times = [process.cpu_times() for process in own()]
    return sum(each.user + each.system for each in times)
