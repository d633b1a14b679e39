"""What a process writes, read for ever: it must never wait for somebody to read."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[bytes], bool]

CHUNK = 64 << 10
DRAIN_CHUNKS = 16
"""Chunks of what a process that has ended left in a pipe; the kernel keeps a megabyte at most."""
PAUSE = 0.01
"""Seconds for which a pipe is not read after its plugin wrote too fast."""


class Pipe:
    """The reading end of one pipe. Must be made in a running event loop.

    Args:
        descriptor: The end, which belongs to this from now on.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._reader: Reader | None = None
        self._pause: asyncio.TimerHandle | None = None
        os.set_blocking(descriptor, False)

    def read(self, reader: Reader) -> None:
        """Hands every chunk to the reader, which returns False to be left alone for a moment."""
        self._reader = reader
        self._resume()

    def drain(self) -> None:
        """Reads all that is in it."""
        for _ in range(DRAIN_CHUNKS):  # somebody else may still be writing
            chunk = self._read()
            if not chunk or self._reader is None:
                break
            self._reader(chunk)

    def close(self) -> None:
        """Stops reading. May be called again."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            if self._pause is not None:
                self._pause.cancel()
            os.close(self._descriptor)
            self._descriptor = -1

    def _resume(self) -> None:
        self._loop.add_reader(self._descriptor, self._read_some)

    def _read_some(self) -> None:
        chunk = self._read()
        if chunk is None or self._reader is None:
            return
        if not chunk:
            self.close()
        elif not self._reader(chunk):
            self._loop.remove_reader(self._descriptor)
            self._pause = self._loop.call_later(PAUSE, self._resume)

    def _read(self) -> bytes | None:
        """What is there; empty at the end, None when there is nothing yet."""
        try:
            return os.read(self._descriptor, CHUNK) if self._descriptor >= 0 else b""
        except BlockingIOError:
            return None
        except OSError:
            return b""
