"""All replicas of one edition of a plugin: as many processes as are wanted, or one connection per address.

What the name of an address resolves to may change: the list follows it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hector_host.errors import PluginError
from hector_host.manager.connect.attached import AttachedInstance
from hector_host.manager.connect.remote import RemoteInstance
from hector_host.manager.launch.local import LocalInstance
from hector_host.manager.plugin import label
from hector_host.manager.replica import STOPPED, Replica
from hector_host.manager.states import SERVING, State
from hector_host.manager.tasks import log_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hector_host.manager.connect.addresses import Resolver, Target
    from hector_host.manager.instance import Edition, Instance
    from hector_host.manager.plugin import Plugin
    from hector_host.manager.replica import Listener

_ORDER = (State.STARTING, State.DRAINING, State.BACKOFF, State.FAILED, State.STOPPED, State.DISCOVERED)
"""Of replicas that take no calls, the one nearest to taking them tells how the plugin is."""


class Generation:
    """The replicas of one edition.

    Attributes:
        edition: What they are started from.
        replicas: In the order of their numbers; those of an address change with it.

    Args:
        numbers: Gives each replica its number.
        listener: Told what happens to each.
        moved: Told when the list has changed.
    """

    def __init__(self, edition: Edition, numbers: Iterator[int], listener: Listener, moved: Callable[[], None]) -> None:
        self.edition = edition
        self.replicas: list[Replica] = []
        self._numbers = numbers
        self._listener = listener
        self._moved = moved
        self._following: asyncio.Task[None] | None = None
        self._resolver: Resolver | None = None
        self._leaving: dict[asyncio.Task[None], Replica] = {}
        self._populated = asyncio.Event()
        self._fault: PluginError | None = None

    @property
    def state(self) -> State:
        """That of all replicas taken together."""
        if not self.replicas:
            return State.STARTING if self._fault is None else State.FAILED
        return self.representative.state if self._even() else State.DEGRADED

    @property
    def representative(self) -> Replica:
        """The replica that tells how the plugin is, where one has to."""
        serving = [replica for replica in self.replicas if replica.state in SERVING]
        if serving:
            return next((replica for replica in self.replicas if replica.state is not State.READY), serving[0])
        return min(self.replicas, key=lambda replica: _ORDER.index(replica.state))

    @property
    def exclusive(self) -> bool:
        """Its process owns a data directory, so that no second one may run beside it."""
        attachment = self.edition.attachment
        if attachment is not None:
            return attachment.guarded
        return any(replica.instance.exclusive for replica in self.replicas)

    @property
    def settled(self) -> bool:
        """Its first start is over, for better or worse."""
        return self._populated.is_set() and all(replica.settled.is_set() for replica in self.replicas)

    def start(self) -> None:
        """Begins the first start of every replica."""
        if self.edition.plugin.address is not None:
            self._following = asyncio.create_task(self._follow(), name=f"addresses of {self.edition.plugin.name}")
            self._following.add_done_callback(log_failure)
            return
        for _ in range(self.edition.plugin.replicas):
            self._add(None)
        self._populated.set()

    def peek(self) -> Plugin | None:
        """The first that takes calls: always the same one while it does."""
        return next((replica.plugin for replica in self.replicas if replica.plugin is not None), None)

    async def ready(self) -> Plugin:
        """One that takes calls, as soon as there is one.

        Raises:
            StartError, ConfigError, PluginError: Each of them has ended, or did not start.
        """
        await self._populated.wait()
        while (plugin := self.peek()) is None:
            starting = [replica for replica in self.replicas if not replica.settled.is_set()]
            if not starting:
                raise self.error
            waits = [asyncio.ensure_future(replica.settled.wait()) for replica in starting]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        return plugin

    async def all_ready(self) -> list[Plugin]:
        """Waits until every replica takes calls; of several addresses, until it is known which ones do.

        Raises:
            StartError, ConfigError, PluginError: One of them has ended, or did not start.
        """
        await self.ready()
        for replica in tuple(self.replicas):
            await replica.settled.wait()
        up = [replica.plugin for replica in self.replicas if replica.plugin is not None]
        if not up or (self.edition.plugin.address is None and len(up) < len(self.replicas)):
            raise self.error
        return up

    @property
    def error(self) -> Exception:
        """Why nobody takes calls."""
        error = next((replica.error for replica in self.replicas if replica.error is not None), self._fault)
        if error is None:
            plugin = self.edition.plugin
            return PluginError(f"{label(plugin.kind, plugin.name)}: was {STOPPED}")
        return error.with_traceback(None)  # raised to each caller, it would gather all their frames

    async def stop(self, grace: float, why: str = STOPPED) -> None:
        """Stops every replica.

        Args:
            grace: Seconds for calls in flight.
            why: The reason of the changes of their states.
        """
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait((self._following,))
        self._populated.set()
        stops = [*(replica.stop(grace, why) for replica in self.replicas), *self._leaving]
        for outcome in await asyncio.gather(*stops, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    def lost(self) -> None:
        """A replica has ended: the name of its address may stand for another one by now."""
        if self._resolver is not None:
            self._resolver.lost()

    def discard(self) -> None:
        """As `stop`, at once and without asking anybody."""
        if self._following is not None:
            self._following.cancel()
        for leaving in self._leaving:
            leaving.cancel()
        self._populated.set()
        for replica in (*self.replicas, *self._leaving.values()):
            replica.discard()

    def _even(self) -> bool:
        serving = [replica.state in SERVING for replica in self.replicas]
        return all(serving) or not any(serving)

    def _add(self, target: Target | None) -> None:
        replica = Replica(
            next(self._numbers),
            self.edition,
            lambda: self._instance(target),
            self._listener,
            for_ever=target is not None,
        )
        self.replicas.append(replica)
        replica.start()

    def _instance(self, target: Target | None) -> Instance:
        edition = self.edition
        if target is None:
            return LocalInstance(edition)
        if edition.attachment is not None:
            return AttachedInstance(edition, edition.attachment, target)
        return RemoteInstance(edition.plugin, edition.config, edition.book, target)

    async def _follow(self) -> None:
        """Keeps one replica for each address that the name stands for."""
        try:
            await self._keep_up()
        except Exception as error:  # a bug: whoever waits for the first replica must not wait for ever
            plugin = self.edition.plugin
            who, what = label(plugin.kind, plugin.name), f"internal error: {type(error).__name__}"
            self._fault = PluginError(
                f"{who}: its address is not followed: {what}",
                f"This is a bug of Hector. To follow it again: hector plugin reload {plugin.name}",
            )
            self._populated.set()
            self._moved()
            raise

    async def _keep_up(self) -> None:
        from hector_host.manager.connect.addresses import Resolver

        async with Resolver(self.edition.plugin) as resolver:
            self._resolver = resolver
            async for targets in resolver.watch():
                known = {replica.instance.address for replica in self.replicas}
                for target in targets:
                    if target.address not in known:
                        self._add(target)
                self._populated.set()
                wanted = {target.address for target in targets}
                for replica in [each for each in self.replicas if each.instance.address not in wanted]:
                    self._let_go(replica)
                self._moved()

    def _let_go(self, replica: Replica) -> None:
        self.replicas.remove(replica)
        name = f"replica {replica.number} of {self.edition.plugin.name} leaves"
        leaving = asyncio.create_task(self._stop(replica), name=name)
        self._leaving[leaving] = replica
        leaving.add_done_callback(self._leaving.pop)
        leaving.add_done_callback(log_failure)

    async def _stop(self, replica: Replica) -> None:
        try:
            await replica.stop(self.edition.grace)
        finally:
            replica.discard()
