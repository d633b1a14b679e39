"""The guide's programs, built once for all tests, and its servers, one at a time."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest
from guide import ports, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return programs.write(tmp_path_factory.mktemp("guide"))


@pytest.fixture(scope="session")
def executables(sources: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return programs.build(sources, tmp_path_factory.mktemp("built"))


@pytest.fixture
def serving(executables: dict[str, Path]) -> Callable[..., AbstractContextManager[grpc.Channel]]:
    """Start a program of the guide and connect to the port that it is known to take."""

    @contextmanager
    def serve(name: str, port: int, **environment: str) -> Iterator[grpc.Channel]:
        program = executables[name]
        command = [sys.executable, str(program)] if program.suffix == ".py" else [str(program)]
        with ports.held():
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            try:
                with grpc.insecure_channel(
                    f"127.0.0.1:{port}", options=[("grpc.max_reconnect_backoff_ms", 50)]
                ) as channel:
                    yield channel
                assert process.poll() is None, process.stderr.read()
            finally:
                process.kill()
                process.communicate()

    return serve
