"""The plugin as a process of its own, for tests that kill it."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hector.plugin.v1.database_pb2_grpc import DatabaseProviderStub

STARTED_WITHIN = 30  # seconds


class Process:
    """One running plugin; `kill` is SIGKILL."""

    def __init__(self, process: asyncio.subprocess.Process, channel: grpc.aio.Channel) -> None:
        self._process = process
        self.pid = process.pid
        self.db = DatabaseProviderStub(channel)

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()


def _command(directory: Path, address: str, program: str = "") -> list[str]:
    config = json.dumps({"directory": str(directory)})
    plugin = ["-c", program] if program else ["-m", "hector_faiss_database"]
    return [sys.executable, *plugin, "--listen", address, "--config", config]


@pytest.fixture(scope="session")
def command():
    """The command line that serves a directory at an address."""
    return _command


@pytest.fixture(scope="session")
def serving():
    """Serves a directory while its block runs."""
    return _serving


@asynccontextmanager
async def _serving(directory: Path, program: str = "") -> AsyncIterator[Process]:
    """Args: program: Python source that serves it otherwise than the plugin's own main module."""
    with tempfile.TemporaryDirectory(prefix="faiss") as folder:
        address = f"unix:{folder}/s"
        process = await asyncio.create_subprocess_exec(
            *_command(directory, address, program), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                await _until_serving(channel)
                yield Process(process, channel)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _until_serving(channel: grpc.aio.Channel) -> None:
    async with asyncio.timeout(STARTED_WITHIN):
        request = health_pb2.HealthCheckRequest()
        async for answer in health_pb2_grpc.HealthStub(channel).Watch(request, wait_for_ready=True):
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
