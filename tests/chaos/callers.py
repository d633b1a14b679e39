"""The callers of a host: each makes its call again and again, and tells what it got."""

import asyncio
from collections.abc import Awaitable, Callable

from chaos.calls import CALLERS, Desk, FailedError
from hector_host.errors import HectorError

THOUGHT = 0.2
"""Seconds between two calls of a caller, at most; half of that on average."""


class Callers:
    """All callers of a host, at work until they are told to rest."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._working = asyncio.Event()
        self._idle = [asyncio.Event() for _ in CALLERS]

    def work(self) -> None:
        for idle in self._idle:
            idle.clear()
        self._working.set()

    async def rest(self) -> None:
        """Lets everybody finish what they are at."""
        self._working.clear()
        await asyncio.gather(*(idle.wait() for idle in self._idle))

    async def serve(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for one, idle in zip(CALLERS, self._idle, strict=True):
                group.create_task(self._live(one, idle))

    async def _live(self, one: Callable[[Desk], Awaitable[None]], idle: asyncio.Event) -> None:
        while True:
            if not self._working.is_set():
                idle.set()
                await self._working.wait()
            await self._call(one)
            await asyncio.sleep(self._desk.chance.uniform(0, THOUGHT))

    async def _call(self, one: Callable[[Desk], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(one(self._desk))  # so that a cancellation that comes out of it is not this task's
        try:
            await asyncio.wait((task,))
        finally:
            task.cancel()
        outcome, text = _outcome(task)
        self._desk.tell("call", caller=one.__name__, outcome=outcome, text=text)


def _outcome(task: asyncio.Future[None]) -> tuple[str, str]:
    """The name of what a caller got, "" for an answer, and its text."""
    error: BaseException | None = asyncio.CancelledError() if task.cancelled() else task.exception()
    if error is None:
        return "", ""
    if isinstance(error, FailedError):
        return error.kind, error.text
    return type(error).__name__, str(error) if isinstance(error, HectorError) else repr(error)
