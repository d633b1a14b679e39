"""Which replica a call goes to, how many calls a plugin has at a time, and how many wait for their turn.

The least loaded replica is chosen, a healthy one before one that is not. Calls that find every place taken wait in the
order in which they came; past the queue's length they are refused, so that one slow plugin never collects the memory
and the patience of the whole host.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hector_host.manager.lease import Lease, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from hector_host.config import PluginConfig
    from hector_host.manager.replica import Replica


class QueueFullError(Exception):
    """Every place is taken, and so is every place in the queue."""


@dataclass(slots=True, eq=False)
class _Turn:
    """Somebody who waits.

    Attributes:
        patience: Seconds to wait for a plugin that is down.
        outcome: The place, or None for who only waits until calls are taken.
        timer: When the patience ends; None while the plugin is not down.
    """

    ticket: Ticket
    patience: float
    outcome: asyncio.Future[Lease | None]
    timer: asyncio.TimerHandle | None = None

    def fail(self, error: Exception) -> None:
        """Ends the wait."""
        if not self.outcome.done():
            self.outcome.set_exception(error)

    def relax(self) -> None:
        """The plugin is not down any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


@dataclass(frozen=True, slots=True)
class _Outage:
    """Nobody takes calls.

    Attributes:
        error: Made anew for each caller.
        soonest: When that can change, by the loop's clock; None: it does not by itself.
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
    _queue: OrderedDict[_Turn, None] = field(default_factory=OrderedDict)
    _watchers: set[_Turn] = field(default_factory=set)
    _outage: _Outage | None = None

    @property
    def queued(self) -> int:
        """Calls that wait."""
        return len(self._queue)

    def limit(self, plugin: PluginConfig) -> None:
        """Goes over to the limits of another edition."""
        self.concurrency, self.length = plugin.max_concurrency, plugin.max_queue

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
        lease = self.take(ticket)
        if lease is None:
            turn = self._turn(ticket, patience)
            if not turn.outcome.done():
                if len(self._queue) >= self.length:
                    turn.relax()
                    raise QueueFullError
                self._queue[turn] = None
            lease = await self._outcome(turn, limit)
            assert lease is not None  # noqa: S101 (only watchers get nothing)
        return lease

    async def opened(self, patience: float) -> None:
        """Waits until somebody takes calls, even if no place is free then.

        Args:
            patience: Seconds to wait for a plugin that is down.

        Raises:
            Exception: What `close` was given: the plugin is down.
        """
        if any(replica.plugin is not None for replica in self.replicas):
            return
        turn = self._turn(Ticket(""), patience)
        self._watchers.add(turn)
        await self._outcome(turn, None)

    def close(self, error: Callable[[], Exception], soonest: float | None) -> None:
        """Nobody takes calls: those who wait are told, unless their patience lasts until that can change.

        Args:
            error: Makes what each of them is told.
            soonest: Seconds until that can change; None: it does not by itself.
        """
        when = None if soonest is None else asyncio.get_running_loop().time() + soonest
        self._outage = _Outage(error, when)
        for turn in (*self._queue, *self._watchers):
            self._bear(turn, self._outage)

    def pause(self) -> None:
        """Nobody takes calls for a moment, for which everybody waits, however little patience they have."""
        self._outage = None
        for turn in (*self._queue, *self._watchers):
            turn.relax()

    def open(self) -> None:
        """Somebody takes calls, or more of them."""
        self.pause()
        for turn in self._watchers:
            if not turn.outcome.done():
                turn.outcome.set_result(None)
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
            turn = next(iter(self._queue))
            if not turn.outcome.done():
                lease = self._place(turn.ticket)
                if lease is None:
                    return
                turn.outcome.set_result(lease)
            del self._queue[turn]

    def _turn(self, ticket: Ticket, patience: float) -> _Turn:
        turn = _Turn(ticket, patience, asyncio.get_running_loop().create_future())
        if self._outage is not None:
            self._bear(turn, self._outage)
        return turn

    async def _outcome(self, turn: _Turn, limit: float | None) -> Lease | None:
        try:
            async with asyncio.timeout(limit):
                return await asyncio.shield(turn.outcome)
        except BaseException:
            _revoke(turn)
            raise
        finally:
            turn.relax()
            self._queue.pop(turn, None)
            self._watchers.discard(turn)

    def _bear(self, turn: _Turn, outage: _Outage) -> None:
        """Has somebody wait as long as the patience lasts, if that can help."""
        loop = asyncio.get_running_loop()
        end = loop.time() + turn.patience if turn.timer is None else turn.timer.when()
        if turn.patience <= 0 or outage.soonest is None or outage.soonest >= end:
            turn.relax()
            turn.fail(outage.error())
        elif turn.timer is None:
            turn.timer = loop.call_at(end, self._give_up, turn)

    def _give_up(self, turn: _Turn) -> None:
        if self._outage is not None:
            turn.fail(self._outage.error())


def _revoke(turn: _Turn) -> None:
    """Nobody waits for it any more: a place that came in that very moment is given back."""
    if not turn.outcome.cancel() and turn.outcome.exception() is None:
        lease = turn.outcome.result()
        if lease is not None:
            lease.unused()


def in_flight(replicas: Collection[Replica]) -> int:
    """Calls that the replicas work on."""
    return sum(replica.in_flight for replica in replicas)
