"""Plugin processes as a host starts them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from hector_sdk.testing import Stubs

PROGRAMS = Path(__file__).parent / "programs"
DEADLINE = 20.0


class Process:
    """A program, launched with the cookie."""

    def __init__(self, program: str, sockets: Path | None, environ: dict[str, str], arguments: tuple[str, ...]) -> None:
        base = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
        launched = {"HECTOR_PLUGIN": "hector_plugin_v1", "PLUGIN_PROTOCOL_VERSIONS": "1", "HECTOR_PLUGIN_CONFIG": "{}"}
        if sockets:
            launched["PLUGIN_UNIX_SOCKET_DIR"] = str(sockets)
        chosen = {**base, **launched, **environ}
        self.popen = subprocess.Popen(
            [sys.executable, str(PROGRAMS / program), *arguments],
            env={key: value for key, value in chosen.items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.channel: grpc.aio.Channel | None = None

    def line(self) -> str:
        assert self.popen.stdout
        return self.popen.stdout.readline()

    async def connect(self) -> Stubs:
        fields = self.line().rstrip("\n").split("|")
        assert fields[:3] == ["1", "1", "unix"], fields
        self.channel = grpc.aio.insecure_channel(f"unix:{fields[3]}")
        await asyncio.wait_for(self.channel.channel_ready(), DEADLINE)
        return Stubs(self.channel)

    def kill(self) -> None:
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait(DEADLINE)

    def ended(self) -> tuple[int, str, str]:
        """Exit code, the rest of stdout, stderr."""
        out, err = self.popen.communicate(timeout=DEADLINE)
        return self.popen.returncode, out, err


Launch = Callable[..., Process]


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A short private directory: pytest's own are too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="hs") as folder:
        yield Path(folder)


@pytest_asyncio.fixture
async def launch(sockets: Path) -> AsyncIterator[Launch]:
    processes: list[Process] = []

    def start(program: str, *arguments: str, socket_dir: Path | None = sockets, **environ: str) -> Process:
        processes.append(Process(program, socket_dir, environ, arguments))
        return processes[-1]

    yield start
    for process in processes:
        if process.channel:
            await process.channel.close()
        if process.popen.poll() is None:
            process.kill()
        process.popen.communicate()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Poll until something holds."""

    async def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not holds():
            assert time.monotonic() < deadline, "it never happened"
            await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def logged() -> Callable[[str], list[dict[str, str]]]:
    """The JSON lines of a log."""

    def read(text: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    return read
