"""The plugin as a process of its own, for tests that kill it: forked from one that has imported it (warm.py)."""

import asyncio
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hector.plugin.v1.database_pb2_grpc import DatabaseProviderStub

STARTED_WITHIN = 30  # seconds
AGAIN = [(f"grpc.{which}_reconnect_backoff_ms", 20) for which in ("initial", "min", "max")]
"""Milliseconds; gRPC's own second is what a start would take."""


class Process:
    """One running plugin; `kill` is SIGKILL."""

    def __init__(self, pid: int, channel: grpc.aio.Channel, warm: subprocess.Popen[str]) -> None:
        self._warm = warm
        self._ended = False
        self.pid = pid
        self.db = DatabaseProviderStub(channel)

    async def kill(self) -> None:
        if not self._ended:
            self._ended = True
            os.kill(self.pid, signal.SIGKILL)
            assert await asyncio.to_thread(_line, self._warm) == "ended"


def _arguments(directory: Path, address: str) -> list[str]:
    return ["--listen", address, "--config", json.dumps({"directory": str(directory)})]


@pytest.fixture(scope="session")
def command():
    """The command line that serves a directory at an address."""
    return lambda directory, address: [sys.executable, "-m", "hector_faiss_database", *_arguments(directory, address)]


@pytest.fixture(scope="session")
def warm() -> Iterator[subprocess.Popen[str]]:
    """What forks plugins."""
    program = [sys.executable, str(Path(__file__).with_name("warm.py"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(program, text=True, **pipes) as process:
        yield process
        process.stdin.close()


@pytest.fixture(scope="session")
def serving(warm: subprocess.Popen[str]):
    """Serves a directory while its block runs, one at a time."""
    return functools.partial(_serving, warm)


@asynccontextmanager
async def _serving(warm: subprocess.Popen[str], directory: Path, log_bytes: int = 0) -> AsyncIterator[Process]:
    """Args: log_bytes: How large a log becomes. 0: as always."""
    with tempfile.TemporaryDirectory(prefix="faiss") as folder:
        address = f"unix:{folder}/s"
        request = {"arguments": _arguments(directory, address), "log_bytes": log_bytes}
        print(json.dumps(request), file=warm.stdin, flush=True)
        pid = int(await asyncio.to_thread(_line, warm))
        async with grpc.aio.insecure_channel(address, options=AGAIN) as channel:
            process = Process(pid, channel, warm)
            try:
                await _until_serving(channel)
                yield process
            finally:
                await process.kill()


def _line(warm: subprocess.Popen[str]) -> str:
    return warm.stdout.readline().rstrip()


async def _until_serving(channel: grpc.aio.Channel) -> None:
    async with asyncio.timeout(STARTED_WITHIN):
        request = health_pb2.HealthCheckRequest()
        async for answer in health_pb2_grpc.HealthStub(channel).Watch(request, wait_for_ready=True):
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
