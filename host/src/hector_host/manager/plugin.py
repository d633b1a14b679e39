"""A plugin that is ready: what its callers hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from grpc.aio import Channel

    from hector_host.config import Kind, PluginConfig
    from hector_host.errors import PluginError
    from hector_host.manager.launch.handshake import Endpoint

CALL_TIMEOUT = 300.0
"""Seconds for a call of a plugin whose configuration names no `security.timeout`."""


def label(kind: Kind | None, name: str) -> str:
    """How messages name a plugin: `llm_provider/echo`, `plugin/echo` while its kind is unknown."""
    return f"{kind or 'plugin'}/{name}"


def call_timeout(config: PluginConfig) -> float:
    """Seconds that one call of a plugin may take, and may wait for its turn."""
    return CALL_TIMEOUT if config.security.timeout is None else config.security.timeout


@dataclass(frozen=True, slots=True, eq=False)
class Plugin:
    """One running plugin.

    Attributes:
        name: Its key in the configuration.
        kind: What it provides; None for one of several kinds that no group lists.
        pid: The process that was spawned; 0 for one reached by address.
        channel: Takes calls until the plugin is stopped.
        services: Full names of the services it serves: from Describe, else reflection, else as its kind has it.
        serves_plugin: It serves `hector.plugin.v1.Plugin`.
        version: Its own, empty when it does not say.
        metadata: To be sent with every call.
        log_file: Where its output goes; not there for one reached by address.
        endpoint: Where its process listens; None for one reached by address.
        stubs: What its callers made on its channel, by what makes them.
    """

    name: str
    kind: Kind | None
    pid: int
    channel: Channel
    services: frozenset[str]
    serves_plugin: bool
    version: str
    config: PluginConfig
    metadata: tuple[tuple[str, str], ...] = field(repr=False)
    log_file: Path
    find_failure: Callable[[], PluginError | None] = field(repr=False)
    endpoint: Endpoint | None = None
    stubs: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """`kind/name`, as messages name it."""
        return label(self.kind, self.name)

    @property
    def timeout(self) -> float:
        """Seconds that one call may take."""
        return call_timeout(self.config)

    @property
    def failure(self) -> PluginError | None:
        """Why it takes no more calls; None while its process lives. Asks the system, so it is never late."""
        return self.find_failure()
