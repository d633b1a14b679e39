"""The plugins of a configuration: started side by side when they are needed, and all taken away in the end."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from hector_host.errors import HectorError
from hector_host.manager.instance import Edition
from hector_host.manager.launch import transport
from hector_host.manager.logs.logbook import Logbook
from hector_host.manager.processes import family
from hector_host.manager.processes.custody import Warden
from hector_host.manager.processes.memory import OomCounter
from hector_host.manager.status import ConfigChanges
from hector_host.manager.supervisor import Supervisor
from hector_host.manager.tasks import log_failure
from hector_host.manager.terminations import Terminations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from hector_host.config import Config
    from hector_host.manager.death import Death
    from hector_host.manager.dossier import Dossier
    from hector_host.manager.lease import Lease, Ticket
    from hector_host.manager.logs.lines import Record
    from hector_host.manager.plugin import Plugin
    from hector_host.manager.replica import Replica
    from hector_host.manager.states import State, StateChange
    from hector_host.manager.status import PluginStatus

GRACE = 5.0
"""Seconds that calls in flight get when the manager is left."""

CHANGES_KEPT = 1000
"""Changes that wait for one slow reader."""

_log = logging.getLogger(__name__)


class Manager:
    """The plugins of one configuration. An async context manager: when it is left, nothing that it started is left.

    However it is left: by an error, by cancellation, by Ctrl-C under `asyncio.run`, or by SIGTERM or SIGHUP. Those two
    cancel the task that entered it and, once all is stopped, become SystemExit(128 + number), unless somebody else
    handles them.

    Attributes:
        config: The configuration, in its newest form.

    Args:
        config: Names the plugins.
        on_change: Told of every change of a replica's state. Must not raise.
        on_log: Told of every line that a plugin writes, with the plugin's name.
        notice: Told what is not enforced of a plugin's configuration, one line per start. By default a logged warning.
        grace: Seconds that calls in flight get at the end.
        lasting: Errors tell when a plugin that is down is started again; False where the host ends with its command.
    """

    def __init__(  # noqa: PLR0913 (each may be left out, but the configuration)
        self,
        config: Config,
        on_change: Callable[[StateChange], None] | None = None,
        *,
        on_log: Callable[[str, Record], None] | None = None,
        notice: Callable[[str], None] | None = None,
        grace: float = GRACE,
        lasting: bool = True,
    ) -> None:
        self.config = config
        self._on_change = on_change
        self._on_log = on_log
        self._notice = notice or _log.warning
        self._grace = grace
        self._lasting = lasting
        self._supervisors: dict[str, Supervisor] = {}
        self._behind: set[str] = set()
        self._removed: dict[asyncio.Task[None], Supervisor] = {}
        self._watchers: set[asyncio.Queue[StateChange]] = set()
        self._kills = OomCounter()
        self._left = False
        self._scope = ExitStack()
        self._warden = Warden()
        self._terminations = Terminations()

    async def __aenter__(self) -> Self:
        transport.chosen(os.environ)  # if that is wrong, it is wrong for all plugins
        with suppress(OSError):  # who needs the folder says so
            self.config.storage.path.mkdir(mode=0o700, parents=True, exist_ok=True)  # conversations are private
        self._terminations.watch()
        if any(plugin.address is None for plugin in self.config.plugins.values()):
            self._warden.start()
        self._scope.enter_context(family.subreaper())
        self._scope.callback(self._warden.close)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        cancelled = kind is asyncio.CancelledError
        self._left = True
        everyone = [*self._supervisors.values(), *self._removed.values()]
        try:
            stops = [*(supervisor.stop(self._grace) for supervisor in self._supervisors.values()), *self._removed]
            outcomes = await asyncio.gather(*stops, return_exceptions=True)
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            with self._scope:  # whatever one of them raises, the others are discarded too
                self._scope.callback(self._terminations.forget)
                for supervisor in everyone:
                    self._scope.callback(supervisor.discard)
            if cancelled and self._terminations.received:
                raise SystemExit(128 + self._terminations.received)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def start(self, names: Iterable[str]) -> None:
        """Spawns the processes of these plugins at once; those that were started before are left alone.

        Raises:
            NotFoundError: The configuration has no plugin of a name; none is started then.
        """
        for supervisor in [self._supervisor(name) for name in names]:
            supervisor.start()

    async def ready(self, name: str, patience: float = 0.0) -> Plugin:
        """The plugin, once it takes calls; starts it if nobody has. Callers share one start.

        Args:
            patience: Seconds to wait for a plugin that is down.

        Raises:
            NotFoundError: The configuration has no such plugin.
            StartError: It never became ready.
            ConfigError: It rejects its options, or its manifest is wrong.
            CallError: It is down; says when it is started again.
        """
        return await self._supervisor(name).ready(patience)

    def serving(self, name: str) -> Plugin | None:
        """The plugin, if it takes calls.

        Raises:
            NotFoundError: The configuration has no such plugin.
        """
        return self._supervisor(name).serving()

    def take(self, name: str, ticket: Ticket) -> Lease | None:
        """As `lease`, if there is a place at once."""
        supervisor = self._supervisors.get(name)
        return None if supervisor is None else supervisor.take(ticket)

    async def lease(self, name: str, ticket: Ticket, patience: float = 0.0) -> Lease:
        """A place for one call of the plugin, at the least loaded of its replicas. Who calls gives it back.

        Args:
            patience: Seconds to wait for a plugin that is down.

        Raises:
            NotFoundError: The configuration has no such plugin.
            StartError: It never became ready.
            ConfigError: It rejects its options, or its manifest is wrong.
            CallError: It is down, or has more calls than it may.
        """
        return self.take(name, ticket) or await self._supervisor(name).lease(ticket, patience)

    async def reload(self, name: str) -> None:
        """Replaces what runs of a plugin by a new start of what is on disk now, without losing a call.

        Raises:
            NotFoundError: The configuration has no such plugin.
            StartError: The new one does not start, or fails its first call. The old one goes on.
            ConfigError: The new one rejects its options, or its manifest is wrong. The old one goes on.
        """
        self._supervisor(name)
        await self._replace(name)

    async def attach(self, name: str, address: str) -> None:
        """Routes the calls of a plugin to a process that somebody else runs, without losing one. See `Supervisor`.

        Raises:
            NotFoundError: The configuration has no such plugin.
            StartError: Nobody answers there, or not that plugin. What ran before goes on.
            ConfigError: Who is there rejects its options. What ran before goes on.
        """
        await self._supervisor(name).attach(address)

    async def detach(self, name: str) -> None:
        """Routes the calls of an attached plugin to its own again, in its newest form, without losing one.

        Raises:
            NotFoundError: The configuration has no such plugin.
            PluginError: It is not attached.
            StartError: Its own does not start. It stays attached.
            ConfigError: Its own rejects its options, or its manifest is wrong. It stays attached.
        """
        await self._supervisor(name).detach()
        self._behind.discard(name)

    def attached(self, name: str) -> str:
        """The address to which a plugin is attached; empty for none.

        Raises:
            NotFoundError: The configuration has no such plugin.
        """
        return self._supervisor(name).status().attached

    async def apply(self, config: Config) -> ConfigChanges:
        """Goes over to a changed configuration without losing a call. Returns once all replacements serve or failed.

        Its storage path does not change with it: that needs another host. What is attached stays so as it is.
        """
        from hector_host.config.differences import differences

        found = differences(self.config, config)
        self.config = config
        for name in found.removed:
            self._behind.discard(name)
            supervisor = self._supervisors.pop(name, None)
            if supervisor is not None:
                self._let_go(supervisor)
        other = self._behind.union(found.changed)
        for name, supervisor in self._supervisors.items():
            attachment = supervisor.attachment
            if name not in other or attachment is not None:
                supervisor.adopt(self._edition(supervisor))
            if name in found.changed and attachment is not None:
                self._notice(f"plugin {name}: stays attached to {attachment.address}: its changes count once it is not")
        changed = [name for name in self._supervisors if name in other and not self._supervisors[name].attachment]
        outcomes = await asyncio.gather(*map(self._replace, changed), return_exceptions=True)
        failed = {}
        for name, outcome in zip(changed, outcomes, strict=True):
            if isinstance(outcome, HectorError):
                failed[name] = outcome
            elif isinstance(outcome, BaseException):
                raise outcome
        return ConfigChanges(found.added, found.removed, tuple(dict.fromkeys((*found.changed, *changed))), failed)

    def statuses(self) -> list[PluginStatus]:
        """How every plugin of the configuration is, in the configuration's order; those never started too."""
        return [self.status(name) for name in self.config.plugins]

    def status(self, name: str) -> PluginStatus:
        """How one plugin is.

        Raises:
            NotFoundError: The configuration has no such plugin.
        """
        return self._supervisor(name).status()

    def state(self, name: str) -> State:
        """Where a plugin is.

        Raises:
            NotFoundError: The configuration has no such plugin.
        """
        return self._supervisor(name).state

    def dossier(self, name: str) -> Dossier | None:
        """How a plugin died last, in this host or an earlier one; None: it never did.

        Raises:
            NotFoundError: The configuration has no such plugin.
        """
        from hector_host.manager import dossier

        return dossier.read(dossier.folder_in(self.config.storage.path), self.config.plugin(name).name, self._notice)

    @contextmanager
    def changes(self) -> Iterator[asyncio.Queue[StateChange]]:
        """A queue that gets every change from now on; who reads it too slowly loses the oldest."""
        queue: asyncio.Queue[StateChange] = asyncio.Queue(CHANGES_KEPT)
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)

    def redact(self, text: str) -> str:
        """The text without the secrets of the configuration."""
        return self.config.redact(text)

    def _supervisor(self, name: str) -> Supervisor:
        supervisor = self._supervisors.get(name)
        if supervisor is None:
            plugin, book = self.config.plugin(name), self._book(name)
            edition = Edition(plugin, self.config, book, self._warden, self._kills, lasting=self._lasting)
            supervisor = Supervisor(edition, self._changed, self._died, self._notice)
            self._supervisors[name] = supervisor
            if self._left:
                supervisor.discard()  # who comes too late starts nothing
        return supervisor

    async def _replace(self, name: str) -> None:
        """Has a plugin replaced by what the newest configuration says of it."""
        supervisor = self._supervisors[name]
        self._behind.add(name)  # until it is there, it runs as an earlier configuration said
        await supervisor.reload(self._edition(supervisor))
        self._behind.discard(name)

    def _edition(self, supervisor: Supervisor) -> Edition:
        """The plugin as the newest configuration has it."""
        return replace(supervisor.edition, plugin=self.config.plugin(supervisor.name), config=self.config)

    def _let_go(self, supervisor: Supervisor) -> None:
        leaving = asyncio.create_task(supervisor.stop(supervisor.edition.grace), name=f"{supervisor.name} is removed")
        self._removed[leaving] = supervisor
        leaving.add_done_callback(self._removed.pop)
        leaving.add_done_callback(log_failure)

    def _changed(self, change: StateChange) -> None:
        for queue in self._watchers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(change)
        if self._on_change is not None:
            self._on_change(change)

    async def _died(self, edition: Edition, replica: Replica, death: Death) -> None:
        from hector_host.manager import autopsy, dossier

        if edition.attachment is not None:
            return  # not the plugin's own death, of which its user may want to read while looking for it
        found = autopsy.dossier(edition, replica, death)
        await asyncio.to_thread(dossier.write, dossier.folder_in(self.config.storage.path), found, self._notice)

    def _book(self, name: str) -> Logbook:
        on_log = self._on_log
        watch = None if on_log is None else lambda record: on_log(name, record)
        return Logbook(self.config.storage.path / "logs" / f"{name}.log", self.redact, watch)
