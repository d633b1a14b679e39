"""The calls that a server has in flight: how many it takes, who answers their questions, and how they end with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hector_host.errors import HectorError, NotFoundError, quoted
from hector_host.runtime.ids import NAME_LIMIT
from hector_host.server.call import Call

if TYPE_CHECKING:
    from hector.host.v1.hector_pb2 import CallRequest
    from hector_host.server.call import Write
    from hector_host.server.deployment import Deployments

MOST_CALLS = 1000
"""Calls at the same time."""
CUT_LIMIT = 2.0
"""Seconds that runs get to end in which are cut."""


class StoppingError(HectorError):
    """The host is about to end."""

    def __init__(self, what: str = "the host is stopping and takes no new calls") -> None:
        super().__init__(what, "Call again when it has been started anew.")


class RequestError(HectorError):
    """The request cannot be meant."""


class TooManyCallsError(HectorError):
    """The host has as many calls in flight as it takes."""


class Calls:
    """All calls of one server.

    Attributes:
        stopping: Set once no new ones are taken.
    """

    def __init__(self, deployments: Deployments, most: int = MOST_CALLS) -> None:
        self.stopping = asyncio.Event()
        self._deployments = deployments
        self._most = most
        self._calls: set[Call] = set()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._calls)

    async def follow(self, request: CallRequest, write: Write) -> None:
        """One call from its beginning to its end.

        Raises:
            HectorError: It is not taken, could not begin, or was cut.
        """
        self.admit()
        _check(request)
        if len(self._calls) >= self._most:
            raise TooManyCallsError(f"the host has {self._most} calls in flight, and takes no more", "Try again later.")
        with self._deployments.use() as deployment:
            call = Call(deployment.runtime, request)
            self._calls.add(call)
            try:
                await call.follow(write)
            finally:
                self._calls.discard(call)
                self._changed.set()

    def admit(self) -> None:
        """Raises StoppingError when the host begins nothing any more."""
        if self.stopping.is_set():
            raise StoppingError

    def answer(self, run: str, effect: str, answer: str) -> None:
        """Answers the question of a run.

        Raises:
            NotFoundError: No run waits for it.
        """
        if not any(call.answer(effect, answer) for call in self._calls if run and call.run_id == run):
            raise NotFoundError(
                f"run {quoted(run, 100)!r}: waits for no answer to {quoted(effect, 100)!r}",
                "It has its answer, or has ended.",
            )

    async def finish(self, budget: float, hurry: asyncio.Event) -> int:
        """Takes no more calls and waits for those in flight; cuts what is left when the budget is spent.

        Args:
            budget: Seconds.
            hurry: When set, the budget is spent.

        Returns:
            How many were cut.
        """
        self.stopping.set()
        await self._empty(budget, hurry)
        left = list(self._calls)
        for call in left:
            call.cut(StoppingError(f"run {call.run_id or 'not begun'}: cancelled: the host has stopped"))
        await self._empty(CUT_LIMIT, asyncio.Event())
        return len(left)

    async def _empty(self, limit: float, hurry: asyncio.Event) -> None:
        hurried = asyncio.create_task(hurry.wait())
        emptied = asyncio.create_task(self._emptied())
        try:
            await asyncio.wait((hurried, emptied), timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurried.cancel()
            emptied.cancel()
            await asyncio.gather(hurried, emptied, return_exceptions=True)

    async def _emptied(self) -> None:
        while self._calls:
            self._changed.clear()
            await self._changed.wait()


def _check(request: CallRequest) -> None:
    for name in ("agent", "message"):
        if not getattr(request, name).strip():
            raise RequestError(f"{name}: is empty", "A call says which agent is asked, and what.")
    if len(request.user) > NAME_LIMIT or not request.user.isprintable():
        what = f"user: {quoted(request.user, NAME_LIMIT)!r} is not a name"
        raise RequestError(what, f"Use up to {NAME_LIMIT} printable characters, or leave it out.")
