"""What it costs to start plugins: alone, together, and against the least that a process in the same language needs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.hosts import ECHO, ECHO_GO, REACT, ROOT, SHELL, written
from bench.sample import Comparison, take_turns
from hector_host.config import load
from hector_host.manager import Manager

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIGHT = {"echo": ECHO, "echo_go": ECHO_GO, "shell": SHELL, "react": REACT}
ROUNDS = 15


async def measure() -> AsyncIterator[Comparison]:
    yield await together()
    yield await handshake(
        "handshake of a Python plugin",
        [sys.executable, "-m", "hector_echo_llm"],
        'python -c "import grpc"',
        [sys.executable, "-c", "import grpc"],
        limit=1.7,
    )
    with tempfile.TemporaryDirectory() as folder:
        minimal = Path(folder, "minimal")
        build = ["go", "build", "-C", str(ROOT / "bench/minimal-go"), "-o", str(minimal), "."]
        subprocess.run(build, check=True, env=os.environ | {"GOWORK": "off"})
        yield await handshake(
            "handshake of the Go twin",
            [str(ROOT / "plugins/echo-llm-go/echo-llm-go")],
            "minimal Go server",
            [str(minimal)],
            limit=1.5,
        )


async def start(plugins: dict[str, Any]) -> tuple[float, float]:
    """Seconds from the start of these plugins until all take calls, and the CPU seconds that they used for it."""
    with written({"plugins": plugins}) as file:
        config = load(file)
        async with Manager(config) as manager:
            started = time.perf_counter()
            manager.start(config.plugins)
            ready = [await manager.ready(name) for name in config.plugins]
            seconds = time.perf_counter() - started
            return seconds, sum(cpu(plugin.pid) for plugin in ready)


def cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    import psutil

    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


async def together() -> Comparison:
    """All light plugins at once, against the larger of the slowest alone and their CPU seconds over the cores."""

    async def ours() -> float:
        return (await start(LIGHT))[0]

    async def floor() -> float:
        alone = [await start({name: plugin}) for name, plugin in LIGHT.items()]
        cores = len(os.sched_getaffinity(0))
        return max(max(seconds for seconds, _ in alone), sum(used for _, used in alone) / cores)

    taken = await take_turns(ours, floor, rounds=ROUNDS)
    return Comparison(
        f"{len(LIGHT)} light plugins together", "together", "slowest alone, or CPU / cores", *taken, limit=1.3
    )


async def handshake(claim: str, plugin: list[str], floor_name: str, floor: list[str], limit: float) -> Comparison:
    """From the spawn of a process to the first line that it prints, or to its end where it prints none."""

    async def ours() -> float:
        with tempfile.TemporaryDirectory(prefix="hb") as folder:
            return first_line(plugin, folder)

    async def theirs() -> float:
        with tempfile.TemporaryDirectory(prefix="hb") as folder:
            return first_line(floor, folder)

    taken = await take_turns(ours, theirs, rounds=ROUNDS * 2)
    return Comparison(claim, "plugin", floor_name, *taken, limit=limit)


def first_line(command: list[str], folder: str) -> float:
    """Seconds until a process has printed its first line, or has ended."""
    env = {
        "PATH": os.environ["PATH"],
        "HECTOR_PLUGIN": "hector_plugin_v1",
        "PLUGIN_PROTOCOL_VERSIONS": "1",
        "PLUGIN_UNIX_SOCKET_DIR": folder,
        "HECTOR_PLUGIN_CONFIG": "{}",
    }
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - started
        process.terminate()
    return seconds
