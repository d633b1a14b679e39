"""Starts the plugins that are needed, side by side, and takes all of them away when it is left."""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Self

from hector_host.manager import family
from hector_host.manager.lifecycle import Lifecycle
from hector_host.manager.logbook import Logbook
from hector_host.manager.terminations import Terminations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from hector_host.config import Config
    from hector_host.manager.lines import Record
    from hector_host.manager.plugin import Plugin
    from hector_host.manager.states import State, StateChange

GRACE = 5.0
"""Seconds that calls in flight get when the manager is left."""

_log = logging.getLogger(__name__)


class Manager:
    """The plugins of one configuration. An async context manager: when it is left, nothing that it started is left.

    However it is left: by an error, by cancellation, by Ctrl-C under `asyncio.run`, or by SIGTERM or SIGHUP. Those two
    cancel the task that entered it and, once all is stopped, become SystemExit(128 + number), unless somebody else
    handles them.

    Args:
        config: Names the plugins.
        on_change: Told of every change of a plugin's state. Must not raise.
        on_log: Told of every line that a plugin writes, with the plugin's name.
        notice: Told what is not enforced of a plugin's configuration, one line per start. By default a logged warning.
        grace: Seconds that calls in flight get at the end.
    """

    def __init__(
        self,
        config: Config,
        on_change: Callable[[StateChange], None] | None = None,
        *,
        on_log: Callable[[str, Record], None] | None = None,
        notice: Callable[[str], None] | None = None,
        grace: float = GRACE,
    ) -> None:
        self._config = config
        self._on_change = on_change or _ignore
        self._on_log = on_log
        self._notice = notice or _log.warning
        self._grace = grace
        self._lives: dict[str, Lifecycle] = {}
        self._scope = ExitStack()
        self._terminations = Terminations()

    async def __aenter__(self) -> Self:
        with suppress(OSError):  # who needs the folder says so
            self._config.storage.path.mkdir(mode=0o700, parents=True, exist_ok=True)  # conversations are private
        self._terminations.watch()
        self._scope.enter_context(family.subreaper())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        cancelled = kind is asyncio.CancelledError
        try:
            stops = (life.stop(self._grace) for life in self._lives.values())
            outcomes = await asyncio.gather(*stops, return_exceptions=True)
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            with self._scope:  # whatever one of them raises, the others are discarded too
                self._scope.callback(self._terminations.forget)
                for life in self._lives.values():
                    self._scope.callback(life.discard)
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
        for life in [self._life(name) for name in names]:
            life.start()

    async def ready(self, name: str) -> Plugin:
        """The plugin, once it takes calls; starts it if nobody has. Callers share one start.

        Raises:
            NotFoundError: The configuration has no such plugin.
            StartError: It never became ready.
            ConfigError: It rejects its options, or its manifest is wrong.
            PluginError: It was ready, and its process has ended.
        """
        return await self._life(name).ready()

    def redact(self, text: str) -> str:
        """The text without the secrets of the configuration."""
        return self._config.redact(text)

    def state(self, name: str) -> State:
        """Where a plugin is.

        Raises:
            NotFoundError: The configuration has no such plugin.
        """
        return self._life(name).state

    def _life(self, name: str) -> Lifecycle:
        if name not in self._lives:
            plugin = self._config.plugin(name)
            self._lives[name] = Lifecycle(plugin, self._config, self._book(name), self._on_change, self._notice)
        return self._lives[name]

    def _book(self, name: str) -> Logbook:
        on_log = self._on_log
        watch = None if on_log is None else lambda record: on_log(name, record)
        return Logbook(self._config.storage.path / "logs" / f"{name}.log", self._config.redact, watch)


def _ignore(change: StateChange) -> None:
    """Nobody follows the changes."""
