"""The whole process `hector call` with one light plugin, against a script that starts and calls the same plugin."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.hosts import ECHO, written
from bench.sample import Comparison, take_turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SCRIPT = Path(__file__).parent / "script.py"
HECTOR = Path(sys.executable).with_name("hector")
ANSWER = b"Hello\n"
ROUNDS = 25


async def measure() -> AsyncIterator[Comparison]:
    document = {
        "plugins": {"llm_providers": {"echo": ECHO}},
        "llms": {"echo": {"type": "plugin:echo"}},
        "agents": {"a": {"llm": "echo"}},
    }
    with written(document) as file:

        async def ours() -> float:
            return run(HECTOR, "call", "a", "Hello", "--config", file)

        async def theirs() -> float:
            return run(sys.executable, SCRIPT)

        taken = await take_turns(ours, theirs, rounds=ROUNDS)
    yield Comparison("the process `hector call`", "hector call", "20-line script", *taken, limit=2.5)


def run(*command: str | Path) -> float:
    """Seconds of a process that prints the answer."""
    started = time.perf_counter()
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - started
    if process.stdout != ANSWER:
        raise SystemExit(f"{command[0]} printed {process.stdout!r}, not {ANSWER!r}")
    return seconds
