"""The host as the driver has it: a process that tells what happens, takes commands, and is killed."""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Self

import psutil

from chaos import world
from chaos.oracle import Oracle
from chaos.world import World

END_LIMIT = 60.0
LINE_LIMIT = 1 << 20


class HostEndedError(Exception):
    """Nobody killed the host."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A plugin as the host told of it last.

    Attributes:
        since: When that was, by `time.monotonic`.
        start: Seconds that its last start took.
    """

    state: str = ""
    pid: int = 0
    since: float = 0.0
    start: float = 0.0

    def then(self, state: str, pid: int) -> Self:
        """As it is told of now."""
        now = time.monotonic()
        start = now - self.since if (self.state, state) == ("starting", "ready") else self.start
        return type(self)(state, pid, now, start)


class Subject:
    """One life of the host.

    Attributes:
        plugins: Each as it was told of last.
        over: It was killed, or is about to be.
    """

    def __init__(self, process: Process, oracle: Oracle) -> None:
        self.plugins = dict.fromkeys(world.PLUGINS, Sighting())
        self.over = False
        self._process = process
        self._oracle = oracle
        self._numbers = count()
        self._done: dict[int, asyncio.Event] = {}
        self._figures: dict[str, Any] = {}
        self._readers = asyncio.gather(self._listen(), self._read_errors())

    @classmethod
    async def start(cls, place: World, oracle: Oracle, life: int, interval: float) -> Self:
        """Returns as soon as there is a process.

        Args:
            life: The number of this host.
            interval: Seconds between two health checks of a plugin.
        """
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        environ |= {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONWARNINGS": "error",
            "XDG_RUNTIME_DIR": str(place.sockets),
            "TMPDIR": str(place.temporary),
        }
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", "chaos.host", str(place.configuration), str(life), str(interval))
        process = await asyncio.create_subprocess_exec(
            *command, cwd=place.folder, env=environ, stdin=pipe, stdout=pipe, stderr=pipe, limit=LINE_LIMIT
        )
        return cls(process, oracle)

    @property
    def running(self) -> bool:
        """There is a process, and it has not ended."""
        return self._process.returncode is None

    @property
    def ready(self) -> bool:
        return all(sighting.state in {"ready", "degraded"} for sighting in self.plugins.values())

    async def ask(self, what: str, **facts: Any) -> None:
        """Has it do something, and waits until that is done, or until the host has ended."""
        number = next(self._numbers)
        done = self._done[number] = asyncio.Event()
        if self._process.stdin is None or self.over:
            return
        self._process.stdin.write(json.dumps({"do": what, "number": number} | facts).encode() + b"\n")
        await done.wait()
        self._must_live()

    async def figures(self) -> dict[str, Any]:
        """What it has at this moment."""
        await self.ask("figures")
        return self._figures

    async def until(self, holds: Callable[[], Any], what: str, seconds: float) -> None:
        """Waits until something holds, or the host is killed.

        Raises:
            TimeoutError: It never did.
            HostEndedError: The host did, by itself.
        """
        deadline = time.monotonic() + seconds
        while not self.over and not holds():
            self._must_live()
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds:g} s: {what}")
            await asyncio.sleep(0.02)

    def family(self) -> list[psutil.Process]:
        """Every process below it."""
        return psutil.Process(self._process.pid).children(recursive=True)

    async def kill(self) -> None:
        """Ends it as nothing can prevent."""
        self.over = True
        self._process.kill()
        await self._gone()

    async def end(self) -> int:
        """Lets it end by itself; its exit code."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        async with asyncio.timeout(END_LIMIT):
            return await self._gone()

    def _must_live(self) -> None:
        code = self._process.returncode
        if code is not None and not self.over:
            raise HostEndedError(f"the host ended by itself with {code}")

    async def _gone(self) -> int:
        code = await self._process.wait()
        await self._readers
        return code

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        while (line := await self._process.stdout.readline()).endswith(b"\n"):  # the last one may be half a line
            self._hear(json.loads(line))
        await self._process.wait()
        for done in self._done.values():
            done.set()

    def _hear(self, told: dict[str, Any]) -> None:
        match told["what"]:
            case "change":
                self.plugins[told["plugin"]] = self.plugins[told["plugin"]].then(told["state"], told["pid"])
                self._oracle.changed(told["plugin"], told["state"], told["reason"])
            case "call":
                self._oracle.called(told["caller"], told["outcome"], told["text"])
            case "stored":
                self._oracle.stored.append(told["number"])
            case "finished":
                self._oracle.runs.append(told["run"])
            case "figures":
                self._figures = {key: value for key, value in told.items() if key != "what"}
            case "closed":
                self._oracle.closed(told["descriptors"], told["threads"])
            case "lost":
                self._oracle.violated(told["text"])
            case "stray":
                self._oracle.violated(f"the host's event loop got an error that nobody caught: {told['text']}")
            case "done":
                self._done.pop(told["number"]).set()

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        if errors := await self._process.stderr.read():
            self._oracle.violated(f"the host wrote on stderr: {errors.decode(errors='replace')[:5000]}")
