"""Which replica a call goes to, how many calls a plugin has at a time, and how many wait for their turn.

The least loaded replica is chosen, a healthy one before one that is not. Calls that find every place taken wait in the
order in which they came; past the queue's length they are refused, so that one slow plugin never collects the memory
and the patience of the whole host.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from grpc import StatusCode

    from hector_host.manager.plugin import Plugin
    from hector_host.manager.replica import Replica

_NO_FAILURE = frozenset({"CANCELLED", "UNIMPLEMENTED"})
"""Codes that say nothing against the plugin: its caller gave up, or falls back to another RPC."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a call is, for those who ask what a plugin was doing.

    Attributes:
        method: The name of the RPC.
        run: The run that makes it; empty for none.
        agent: The agent of the run; empty for none.
    """

    method: str
    run: str = ""
    agent: str = ""


class Lease:
    """A place at a replica for one call. Whoever has it gives it back.

    Attributes:
        plugin: Takes the call.
        started: When it was given, by `time.monotonic`.
    """

    __slots__ = ("_admission", "_replica", "plugin", "started", "ticket")

    def __init__(self, admission: Admission, replica: Replica, plugin: Plugin, ticket: Ticket) -> None:
        self._admission = admission
        self._replica = replica
        self.plugin = plugin
        self.ticket = ticket
        self.started = time.monotonic()

    def release(self, code: StatusCode | None = None) -> None:
        """Gives the place back.

        Args:
            code: How the call failed, CANCELLED when its caller gave up; None when it did not.
        """
        self._replica.released(self, code)
        self._admission.released(failed=code is not None and code.name not in _NO_FAILURE)


class QueueFullError(Exception):
    """Every place is taken, and so is every place in the queue."""


@dataclass(slots=True, eq=False)
class _Turn:
    """A call that waits."""

    ticket: Ticket
    patience: float
    lease: asyncio.Future[Lease]
    timer: asyncio.TimerHandle | None = None


@dataclass(frozen=True, slots=True)
class _Outage:
    """Nobody takes calls.

    Attributes:
        error: Made anew for each caller.
        soonest: Seconds until that can change; None: it does not by itself.
    """

    error: Callable[[], Exception]
    soonest: float | None


@dataclass(slots=True, eq=False)
class Admission:
    """The way into one plugin.

    Attributes:
        concurrency: Calls that one replica gets at a time.
        length: Calls that may wait.
        replicas: Those that calls may go to; those without a plugin are passed over.
        calls: Calls let in so far.
        failures: Those of them that were given back as failed.
    """

    concurrency: int
    length: int
    replicas: Sequence[Replica] = ()
    calls: int = 0
    failures: int = 0
    _queue: deque[_Turn] = field(default_factory=deque)
    _outage: _Outage | None = None

    @property
    def queued(self) -> int:
        """Calls that wait."""
        return len(self._queue)

    def take(self, ticket: Ticket) -> Lease | None:
        """A place, if there is one and nobody waits for it."""
        return None if self._queue else self._place(ticket)

    async def wait(self, ticket: Ticket, patience: float, limit: float) -> Lease:
        """A place, in turn.

        Args:
            patience: Seconds to wait for a plugin that is down.
            limit: Seconds to wait at all.

        Raises:
            QueueFullError: Too many wait already.
            TimeoutError: The turn did not come.
            Exception: What `close` was given: the plugin is down.
        """
        turn = _Turn(ticket, patience, asyncio.get_running_loop().create_future())
        if self._outage is not None:
            self._bear(turn, self._outage)
        if not turn.lease.done():
            if len(self._queue) >= self.length:
                raise QueueFullError
            self._queue.append(turn)
            self._serve()
        try:
            async with asyncio.timeout(limit):
                return await asyncio.shield(turn.lease)
        except BaseException:
            if turn.lease.done() and not turn.lease.cancelled() and turn.lease.exception() is None:
                turn.lease.result().release()  # it came in the very moment in which nobody waited any more
            turn.lease.cancel()
            raise
        finally:
            self._leave(turn)

    def close(self, error: Callable[[], Exception], soonest: float | None) -> None:
        """Nobody takes calls: those who wait are told, unless their patience lasts until that can change."""
        self._outage = _Outage(error, soonest)
        for turn in tuple(self._queue):
            self._bear(turn, self._outage)

    def open(self) -> None:
        """Somebody takes calls, or more of them."""
        self._outage = None
        for turn in self._queue:
            if turn.timer is not None:
                turn.timer.cancel()
                turn.timer = None
        self._serve()

    def released(self, *, failed: bool) -> None:
        """A place was given back."""
        self.failures += failed
        if self._queue:
            self._serve()

    def _place(self, ticket: Ticket) -> Lease | None:
        best, least = None, (True, self.concurrency)
        for replica in self.replicas:
            if replica.plugin is not None and replica.in_flight < self.concurrency and replica.lives():
                load = (not replica.well, replica.in_flight)
                if best is None or load < least:
                    best, least = replica, load
        if best is None or best.plugin is None:
            return None
        self.calls += 1
        lease = Lease(self, best, best.plugin, ticket)
        best.leases.add(lease)
        return lease

    def _serve(self) -> None:
        while self._queue:
            if self._queue[0].lease.done():
                self._queue.popleft()
                continue
            lease = self._place(self._queue[0].ticket)
            if lease is None:
                return
            self._queue.popleft().lease.set_result(lease)

    def _bear(self, turn: _Turn, outage: _Outage) -> None:
        """Has a call wait as long as its patience lasts, if that can help."""
        if turn.lease.done() or turn.timer is not None:
            return
        if outage.soonest is None or outage.soonest >= turn.patience:
            turn.lease.set_exception(outage.error())
        else:
            turn.timer = asyncio.get_running_loop().call_later(turn.patience, self._give_up, turn)

    def _give_up(self, turn: _Turn) -> None:
        if not turn.lease.done() and self._outage is not None:
            turn.lease.set_exception(self._outage.error())

    def _leave(self, turn: _Turn) -> None:
        if turn.timer is not None:
            turn.timer.cancel()
        if turn in self._queue:
            self._queue.remove(turn)


def in_flight(replicas: Collection[Replica]) -> int:
    """Calls that the replicas work on."""
    return sum(replica.in_flight for replica in replicas)
