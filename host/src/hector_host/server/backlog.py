"""Events of a run on their way to a reader who may be slower than the run: bounded, in number and in bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hector.host.v1.run_pb2 import RunEvent

MOST_EVENTS = 10_000
MOST_BYTES = 16 << 20


class Backlog:
    """One writer, one reader."""

    def __init__(self, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._waiting: deque[tuple[RunEvent, int]] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = asyncio.Event()

    def put(self, event: RunEvent) -> bool:
        """False when too much waits; the event is not taken then. One alone is always taken, however large."""
        size = event.ByteSize()
        full = len(self._waiting) >= self._most_events or self._bytes + size > self._most_bytes
        if full and self._waiting:
            return False
        self._waiting.append((event, size))
        self._bytes += size
        self._changed.set()
        return True

    def close(self) -> None:
        """There will be no more."""
        self._closed = True
        self._changed.set()

    def clear(self) -> None:
        """Lets go of what waits."""
        self._waiting.clear()
        self._bytes = 0

    async def get(self) -> RunEvent | None:
        """The next one; None after the last."""
        while not self._waiting:
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        event, size = self._waiting.popleft()
        self._bytes -= size
        return event
