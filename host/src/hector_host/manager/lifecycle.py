"""One plugin from its first start to its stop: the only place where its state changes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hector_host.errors import PluginError
from hector_host.manager import notices
from hector_host.manager.explanation import explained
from hector_host.manager.local import LocalInstance
from hector_host.manager.plugin import label
from hector_host.manager.remote import RemoteInstance
from hector_host.manager.states import State, StateChange

if TYPE_CHECKING:
    from collections.abc import Callable

    from hector_host.config import Config, PluginConfig
    from hector_host.manager.logbook import Logbook
    from hector_host.manager.plugin import Plugin


class Lifecycle:
    """One plugin of the configuration.

    Attributes:
        state: Where it is. Changes in `_change` and nowhere else.
    """

    def __init__(
        self,
        plugin: PluginConfig,
        config: Config,
        book: Logbook,
        on_change: Callable[[StateChange], None],
        notice: Callable[[str], None],
    ) -> None:
        self.state = State.DISCOVERED
        self._plugin = plugin
        self._config = config
        self._book = book
        self._on_change = on_change
        self._notice = notice
        self._instance = (RemoteInstance if plugin.address is not None else LocalInstance)(plugin, config, book)
        self._running: Plugin | None = None
        self._error: Exception | None = None
        self._settled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Spawns its process now; a second call does nothing."""
        if self.state is not State.DISCOVERED:
            return
        self._change(State.STARTING, "needed")
        unenforced = notices.unenforced(self._plugin)
        if unenforced is not None:
            self._notice(unenforced)
        try:
            self._instance.start()
        except Exception as error:  # noqa: BLE001 (whoever waits for the plugin gets it)
            self._instance.discard()
            self._fail(error)
            return
        self._task = asyncio.create_task(self._live(), name=f"plugin {self._plugin.name}")

    async def ready(self) -> Plugin:
        """The plugin, once it takes calls.

        Raises:
            StartError: It never did.
            ConfigError: It rejects its options, or its manifest is wrong.
            PluginError: It did, and its process has ended.
        """
        if self.state is State.READY and self._running is not None:
            # On the way of every call: whoever finds it dead meanwhile asks the plugin's `failure` for the reason.
            return self._running
        self.start()
        await self._settled.wait()
        if self._error is not None:
            raise self._error.with_traceback(None)  # raised to each caller, it would gather all their frames
        assert self._running is not None  # noqa: S101 (it settled without an error)
        failure = self._running.failure
        if failure is not None:
            raise failure
        return self._running

    async def stop(self, grace: float) -> None:
        """Stops it, whatever it is doing, and removes every trace of it.

        Args:
            grace: Seconds for calls in flight.
        """
        if self.state is State.READY:
            self._change(State.DRAINING, "stopped by the host")
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        await self._instance.close(grace)
        self._stopped()

    def discard(self) -> None:
        """As `stop`, at once and without asking the plugin."""
        if self._task is not None:
            self._task.cancel()
        self._instance.discard()
        self._stopped()

    async def _live(self) -> None:
        try:
            try:
                self._running = await self._instance.open()
            except BaseException:
                await self._instance.close(0)
                raise
        except Exception as error:  # noqa: BLE001 (whoever waits for the plugin gets it)
            self._fail(error)
            return
        self._settled.set()
        self._change(State.READY, "healthy")
        reason = await self._instance.ended()
        await self._instance.bury()
        self._change(State.FAILED, reason)

    def _fail(self, error: Exception) -> None:
        who = label(self._instance.kind, self._plugin.name)
        self._error, reason = explained(error, who, self._plugin, self._config, self._book)
        self._settled.set()
        self._change(State.FAILED, reason)

    def _stopped(self) -> None:
        if self._error is None:
            self._error = PluginError(f"{label(self._instance.kind, self._plugin.name)}: was stopped by the host")
        self._settled.set()
        if self.state in {State.STARTING, State.DRAINING}:
            self._change(State.STOPPED, "stopped by the host")

    def _change(self, new: State, reason: str) -> None:
        old, self.state = self.state, new
        self._on_change(StateChange(self._plugin.name, old, new, reason))
