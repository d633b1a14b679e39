"""The lock on a data directory whose plugin wants it for itself.

The lock is held by an open file that the plugin's process inherits: as long as any process of that start lives, even
one that outlived a killed host, the next start waits. The file holds the numbers of the host and of the plugin, for
the message to whoever waits too long.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from typing import TYPE_CHECKING

from hector_host.manager.failure import Failure

if TYPE_CHECKING:
    from pathlib import Path

NAME = ".lock"
PAUSE = 0.05
"""Seconds between two attempts."""


class DirectoryLock:
    """The lock of one directory, taken or not."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(directory / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> bool:
        """Whether it could be taken at once."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self.sign(os.getpid())
        return True

    async def wait(self, limit: float) -> None:
        """Waits until it is taken.

        Args:
            limit: Seconds.

        Raises:
            Failure: Somebody else still has it.
        """
        try:
            async with asyncio.timeout(limit):
                while not self.take():  # noqa: ASYNC110 (a lock of another process tells nobody)
                    await asyncio.sleep(PAUSE)
        except TimeoutError:
            raise Failure(
                "lock",
                f"its directory {self.directory} is in use by process {self._holder()}",
                "One process at a time may use it: end that one, or give this configuration another storage.path.",
            ) from None

    def sign(self, *holders: int) -> None:
        """Writes who holds it."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, " ".join(map(str, holders)).encode(), 0)

    def release(self) -> None:
        """Lets go of it; processes that inherited it keep it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _holder(self) -> str:
        holders = os.pread(self.descriptor, 100, 0).decode("ascii", "replace").split()
        living = [holder for holder in holders if holder.isdigit() and _lives(int(holder))]
        return living[0] if living else "unknown"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
