"""A plugin that runs: its channel, its stubs, and its end."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hector.plugin.v1.database_pb2_grpc import DatabaseProviderStub
from hector.plugin.v1.embedder_pb2_grpc import EmbedderProviderStub
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector.plugin.v1.plugin_pb2_grpc import PluginStub
from hector.plugin.v1.reasoning_pb2_grpc import ReasoningStrategyStub
from hector.plugin.v1.tool_pb2_grpc import ToolProviderStub

if TYPE_CHECKING:
    from pathlib import Path

    from grpc.aio import Channel

    from hector_host.manager import Plugin


class Stubs:
    """The services of the contract over one channel, whether or not they are served there."""

    def __init__(self, channel: Channel) -> None:
        self.plugin = PluginStub(channel)
        self.llm = LLMProviderStub(channel)
        self.embedder = EmbedderProviderStub(channel)
        self.database = DatabaseProviderStub(channel)
        self.tools = ToolProviderStub(channel)
        self.reasoning = ReasoningStrategyStub(channel)


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One start of the plugin, ready for calls; for an address, one connection.

    Attributes:
        running: What the host knows of it.
        data: The folder under which it has its data directory.
    """

    running: Plugin
    data: Path
    stubs: Stubs = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stubs", Stubs(self.running.channel))

    @property
    def channel(self) -> Channel:
        """For calls of services that `stubs` does not hold."""
        return self.running.channel

    @property
    def end(self) -> str:
        """How it ended; empty while it lives."""
        failure = self.running.failure
        return "" if failure is None else failure.what.partition(": ")[2]

    def kill(self) -> None:
        """SIGKILL, now. Whoever leaves `Subject.running` afterwards has everything gone that it started."""
        with suppress(ProcessLookupError):
            os.kill(self.running.pid, signal.SIGKILL)
