"""One plugin of the configuration for as long as the host lives: its replicas, its calls, its replacement.

Replicas come and go; callers never learn of it unless nobody takes calls. A replacement starts beside what it replaces,
has to take calls and pass a smoke check, and only then calls go to it; what was replaced finishes what it has. A
process that somebody attaches is a replacement too.
"""

from __future__ import annotations

import asyncio
import time
from itertools import count
from typing import TYPE_CHECKING

from hector_host.errors import HectorError, PluginError
from hector_host.manager import notices, outage, replacement
from hector_host.manager.admission import Admission, QueueFullError, in_flight
from hector_host.manager.attachment import Attachment, attached
from hector_host.manager.generation import Generation
from hector_host.manager.plugin import call_timeout, label
from hector_host.manager.replica import REPLACED, STOPPED
from hector_host.manager.states import OUT, State, StateChange
from hector_host.manager.status import PluginStatus, replica_status
from hector_host.manager.tasks import log_failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hector_host.config import PluginConfig
    from hector_host.manager.death import Death
    from hector_host.manager.instance import Edition
    from hector_host.manager.lease import Lease, Ticket
    from hector_host.manager.plugin import Plugin
    from hector_host.manager.replica import Replica


class Supervisor:
    """One plugin.

    Args:
        edition: What it is started from.
        on_change: Told of every change of a replica's state.
        on_death: Told of every end of a replica.
        notice: Told what is not enforced of its configuration, with its first start.
    """

    def __init__(
        self,
        edition: Edition,
        on_change: Callable[[StateChange], None],
        on_death: Callable[[Edition, Replica, Death], Awaitable[None]],
        notice: Callable[[str], None],
    ) -> None:
        self._edition = edition
        self._attached: Edition | None = None
        self._stirred = asyncio.Event()
        self._on_change = on_change
        self._on_death = on_death
        self._notice = notice
        self._numbers = count(1)
        self._current: Generation | None = None
        self._others: set[Generation] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._replacing = asyncio.Lock()
        self._exchanging = False
        self._stopped = False
        self._admission = Admission(edition.plugin.max_concurrency, edition.plugin.max_queue)

    @property
    def name(self) -> str:
        """Its key in the configuration."""
        return self._edition.plugin.name

    @property
    def plugin(self) -> PluginConfig:
        """Its part of the configuration, as what is attached changes it."""
        return self._wanted.plugin

    @property
    def edition(self) -> Edition:
        """What a process of its own is started from."""
        return self._edition

    @property
    def attachment(self) -> Attachment | None:
        """Where its calls go instead of to processes of its own."""
        return None if self._attached is None else self._attached.attachment

    @property
    def state(self) -> State:
        """That of its replicas taken together."""
        current = self._current
        if current is None:
            return State.DISCOVERED
        return State.STARTING if self._exchanging else current.state

    @property
    def label(self) -> str:
        """`kind/name`, as messages name it."""
        replicas = self._current.replicas if self._current is not None else ()
        return replicas[0].label if replicas else label(self.plugin.kind, self.name)

    def adopt(self, edition: Edition) -> None:
        """What the next start is from. What runs goes on: nothing of it is another."""
        self._edition = edition

    def start(self) -> None:
        """Begins its first start; a second call does nothing, nor does one after the host has stopped it."""
        if self._current is not None or self._stopped:
            return
        unenforced = notices.unenforced(self.plugin)
        if unenforced is not None:
            self._notice(unenforced)
        self._current = self._generation(self._edition)
        self._current.start()

    def serving(self) -> Plugin | None:
        """What takes calls: always the same one while it does. None when nothing does."""
        return None if self._current is None else self._current.peek()

    async def ready(self, patience: float = 0.0) -> Plugin:
        """As `serving`, as soon as something takes calls; starts it if nobody has.

        Args:
            patience: Seconds to wait for a plugin that is down.

        Raises:
            StartError: It never became ready.
            ConfigError: It rejects its options, or its manifest is wrong.
            CallError: It is down.
        """
        self.start()
        while (plugin := self.serving()) is None:
            current = self._current
            if current is None or current.settled:
                await self._admission.opened(patience)
                continue
            try:
                return await current.ready()
            except HectorError:
                if current is self._current:  # it was not replaced meanwhile
                    raise
        return plugin

    def take(self, ticket: Ticket) -> Lease | None:
        """A place for a call, if there is one at once."""
        return self._admission.take(ticket)

    async def lease(self, ticket: Ticket, patience: float) -> Lease:
        """A place for a call, as soon as there is one; the caller gives it back.

        Waits for the first start however long that takes; afterwards for a restart, and for its turn.

        Args:
            patience: Seconds to wait for a plugin that is down.

        Raises:
            StartError: It never became ready.
            ConfigError: It rejects its options, or its manifest is wrong.
            CallError: It is down, or has more calls than it may.
        """
        if not (self._stopped or (self._current is not None and self._current.settled)):
            await self.ready(patience)
        limit = max(patience, call_timeout(self.plugin))
        try:
            return await self._admission.wait(ticket, patience, limit)
        except QueueFullError:
            what, code = f"has {self._admission.queued} calls waiting", "RESOURCE_EXHAUSTED"
        except TimeoutError:
            what, code = f"had no place for {ticket.method} within {limit:g} s", "DEADLINE_EXCEEDED"
        raise outage.busy(self.label, self.plugin, what, code)

    async def reload(self, edition: Edition) -> None:
        """Replaces what runs by a start from this edition; calls move over without one being lost.

        Raises:
            StartError, ConfigError: The replacement does not start, or fails its first call. What ran before goes on.
        """
        async with self._replacing:
            await self._go_over(edition, self.attachment)

    async def attach(self, address: str) -> None:
        """Routes its calls to a process that somebody else runs, until `detach`; no call is lost.

        One of its own that owns the data directory is ended first; calls wait then until somebody answers there.

        Raises:
            StartError, ConfigError: Who is there cannot take its place. What ran before goes on.
        """
        self.start()
        async with self._replacing:
            await self._go_over(self._edition, Attachment(address, self._owner))

    async def detach(self) -> None:
        """Routes its calls to processes of its own again, of its newest edition; no call is lost.

        Those that own the data directory are started once the attached one has ended.

        Raises:
            PluginError: It is not attached.
            StartError, ConfigError: Its own does not start. It stays attached.
        """
        async with self._replacing:
            if self.attachment is None:
                raise PluginError(f"{self.label}: is not attached", "Its calls go where the configuration says.")
            await self._go_over(self._edition, None)

    def status(self) -> PluginStatus:
        """How it is at this moment."""
        current = self._current
        replicas = current.replicas if current is not None else []
        every = [replica for generation in self._generations for replica in generation.replicas]
        one = current.representative if current is not None and replicas else None
        serving = self.serving()
        kinds = [replica.instance.kind for replica in replicas if replica.instance.kind is not None]
        return PluginStatus(
            name=self.name,
            kind=kinds[0] if kinds else self.plugin.kind,
            state=self.state,
            reason=one.reason if one is not None else "",
            since=one.since if one is not None else 0.0,
            version=serving.version if serving is not None else "",
            source=self._edition.plugin.source,
            in_flight=in_flight(every),
            queued=self._admission.queued,
            calls=self._admission.calls,
            failures=self._admission.failures,
            restarts=sum(replica.restarts for replica in replicas),
            next_attempt=min(outage.attempts(replicas), default=None),
            attached=self.attachment.address if self.attachment else "",
            data=self._edition.data,
            exclusive=self._owner,
            replicas=tuple(replica_status(replica) for replica in sorted(every, key=lambda each: each.number)),
        )

    async def stop(self, grace: float) -> None:
        """Stops it, whatever it is doing, and removes every trace of it.

        Args:
            grace: Seconds for calls in flight.
        """
        self._stopped = True
        self._admission.close(self._outage, None)
        stops = (generation.stop(grace) for generation in self._generations)
        outcomes: list[BaseException | None] = await asyncio.gather(*stops, return_exceptions=True)
        async with self._replacing:  # a replacement under way fails by that, and takes itself away
            outcomes += await asyncio.gather(*self._leaving, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def discard(self) -> None:
        """As `stop`, at once and without asking the plugin."""
        self._stopped = True
        for leaving in self._leaving:
            leaving.cancel()
        for generation in self._generations:
            generation.discard()
        self._admission.close(self._outage, None)

    def changed(self, replica: Replica, old: State, reason: str) -> None:
        """A replica's state is another one now."""
        self._stirred.set()
        current = self._current
        if current is not None and replica in current.replicas:
            self._regulate(current)
        self._on_change(StateChange(self.name, old, replica.state, reason, replica.number))

    async def died(self, replica: Replica, death: Death) -> None:
        """A replica has ended, or did not start."""
        if self._current is not None:
            self._current.lost()
        await self._on_death(replica.edition, replica, death)

    @property
    def _wanted(self) -> Edition:
        """What calls are to go to."""
        return self._attached or self._edition

    @property
    def _owner(self) -> bool:
        """It owns its data directory, as far as that is known: known once it was started."""
        return self.attachment.owner if self.attachment else self._current is not None and self._current.exclusive

    @property
    def _generations(self) -> set[Generation]:
        """All of which something may run."""
        return self._others if self._current is None else {self._current, *self._others}

    def _generation(self, edition: Edition) -> Generation:
        return Generation(edition, self._numbers, self, self._moved)

    def _moved(self) -> None:
        if self._current is not None:
            self._regulate(self._current)

    def _regulate(self, current: Generation) -> None:
        """Calls go to what takes them; who waits for what does not come is told."""
        if self._exchanging or self._stopped:
            return
        self._admission.replicas = current.replicas
        if current.peek() is not None:
            self._admission.open()
        elif current.state in OUT:
            attempts = outage.attempts(current.replicas)
            soonest = min(attempts) - time.time() if attempts else None
            self._admission.close(self._outage, soonest)

    async def _go_over(self, edition: Edition, attachment: Attachment | None) -> None:
        if self._stopped:
            raise self._outage()
        before = self._edition, self._attached
        self._edition = edition
        self._attached = None if attachment is None else attached(edition, attachment)
        if self._current is None:
            self._admission.limit(self.plugin)
            return
        try:
            await self._replace(self._current)
        except BaseException:
            if self._edition is edition:  # otherwise there is a newer one meanwhile
                self._edition = before[0]
            self._attached = before[1]
            raise

    async def _replace(self, old: Generation) -> None:
        new = self._generation(self._wanted)
        self._others.add(new)
        try:
            if replacement.collide(old, new):
                await self._freed(old)
                await self._exchange(old, new)
            else:
                new.start()
                await replacement.prove(new, old.peek(), self._stirred)
                self._switch(new)
                self._retire(old)
        except BaseException:
            await self._let_go(new, 0, STOPPED)
            raise
        self._others.discard(new)

    async def _freed(self, old: Generation) -> None:
        """Waits until an attached process has let go of the data directory. Calls wait meanwhile."""
        if old.edition.attachment is None:
            return
        self._exchanging = True
        self._admission.replicas = ()
        self._admission.pause()
        try:
            await replacement.freed(self.label, old)
        except BaseException:
            self._exchanging = False
            self._regulate(old)
            raise

    async def _exchange(self, old: Generation, new: Generation) -> None:
        """Stops the old before the new starts, since both need the same directory. Calls wait meanwhile."""
        serving = old.peek()
        self._exchanging = True
        self._admission.pause()
        try:
            await asyncio.shield(self._retire(old))  # its calls finish even if the replacement is given up
            if not self._stopped:  # otherwise so is the new one, and says so
                new.start()
            await replacement.prove(new, serving, self._stirred)
        except BaseException:
            self._exchanging = False
            if not self._stopped:
                again = self._generation(old.edition)
                self._switch(again)
                again.start()
            raise
        self._switch(new)

    def _switch(self, new: Generation) -> None:
        self._current = new
        self._exchanging = False
        self._admission.limit(self.plugin)
        self._regulate(new)

    def _retire(self, old: Generation) -> asyncio.Task[None]:
        self._others.add(old)
        leaving = asyncio.create_task(self._let_go(old, old.edition.grace, REPLACED), name=f"{self.name} is replaced")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        leaving.add_done_callback(log_failure)
        return leaving

    async def _let_go(self, generation: Generation, grace: float, why: str) -> None:
        try:
            await generation.stop(grace, why)
        finally:
            generation.discard()
            self._others.discard(generation)

    def _outage(self) -> Exception:
        """Why it takes no calls, and when that may change."""
        return outage.outage(self.label, self._current, stopped=self._stopped)
