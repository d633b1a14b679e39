"""The one stream of events of a run.

An event that tells of something journaled is published when its row is on disk; order is the order of publication.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hector.host.v1.run_pb2 import RunEvent

LAST = ("run_finished", "run_failed")


class Events:
    """The events of one run: one publisher, one reader."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._count = 0
        self._queue: asyncio.Queue[RunEvent | None] = asyncio.Queue()

    def publish(self, event: RunEvent) -> None:
        """Numbers and dates an event whose kind is set."""
        self._count += 1
        event.run_id = self._run
        event.sequence = self._count
        event.time.GetCurrentTime()
        self._queue.put_nowait(event)

    def publish_when(self, written: asyncio.Future[None], event: RunEvent) -> None:
        """Publishes once the row that the event tells of is on disk; never, when it could not be written."""

        def publish(done: asyncio.Future[None]) -> None:
            if not done.cancelled() and done.exception() is None:
                self.publish(event)

        written.add_done_callback(publish)

    def close(self) -> None:
        """There will be no more events, whatever the last one was."""
        self._queue.put_nowait(None)

    async def read(self) -> AsyncIterator[RunEvent]:
        """Every event, up to the one that ends the run, or until there will be no more."""
        while (event := await self._queue.get()) is not None:
            yield event
            if event.WhichOneof("event") in LAST:
                return
