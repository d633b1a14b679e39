"""One process of a plugin: spawned, its pipes drained for ever, and in the end killed with everything it started.

It is spawned by the warden, without asyncio and without gRPC, so that it boots while the host still imports. A dead
process is reaped last of its family: until then nobody else can get its number.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from hector_host.manager.processes import family
from hector_host.manager.processes.pipes import Pipe
from hector_host.manager.processes.ward import Exit, Ward

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from hector_host.manager.processes.custody import Warden
    from hector_host.manager.processes.pipes import Reader

__all__ = ["Exit", "Process"]

STRIKE_PAUSE = 0.002
DYING_LIMIT = 0.25
"""Seconds for which a dying process is waited for."""
KILL_LIMIT = 5.0
"""Seconds after which a process that survives SIGKILL is left to the kernel, or to the warden's end."""


class Process:
    """A running plugin, or one on its way. Must be made in a running event loop.

    Attributes:
        spawned: Its number, also that of its session and process group. Raises OSError, the system does not run the
            command; or Failure, for want of a warden.
        exited: Done when the process has ended, before it is reaped; with the same error if it never ran.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (each is one fact of a start)
        self,
        warden: Warden,
        command: Sequence[str],
        env: Mapping[str, str],
        folder: Path,
        instance: str,
        keep: Sequence[int] = (),
    ) -> None:
        self._warden = warden
        self._instance = instance
        self._ended = False
        self._pipes: tuple[Pipe, ...] = ()
        self._ward = self._spawn(command, env, folder, keep)
        self.spawned = self._ward.spawned
        self.exited = self._ward.exited
        self.spawned.add_done_callback(self._close_if_failed)

    @property
    def pid(self) -> int:
        """Its number; 0 until it is spawned."""
        return self._ward.pid

    def read(self, stdout: Reader, stderr: Reader) -> None:
        """Hands every chunk to its reader for as long as the process lives.

        A reader returns False to be left alone for a moment.
        """
        for pipe, reader in zip(self._pipes, (stdout, stderr), strict=False):
            pipe.read(reader)

    def poll(self) -> Exit | None:
        """How it ended, if it has, without waiting for the loop to hear of it.

        Whoever saw its connection break finds it dead: a process that is on its way out is waited for, which takes a
        moment and never long.
        """
        self._warden.listen(0)
        deadline = time.monotonic() + DYING_LIMIT
        while self.pid and not self._ward.over and family.dying(self.pid):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            self._warden.listen(remaining)
        return self._ward.exit

    def drain(self) -> None:
        """Reads all that it has written so far."""
        for pipe in self._pipes:
            pipe.drain()

    def terminate(self) -> None:
        """SIGTERM to the process and its group."""
        self._warden.terminate(self._ward)

    async def end(self) -> None:
        """Kills what is left of the whole family, reads what it wrote last, and reaps it."""
        for _ in self._strikes():
            await asyncio.sleep(STRIKE_PAUSE)

    def end_now(self) -> None:
        """As `end`, for when nothing may be waited for any more."""
        for _ in self._strikes():
            self._warden.listen(STRIKE_PAUSE)

    def _spawn(self, command: Sequence[str], env: Mapping[str, str], folder: Path, keep: Sequence[int]) -> Ward:
        opened: list[int] = []
        try:
            for _ in range(2):
                opened += os.pipe()
            opened += [os.dup(descriptor) for descriptor in keep]
        except OSError as error:
            for descriptor in opened:
                os.close(descriptor)
            return Ward.failed(error)
        stdout, its_stdout, stderr, its_stderr, *kept = opened
        self._pipes = (Pipe(stdout), Pipe(stderr))
        return self._warden.spawn(command, env, folder, (its_stdout, its_stderr, *kept))

    def _strikes(self) -> Iterator[None]:
        """Yields where there is something to wait for. Two may be under way at once, and each may be left."""
        deadline = time.monotonic() + KILL_LIMIT
        left: set[int] = set()
        while not self._ended and time.monotonic() < deadline:
            if self.pid or self._ward.over:
                hit = family.strike(self.pid, self._instance)
                left = family.bury(left | hit - {self.pid}, self._warden.pid)
                if not hit and not left and self._ward.over:
                    break
            yield
        if self._ended:
            return
        self._ended = True
        self.drain()
        self._close_pipes()
        self._warden.release(self._ward)
        while not self._ward.gone and time.monotonic() < deadline:
            yield
        if self._ward.lost and self.pid:
            family.bury({self.pid}, 0)
            family.reap_orphans()

    def _close_pipes(self) -> None:
        for pipe in self._pipes:
            pipe.close()

    def _close_if_failed(self, _: object) -> None:
        if not self.pid:
            self._close_pipes()
