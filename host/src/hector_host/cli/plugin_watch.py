"""`hector plugin list --watch`: a live table on a terminal, a line for each change elsewhere, or JSON for programs."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from hector_host.cli.objects import print_json
from hector_host.cli.plugin_table import record, state_words, table
from hector_host.cli.times import date_text
from hector_host.errors import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hector.host.v1.hector_pb2 import WatchPluginsResponse
    from hector.host.v1.supervision_pb2 import PluginStatus

REFRESH = 1.0
"""Seconds between two looks at figures that nobody is told of, such as memory."""


class Watcher(Protocol):
    """Shows what a host tells of its plugins.

    Attributes:
        refresh: How often figures are wanted, in seconds; 0: never.
    """

    refresh: float

    def show(self, message: WatchPluginsResponse) -> None:
        """Shows what is new."""
        ...


@contextmanager
def showing(*, as_json: bool) -> Iterator[Watcher]:
    """Gives what shows plugins on stdout."""
    if as_json:
        yield _Records()
    elif not sys.stdout.isatty():
        yield _Lines()
    else:
        shown = _Table()
        with Live(get_renderable=shown.render, refresh_per_second=1 / REFRESH, console=Console()):
            yield shown


class _Records:
    """A line is the list of the plugins that changed; the first one has all of them."""

    refresh = 0.0

    def show(self, message: WatchPluginsResponse) -> None:
        print_json([record(plugin) for plugin in message.plugins])


class _Lines:
    """How each plugin is, and then a line for each change."""

    refresh = 0.0

    def __init__(self) -> None:
        self._begun = False

    def show(self, message: WatchPluginsResponse) -> None:
        if not self._begun:
            self._begun = True
            for plugin in message.plugins:
                print(f"{printable(plugin.name)}: {state_words(plugin.state)}")
        for change in message.changes:
            replica = f" #{change.replica}" if change.replica > 1 else ""
            states = f"{state_words(change.old_state)} → {state_words(change.new_state)}"
            print(
                f"{date_text(change.time)} {printable(change.plugin)}{replica}: {states} ({quoted(change.reason, 100)})"
            )
        for name in message.removed:
            print(f"{printable(name)}: no longer in the configuration")
        sys.stdout.flush()


class _Table:
    """All plugins as they are now, drawn once a second by a thread of rich."""

    refresh = REFRESH

    def __init__(self) -> None:
        self._plugins: dict[str, PluginStatus] = {}
        self._loads: dict[str, _Load] = {}

    def show(self, message: WatchPluginsResponse) -> None:
        plugins = {name: plugin for name, plugin in self._plugins.items() if name not in message.removed}
        for plugin in message.plugins:
            plugins[plugin.name] = plugin
            self._loads.setdefault(plugin.name, _Load()).measure(plugin.resources.cpu_seconds)
        self._plugins = plugins  # in one step, for the thread that draws

    def render(self) -> Text:
        """The table of this moment."""
        plugins = list(self._plugins.values())
        return Text(table(plugins, time.time(), shutil.get_terminal_size().columns, self._load), no_wrap=True)

    def _load(self, plugin: PluginStatus) -> str:
        return str(self._loads[plugin.name])


class _Load:
    """How much of one processor is used, from the processor time at two moments."""

    def __init__(self) -> None:
        self._time = 0.0
        self._used = 0.0
        self._share = 0.0

    def measure(self, used: float) -> None:
        """Takes the processor time that was used so far, in seconds."""
        now = time.monotonic()
        if now - self._time < REFRESH / 2:
            return  # a change of state came in between: too short to divide by
        if self._time:
            self._share = max(used - self._used, 0.0) / (now - self._time)
        self._time, self._used = now, used

    def __str__(self) -> str:
        idle = time.monotonic() - self._time > 3 * REFRESH  # figures that stay the same are not sent again
        return "0%" if idle else f"{self._share:.0%}"
