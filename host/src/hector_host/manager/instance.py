"""One start of a plugin: what a replica needs of it, whether its process runs here or somebody else runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from hector_host.config import Config, Kind, PluginConfig
    from hector_host.errors import PluginError
    from hector_host.manager.attachment import Attachment
    from hector_host.manager.logs.logbook import Logbook
    from hector_host.manager.plugin import Plugin
    from hector_host.manager.processes.custody import Warden
    from hector_host.manager.processes.memory import OomCounter

DRAIN_LIMIT = 30.0
"""Seconds, at most, that calls in flight get when a plugin is replaced or removed."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What all replicas of one generation are started from.

    Attributes:
        plugin: Its part of `config`.
        config: Knows the lines of the file, the secrets and the folders.
        book: The plugin's log, over all of its processes.
        warden: Starts the processes.
        kills: Counts what the kernel kills for want of memory.
        attachment: Where its calls go while somebody debugs it; None: to the plugin's own.
        lasting: The host lives on: who is told of a next attempt can wait for it.
    """

    plugin: PluginConfig
    config: Config
    book: Logbook
    warden: Warden
    kills: OomCounter
    attachment: Attachment | None = None
    lasting: bool = True

    @property
    def data(self) -> Path:
        """The directory that the plugin may write, which outlives its processes."""
        return self.config.storage.path / "plugins" / self.plugin.name

    @property
    def grace(self) -> float:
        """Seconds that calls in flight get when others take over."""
        timeout = self.plugin.security.timeout
        if self.attachment is not None and timeout is not None:
            return timeout  # its calls stand at a breakpoint
        return DRAIN_LIMIT if timeout is None else min(timeout, DRAIN_LIMIT)


class Instance(Protocol):
    """One start.

    Attributes:
        kind: What it provides, as far as that is known.
        exclusive: It owns its data directory, as far as that is known: known after `start`.
        address: Where it is reached, for one that somebody else runs; else empty.
        command: How its process is started; empty for one that somebody else runs.
    """

    kind: Kind | None
    exclusive: bool
    address: str
    command: tuple[str, ...]

    @property
    def pid(self) -> int:
        """Its process; 0 while there is none on this machine."""

    @property
    def over(self) -> bool:
        """It is known to have ended. Costs nothing; `failure` asks."""

    def start(self) -> None:
        """Begins, without waiting for anything.

        Raises:
            Failure: There is nothing to begin with.
            ConfigError: Its manifest is wrong.
        """

    async def open(self) -> Plugin:
        """Waits until it takes calls.

        Raises:
            Failure: It does not become ready in time, or ever.
            Rejected: It does not take its options.
            ConfigError: Its manifest is wrong.
        """

    async def ended(self) -> str:
        """Waits until it takes no more calls; the reason of the change of state."""

    def failure(self) -> PluginError | None:
        """How it ended, in words; None while it lives, or when it has no process."""

    async def bury(self) -> None:
        """Kills what is left of it, and removes what it left behind. Calls in flight fail by themselves."""

    async def close(self, grace: float) -> None:
        """Ends it and removes everything that the start made. May be called again.

        Args:
            grace: Seconds for calls in flight.
        """

    def discard(self) -> None:
        """As `close`, at once and without asking. May be called again."""
