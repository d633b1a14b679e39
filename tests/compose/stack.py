"""The stack of docker/compose.yaml under a project name of its own, and what it prints and takes."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "docker/compose.yaml"
PROJECT = "hector-compose-test"
BUILDING = 3600
"""Seconds for everything that is downloaded and compiled."""
STARTING = 900
"""Seconds until all are healthy: a busy machine reads PyTorch from its disk for minutes."""


class Stack:
    """`docker compose` over it."""

    def build(self) -> float:
        """Builds all images; the seconds that it took."""
        return self._timed("--progress", "plain", "build", seconds=BUILDING)

    def up(self) -> float:
        """Starts everything, and waits until all of it is healthy; the seconds that it took."""
        return self._timed("up", "--detach", "--wait", "--wait-timeout", str(STARTING), seconds=STARTING + 60)

    def services(self) -> list[str]:
        """By name."""
        return sorted(self._run("config", "--services").split())

    def containers(self, service: str) -> list[dict[str, Any]]:
        """What the engine says of a service's containers, also of one that has ended; in the order of their names."""
        found: list[dict[str, Any]] = json.loads(
            docker("inspect", *self._run("ps", "--all", "--quiet", service).split())
        )
        return sorted(found, key=lambda each: str(each["Name"]))

    def hector(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, in the host's container, as the README has it."""
        command = [*self._compose(), "exec", "-T", "host", "hector", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def python(self, program: Path) -> subprocess.Popen[str]:
        """A program, in the host's container, with pipes to it."""
        command = [*self._compose(), "exec", "-T", "host", "python", "-c", program.read_text()]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def logs(self) -> str:
        """The last lines of each container."""
        return self._run("logs", "--no-color", "--tail", "20")

    def _timed(self, *arguments: str, seconds: float) -> float:
        started = time.monotonic()
        ended = subprocess.run(
            [*self._compose(), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert ended.returncode == 0, f"{' '.join(arguments)}:\n{ended.stdout[-6000:]}"
        return time.monotonic() - started

    def _run(self, *arguments: str) -> str:
        return docker(*self._compose()[1:], *arguments)

    @staticmethod
    def _compose() -> list[str]:
        return ["docker", "compose", "--project-name", PROJECT, "--file", str(FILE)]


def docker(*arguments: str) -> str:
    """What the command prints."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=120).stdout


@contextmanager
def stack() -> Iterator[Stack]:
    """The stack, with nothing of it left before and afterwards: no container, network or volume."""
    made = Stack()
    try:
        made._run("down", "--volumes", "--timeout", "1")
        yield made
    finally:
        made._run("down", "--volumes", "--timeout", "5")
