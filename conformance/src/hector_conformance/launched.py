"""The plugin's process as its launch protocol shows it, without the host's manager: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hector_conformance.case import Failed, NotOffered
from hector_host.errors import quoted
from hector_host.manager.failure import Failure
from hector_host.manager.launch import handshake, ports
from hector_host.manager.launch.environment import MARKER, environment
from hector_host.manager.processes import family

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from hector_conformance.subject import Subject

STOP = 2.0
"""Seconds that a host waits after each request to end."""
BARE = "it prints no handshake: it is found by the port on which it listens"
SHOWN = 300
PORT_PAUSE = 0.02
PORT_GRACE = 0.2
"""Seconds in which a handshake may still come from a process that listens on a port."""
_DRAINED = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Launched:
    """One process, with standard output as a pipe that only the case reads."""

    process: asyncio.subprocess.Process
    mark: str

    async def handshake(self) -> handshake.Endpoint:
        """Where it says that it listens.

        Raises:
            Failed: Its first line is no handshake.
            NotOffered: It listens and has printed nothing that is meant as one.
        """
        reading = asyncio.ensure_future(self._first_line())
        try:
            await self._until_it_listens(reading)
            if not reading.done() or not (handshake.is_attempt(reading.result()) or self._ended_silently(reading)):
                raise NotOffered(BARE)
            line = reading.result()
        finally:
            reading.cancel()
        if not line:
            raise Failed(f"its first line is a handshake; it printed nothing and ended ({await self.process.wait()})")
        try:
            return handshake.parse(line)
        except Failure as failure:
            raise Failed(f'its first line is a handshake; it printed "{quoted(line, SHOWN)}": {failure.what}') from None

    async def _until_it_listens(self, reading: asyncio.Future[str]) -> None:
        """Waits for the first line, or for a port that is open for longer than a handshake may come after it."""
        seen = 0.0
        while not reading.done() and seen < PORT_GRACE:
            await asyncio.wait((reading,), timeout=PORT_PAUSE)
            seen = seen + PORT_PAUSE if ports.listening(self.process.pid) else 0.0

    @staticmethod
    def _ended_silently(reading: asyncio.Future[str]) -> bool:
        return not reading.result()

    async def _first_line(self) -> str:
        assert self.process.stdout is not None  # noqa: S101  it was asked for
        try:
            return (await self.process.stdout.readuntil(b"\n")).decode("utf-8", "backslashreplace")
        except asyncio.IncompleteReadError as error:
            return error.partial.decode("utf-8", "backslashreplace")
        except asyncio.LimitOverrunError:
            raise Failed(f"its first line is a handshake; it printed more than {handshake.LINE_LIMIT} bytes") from None

    async def ends(self, within: float) -> bool:
        """Whether it ends by itself in time, whatever it prints meanwhile."""
        reading = asyncio.ensure_future(self._drained())
        try:
            async with asyncio.timeout(within):
                await self.process.wait()
        except TimeoutError:
            return False
        finally:
            reading.cancel()
        return True

    def leave(self) -> None:
        """Closes the pipe of its standard output, as the death of its host does."""
        _close_output(self.process)

    async def _drained(self) -> None:
        assert self.process.stdout is not None  # noqa: S101  it was asked for
        while await self.process.stdout.read(_DRAINED):
            pass

    def left(self) -> list[int]:
        """Processes that it started and that are still there (Linux; elsewhere nobody looks)."""
        return sorted(family.members(0, self.mark)) if sys.platform == "linux" else []


@contextlib.asynccontextmanager
async def launched(subject: Subject, arguments: Sequence[str] = (), *, by_host: bool = True) -> AsyncIterator[Launched]:
    """The process, started as a host starts it, or by hand; when the block is left, nothing of it is left.

    Args:
        arguments: More of its command line.
        by_host: With the environment that a host gives; else without any of the protocol's variables.
    """
    plugin, plan = subject.entry, subject.plan
    if plan is None or plugin is None:
        raise NotOffered("an address is not started here")
    mark = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="hc-") as sockets:  # short: a socket's path has 100 bytes
        folder = subject.folder()
        env = environment(plugin, os.environ, instance=mark, sockets=Path(sockets), data=folder)
        if not by_host:
            protocol = (handshake.COOKIE[0], "PLUGIN_", "HECTOR_PLUGIN_")
            env = {name: value for name, value in env.items() if not name.startswith(protocol)}
            env[MARKER] = mark  # it is how the suite finds what is left
        process = await asyncio.create_subprocess_exec(
            *plan.command,
            *arguments,
            cwd=plan.folder,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=handshake.LINE_LIMIT,
            start_new_session=True,
        )
        try:
            yield Launched(process, mark)
        finally:
            await _ended(process, mark)


def options(subject: Subject) -> str:
    """The plugin's options as JSON, for `--config` of the plugin's own command line."""
    return json.dumps(subject.config)


async def _ended(process: asyncio.subprocess.Process, mark: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "linux":
            family.strike(process.pid if process.returncode is None else 0, mark)
        else:
            os.killpg(process.pid, signal.SIGKILL)
    _close_output(process)  # an end is told only once its pipes are closed
    await process.wait()
    process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001  nothing else closes it


def _close_output(process: asyncio.subprocess.Process) -> None:
    pipe = process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]  # noqa: SLF001  nothing else leads there
    pipe.close()
