"""One place of a plugin, from its first start to its stop: one process after another, or one connection after another.

The only place where its state changes is `_change`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from hector_host.errors import HectorError, PluginError
from hector_host.manager import restart
from hector_host.manager.attachment import LONGEST_DELAY
from hector_host.manager.death import KILLED, OUT_OF_MEMORY, WORDS, Death
from hector_host.manager.explanation import SHOWN_LINES, explained
from hector_host.manager.failure import Failure
from hector_host.manager.plugin import call_timeout, label
from hector_host.manager.states import SERVING, State
from hector_host.manager.tasks import log_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from grpc import StatusCode

    from hector_host.manager.health import Health
    from hector_host.manager.instance import Edition, Instance
    from hector_host.manager.lease import Lease
    from hector_host.manager.plugin import Plugin

LAST_WORDS = 1.0
"""Seconds for the calls of a process that has ended to hear of it."""
BROKEN_KEPT = 100
"""Calls whose connection broke that are remembered: they hear of a death sooner than the host does."""

QUIET = 0.02
"""Seconds without an answer after which a process is looked at before it gets a call: looking costs as much as a tenth
of a call, and a dead one is to be noticed before the call, which might not be worth a second attempt."""

STOPPED = "stopped by the host"
REPLACED = "replaced"

PERMANENT = frozenset({"exec", "handshake", "kind", "manifest", "options", "internal", "tls"})
"""Reasons that a new start of the same build with the same options does not mend."""

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who is told what happens to a replica."""

    def changed(self, replica: Replica, old: State, reason: str) -> None:
        """Its state is another one now."""

    async def died(self, replica: Replica, death: Death) -> None:
        """It ended. Its next start waits for this."""


