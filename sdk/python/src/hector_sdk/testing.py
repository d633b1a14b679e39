"""Testing a plugin as a host sees it: on a real socket, through the contract's stubs."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from hector_sdk.identity import Identity
from hector_sdk.server import LARGEST_MESSAGE, Server
from hector_sdk.values import struct

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from hector.plugin.v1.database_pb2_grpc import DatabaseProviderAsyncStub
    from hector.plugin.v1.embedder_pb2_grpc import EmbedderProviderAsyncStub
    from hector.plugin.v1.llm_pb2_grpc import LLMProviderAsyncStub
    from hector.plugin.v1.plugin_pb2_grpc import PluginAsyncStub
    from hector.plugin.v1.reasoning_pb2_grpc import ReasoningStrategyAsyncStub
    from hector.plugin.v1.tool_pb2_grpc import ToolProviderAsyncStub


@dataclass(frozen=True)
class Stubs:
    """The contract's services on one channel."""

    channel: grpc.aio.Channel

    @cached_property
    def llm(self) -> LLMProviderAsyncStub:
        """LLMProvider."""
        from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub

        return LLMProviderStub(self.channel)

    @cached_property
    def database(self) -> DatabaseProviderAsyncStub:
        """DatabaseProvider."""
        from hector.plugin.v1.database_pb2_grpc import DatabaseProviderStub

        return DatabaseProviderStub(self.channel)

    @cached_property
    def embedder(self) -> EmbedderProviderAsyncStub:
        """EmbedderProvider."""
        from hector.plugin.v1.embedder_pb2_grpc import EmbedderProviderStub

        return EmbedderProviderStub(self.channel)

    @cached_property
    def tools(self) -> ToolProviderAsyncStub:
        """ToolProvider."""
        from hector.plugin.v1.tool_pb2_grpc import ToolProviderStub

        return ToolProviderStub(self.channel)

    @cached_property
    def reasoning(self) -> ReasoningStrategyAsyncStub:
        """ReasoningStrategy."""
        from hector.plugin.v1.reasoning_pb2_grpc import ReasoningStrategyStub

        return ReasoningStrategyStub(self.channel)

    @cached_property
    def plugin(self) -> PluginAsyncStub:
        """Plugin."""
        from hector.plugin.v1.plugin_pb2_grpc import PluginStub

        return PluginStub(self.channel)


@contextlib.asynccontextmanager
async def running(
    *providers: object, config: Mapping[str, Any] | None = None, data_dir: Path | None = None, name: str = "tested"
) -> AsyncIterator[Stubs]:
    """Serve providers in this process, configured, until the block ends.

    Args:
        providers: As for `serve`.
        config: Options. None: not configured; the test does it.
        data_dir: Where they may keep data. None: a directory that is gone afterwards.
        name: As in a host's configuration.

    Raises:
        grpc.aio.AioRpcError: They refuse the options or do not start, as Configure tells it.
    """
    from hector.plugin.v1.plugin_pb2 import ConfigureRequest

    limits = [(f"grpc.max_{way}_message_length", LARGEST_MESSAGE) for way in ("send", "receive")]
    with tempfile.TemporaryDirectory(prefix="hector") as folder:
        address = f"unix:{os.path.join(folder, 's')}"  # noqa: PTH118 - an address, not a path
        async with Server(providers, Identity(name=name)) as server:
            await server.listen(address)
            async with grpc.aio.insecure_channel(address, options=limits) as channel:
                stubs = Stubs(channel)
                if config is not None:
                    own = data_dir or Path(folder, "data")
                    await stubs.plugin.Configure(
                        ConfigureRequest(name=name, config=struct(config), data_dir=str(own)), wait_for_ready=True
                    )
                yield stubs