class Replica:
    """One of the processes of a plugin, or one of its addresses.

    Attributes:
        number: From 1; unique in the plugin for as long as the host lives.
        edition: What it is started from.
        instance: Its newest start.
        state: Where it is.
        reason: Why.
        since: Since when, in seconds of Unix time.
        restarts: How often it was started again by itself.
        next_attempt: When it is started again, in seconds of Unix time; None: it is not.
        plugin: What takes calls; None while nothing does.
        well: It takes calls, and does well.
        error: Why the newest start failed, or how the newest instance ended; None while it takes calls.
        leases: The calls that it works on.
        settled: Set once its first start is over, for better or worse.
        opened: It took calls at least once.
    """

    def __init__(
        self, number: int, edition: Edition, make: Callable[[], Instance], listener: Listener, *, for_ever: bool
    ) -> None:
        self.number = number
        self.state = State.DISCOVERED
        self.reason = ""
        self.since = time.time()
        self.restarts = 0
        self.next_attempt: float | None = None
        self.plugin: Plugin | None = None
        self.well = False
        self.error: Exception | None = None
        self.leases: set[Lease] = set()
        self._broken: deque[Lease] = deque(maxlen=BROKEN_KEPT)
        self._vacant = asyncio.Event()
        self.settled = asyncio.Event()
        self.opened = False
        self.edition = edition
        self._make = make
        self._listener = listener
        self._for_ever = for_ever
        limit = edition.plugin.restart
        bound = restart.BOUND_LIMIT if edition.attachment is None else LONGEST_DELAY
        self._intensity = restart.Intensity(None if for_ever else limit.max_deaths, limit.window, bound)
        self._history = restart.History()
        self._health: Health | None = None
        self._contact = 0.0
        self._started = 0.0
        self._logged = 0
        self._kills = 0
        self._answered = False
        self._task: asyncio.Task[None] | None = None
        self._parting: set[asyncio.Task[None]] = set()
        self.instance = make()

    @property
    def in_flight(self) -> int:
        """Calls that it works on."""
        return len(self.leases)

    @property
    def deaths(self) -> int:
        """Deaths that count against it."""
        return len(self._history.deaths)

    @property
    def label(self) -> str:
        """`kind/name`, as messages name the plugin."""
        return label(self.instance.kind, self.edition.plugin.name)

    def start(self) -> None:
        """Begins its first start now; the rest follows by itself."""
        self._change(State.STARTING, "needed")
        error = self._begin()
        self._task = asyncio.create_task(self._live(error), name=f"plugin {self.edition.plugin.name} {self.number}")

    async def stop(self, grace: float, why: str = STOPPED) -> None:
        """Stops it, whatever it is doing, and removes every trace of it.

        Args:
            grace: Seconds for calls in flight.
            why: The reason of the changes of its state.
        """
        deadline = time.monotonic() + grace
        if self.state in SERVING:
            self.plugin, self.well = None, False
            self._change(State.DRAINING, why)
        await self._cancel()
        await self._drained(grace)
        await self._parted(max(0.0, deadline - time.monotonic()))
        await self.instance.close(max(0.0, deadline - time.monotonic()))
        self._stopped(why)

    def discard(self) -> None:
        """As `stop`, at once and without asking the plugin."""
        if self._task is not None:
            self._task.cancel()
        for parting in self._parting:
            parting.cancel()
        self.instance.discard()
        self._stopped(STOPPED)

    def released(self, lease: Lease, code: StatusCode | None) -> None:
        """A call has ended."""
        self.vacated(lease)
        name = None if code is None else code.name
        if name == "UNAVAILABLE":
            self._broken.append(lease)
        if self._health is None or lease.plugin is not self.plugin or name == "CANCELLED":
            return
        if name in {"DEADLINE_EXCEEDED", "UNAVAILABLE"}:
            self._health.failed(late=name == "DEADLINE_EXCEEDED")
        else:
            self._contact = time.monotonic()
            self._answered = True
            self._health.succeeded()

    def vacated(self, lease: Lease) -> None:
        """A place is free again."""
        self.leases.discard(lease)
        if not self.leases:
            self._vacant.set()

    def lives(self) -> bool:
        """Whether its process has not just died. Asks the system where nothing was heard of it for a while."""
        if self.instance.over:
            return False
        now = time.monotonic()
        if now - self._contact > QUIET:
            if self.plugin is None or self.plugin.failure is not None:
                return False
            self._contact = now
        return True

    def checked(self) -> None:
        """It answered a check: what the kernel killed until now was not this one."""
        self._kills = self.edition.kills.read()
        self._answered = True

    def recovered(self) -> None:
        """Its checks and calls are answered again."""
        if self.state in SERVING:  # it may have been told to stop in this very moment
            self.well = True
            self._change(State.READY, "healthy")

    def unwell(self, reason: str) -> None:
        """It takes calls and does not do well."""
        if self.state in SERVING:
            self.well = False
            self._change(State.DEGRADED, reason)

    async def _live(self, error: Exception | None) -> None:
        while True:
            death = await self._serve(error)
            await self._noted(death)
            if death.verdict.delay is None:
                return
            await asyncio.sleep(death.ended + death.verdict.delay - time.monotonic())
            self.restarts += 1
            self.next_attempt = None
            self.instance = self._make()
            self._change(State.STARTING, "next attempt")
            error = self._begin()

    async def _noted(self, death: Death) -> None:
        try:
            await self._listener.died(self, death)
        except Exception:  # noqa: BLE001 (what could not be noted of a death must not keep the plugin down)
            _log.exception("%s: its death could not be noted", self.label)

    def _begin(self) -> Exception | None:
        """Spawns or dials; what went wrong with that."""
        self._started = time.time()
        self._answered = False
        self._logged = self.edition.book.lines
        self._kills = self.edition.kills.read()
        try:
            self.instance.start()
        except Exception as error:  # noqa: BLE001 (it is what this start came to)
            return error
        return None

    async def _serve(self, error: Exception | None) -> Death:
        """One instance, from its start to its end."""
        instance = self.instance
        try:
            plugin = await self._opened(instance, error)
        except Exception as failure:  # noqa: BLE001 (whoever waits for the plugin gets it)
            return self._stillborn(failure)
        opened = time.monotonic()
        self.plugin, self.error, self.well, self.opened = plugin, None, True, True
        self._change(State.READY, "healthy")
        reason = await self._watch(instance, plugin)
        ended = instance.failure() or PluginError(f"{self.label}: {WORDS.get(reason, reason)}", self._log_step())
        death = self._end(reason, ended, opened, permanent=False)
        await self._bury(instance)
        return death

    async def _bury(self, instance: Instance) -> None:
        """Removes what is left of an instance; the calls that it had hear of its end before their connection goes."""
        try:
            await instance.bury()
            if instance.address:
                self._part(instance)
                return
            await self._drained(LAST_WORDS)
            await instance.close(LAST_WORDS)
        except Exception:  # noqa: BLE001 (what could not be removed must not keep the plugin down)
            _log.exception("%s: could not be cleaned up", self.label)

    def _part(self, instance: Instance) -> None:
        """Lets go of a connection once its calls have ended: whoever closes it in peace goes on answering them."""
        parting = asyncio.create_task(instance.close(call_timeout(self.edition.plugin)), name=f"{self.label} is let go")
        self._parting.add(parting)
        parting.add_done_callback(self._parting.discard)
        parting.add_done_callback(log_failure)

    async def _parted(self, limit: float) -> None:
        """Ends what is left of earlier connections."""
        if self._parting:
            await asyncio.wait(self._parting, timeout=limit)
        for parting in tuple(self._parting):
            parting.cancel()
        await asyncio.gather(*self._parting, return_exceptions=True)

    async def _drained(self, limit: float) -> None:
        """Waits until every place is free: one that was given away may not have been used yet."""
        self._vacant.clear()
        if self.leases and limit > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    await self._vacant.wait()

    async def _opened(self, instance: Instance, error: Exception | None) -> Plugin:
        """What takes calls; an instance that does not get there is taken away."""
        try:
            if error is None:
                return await instance.open()
        except BaseException:
            await instance.close(0)
            raise
        await instance.close(0)
        raise error

    def _stillborn(self, failure: Exception) -> Death:
        """A start went wrong."""
        edition = self.edition
        logged = edition.book.last(SHOWN_LINES, self._logged)  # earlier starts said the same
        error, reason = explained(failure, self.label, edition.plugin, edition.config, logged)
        # What somebody else runs may be mended there, and a certificate that is being renewed is whole in a moment.
        permanent = not self._for_ever and (reason in PERMANENT or not isinstance(failure, Failure))
        return self._end(reason, error, None, permanent=permanent)

    async def _watch(self, instance: Instance, plugin: Plugin) -> str:
        """Waits until the instance has ended, or has to be ended; why."""
        from hector_host.manager.health import Health

        steadfast = self.edition.attachment is not None
        self._health = Health(plugin, self, self.edition.plugin.max_concurrency, steadfast=steadfast)
        waits = [asyncio.ensure_future(instance.ended()), asyncio.ensure_future(self._health.lost())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return next(each for each in waits if each.done()).result()
        except Exception:  # noqa: BLE001 (a bug: who is not watched has to go, lest it be taken for well for ever)
            _log.exception("%s: cannot be watched", self.label)
            return "internal"
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
            self._health = None

    def _end(self, reason: str, error: Exception, opened: float | None, *, permanent: bool) -> Death:
        """Notes the end of an instance, and decides what follows. Callers hear of it before anything is cleaned up."""
        if reason == KILLED and self.edition.kills.rose_since(self._kills):
            reason = OUT_OF_MEMORY
            if isinstance(error, HectorError):
                error = type(error)(f"{error.what}: the system killed it for want of memory", error.step)
        now = time.monotonic()
        verdict = restart.after_death(
            self._history,
            self._intensity,
            now=now,
            ready_for=0.0 if opened is None else now - opened,
            answered=self._answered,
            permanent=permanent,
            chance=random.random(),  # noqa: S311 (spreads restarts; nobody gains by guessing it)
        )
        death = Death(
            reason=reason,
            error=error,
            started=self._started,
            ended=now,
            pid=self.instance.pid,
            version=self.plugin.version if self.plugin is not None else "",
            leases=(*self.leases, *(lease for lease in self._broken if now - lease.ended < LAST_WORDS)),
            verdict=verdict,
        )
        self._history = verdict.history
        self.plugin, self.error, self.well = None, error, False
        self.next_attempt = None if verdict.delay is None else time.time() + verdict.delay
        self._change(State.FAILED if verdict.gives_up else State.BACKOFF, reason)
        return death

    def _log_step(self) -> str:
        return f"Its log: {self.edition.book.path}"

    async def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    def _stopped(self, why: str) -> None:
        self.plugin, self.well, self.next_attempt = None, False, None
        if self.error is None:
            self.error = PluginError(f"{self.label}: was {STOPPED}")
        if self.state not in {State.FAILED, State.STOPPED}:
            self._change(State.STOPPED, why)

    def _change(self, new: State, reason: str) -> None:
        old, self.state, self.reason, self.since = self.state, new, reason, time.time()
        if new is not State.STARTING:
            self.settled.set()
        self._listener.changed(self, old, reason)
