"""A live host: its plugins, journal and calls, and the server that offers them; all of it ends when it is left.

It is entered in the order in which others come to depend on it and left in the reverse: the storage folder is claimed
first and given back last, when nothing of the host is left that could touch it.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import grpc.aio
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_reflection.v1alpha import reflection

from hector.host.v1.hector_pb2 import DESCRIPTOR, GetHostResponse
from hector_host.api.messages import date
from hector_host.errors import ConfigError, HectorError
from hector_host.hosts import Presence, Record
from hector_host.manager import Manager
from hector_host.registry import Registry
from hector_host.runtime.runtime import Runtime
from hector_host.runtime.sqlite import open_journal
from hector_host.server.bugs import Bugs
from hector_host.server.calls import Calls
from hector_host.server.deployment import Deployment, Deployments, plugins_needed
from hector_host.server.listening import listening
from hector_host.server.plugins import Plugins
from hector_host.server.rpcs import handlers
from hector_host.server.service import Service
from hector_host.server.stores import Stores

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from hector_host.config import Config
    from hector_host.manager.logs.lines import Record as LogRecord
    from hector_host.manager.states import StateChange
    from hector_host.manager.status import ConfigChanges
    from hector_host.server.endpoint import Endpoint

SERVICE = DESCRIPTOR.services_by_name["Hector"]

RETIRE_LIMIT = 600.0
"""Seconds for which a plugin that the configuration lost is kept for runs that began with it."""
FAREWELL = 1.0
"""Seconds that RPCs other than calls get to end in."""

OPTIONS = (
    ("grpc.so_reuseport", 0),  # two hosts would share a port, and each get some of the calls
    ("grpc.max_receive_message_length", 8 << 20),
    ("grpc.max_send_message_length", 64 << 20),
    ("grpc.max_concurrent_streams", 2000),
    # A caller whose process stands still, or whose machine is gone, keeps its call for a minute at most.
    ("grpc.keepalive_time_ms", 40_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


class LiveHost:
    """The host of one configuration file; an async context manager, and it serves while it is entered.

    Attributes:
        address: Where it listens, as gRPC clients take it.
        description: What it says of itself.
        calls: Those in flight.
        deployments: What they run on.
        journal: Where their runs are kept.
        manager: Runs its plugins.
        plugins: Tells of them.
        stores: Its document stores.

    Args:
        tell: Told, in one line each, of what happens to its plugins, and of what does not work.
        on_log: Told of every line that a plugin writes.

    Raises:
        HectorError: The storage folder has another host, or the address cannot be had. When it is entered.
    """

    def __init__(
        self,
        config: Config,
        endpoint: Endpoint,
        tell: Callable[[str], None],
        on_log: Callable[[str, LogRecord], None] | None = None,
    ) -> None:
        self.address = ""
        self.manager = Manager(config, self._changed, on_log=on_log, notice=tell)
        self.plugins = Plugins(self.manager)
        self._config = config
        self._endpoint = endpoint
        self._tell = tell
        self._bugs = Bugs(tell)
        self._scope = AsyncExitStack()
        self._health = health.aio.HealthServicer()
        self._applying = asyncio.Lock()
        self._retirement: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as scope:
            presence = scope.enter_context(Presence(self._record(), self._tell))
            self.journal = await scope.enter_async_context(open_journal(self._config.storage.path))
            server = grpc.aio.server(options=OPTIONS)
            scope.push_async_callback(server.stop, None)
            self.address = scope.enter_context(listening(server, self._endpoint))
            await scope.enter_async_context(self.manager)
            scope.push_async_callback(self._end_retirement)
            self.deployments = Deployments(self._deployment(self._config))
            self.calls = Calls(self.deployments)
            self.stores = Stores(self.deployments, self._tell)
            scope.push_async_callback(self.stores.close)
            self.description = self._described(presence.record)
            for warning in self._config.warnings:  # a name that nothing declares fails only the calls that need it
                self._tell(warning)
            self.manager.start(plugins_needed(self._config))
            scope.push_async_callback(server.stop, FAREWELL)  # while everything that its calls need is still there
            await self._serve(server)
            presence.announce(self.address)
            await self.stores.follow()
            self._scope = scope.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._scope.__aexit__(kind, error, traceback)

    async def finish(self, budget: float, hurry: asyncio.Event) -> int:
        """Takes no more calls, and ends those in flight: see `Calls.finish`."""
        await self._health.enter_graceful_shutdown()
        return await self.calls.finish(budget, hurry)

    async def apply(self, config: Config) -> ConfigChanges:
        """Puts another edition of the configuration in the place of the current one, without losing a call.

        New runs begin on it at once. Runs that have begun keep what they began with, plugins that it no longer names
        too. Its warnings are for whoever read it to tell.

        Raises:
            ConfigError: It changes what only a new start can.
            StoppingError: The host is about to end.
        """
        async with self._applying:
            self.calls.admit()
            self._check_same_host(config)
            await self._end_retirement()
            old = self.manager.config
            config = config.after(old)
            lost = {name: plugin for name, plugin in old.plugins.items() if name not in config.plugins}
            kept = replace(
                config,
                plugins={**config.plugins, **lost},
                manifests={**(old.manifests if lost else {}), **config.manifests},
            )
            try:
                changes = await self.manager.apply(kept)
                self.deployments.current = self._deployment(config)
                self.manager.start(plugins_needed(config))
                await self.stores.follow()
            finally:
                self._begin_retirement()
            return replace(changes, removed=tuple(lost))

    def _check_same_host(self, config: Config) -> None:
        if config.storage.path != self._config.storage.path:
            raise ConfigError(
                f"{config.locate('storage', 'path')}: a live host keeps its storage folder", "Start the host anew."
            )

    def _begin_retirement(self) -> None:
        """Sees to it that plugins go which the current edition has not, also when the next one could not be applied."""
        current = self.deployments.current.config
        if self.manager.config.plugins.keys() - current.plugins.keys():
            self._retirement = asyncio.create_task(self._retire(current))

    async def _retire(self, config: Config) -> None:
        """Lets go of the plugins that a configuration lost, when no run needs them any more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(RETIRE_LIMIT):
                await self.deployments.old_ones_unused()
        try:
            await self.manager.apply(config)
        except HectorError as error:
            self._tell(str(error))
        except Exception as error:  # noqa: BLE001 (a bug: nobody else waits for this task, so it is told here)
            self._bugs.report(error)

    async def _end_retirement(self) -> None:
        if self._retirement is not None:
            self._retirement.cancel()
            await asyncio.gather(self._retirement, return_exceptions=True)
            self._retirement = None

    def _deployment(self, config: Config) -> Deployment:
        registry = Registry(config, self.manager)
        return Deployment(config, registry, Runtime(config, registry, self.journal))

    async def _serve(self, server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers((handlers(SERVICE, Service(self), self._bugs.report),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        await self._health.set(SERVICE.full_name, HealthCheckResponse.SERVING)
        names = (SERVICE.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        await server.start()

    def _record(self) -> Record:
        return Record(
            address="",
            pid=os.getpid(),
            version=importlib.metadata.version("hector-host"),
            config_file=str(self._config.file),
            storage_path=str(self._config.storage.path.absolute()),
            started=time.time(),
        )

    def _described(self, record: Record) -> GetHostResponse:
        description = GetHostResponse(
            version=record.version,
            pid=record.pid,
            config_file=record.config_file,
            storage_path=record.storage_path,
            addresses=[self.address],
        )
        date(description.start_time, record.started)
        return description

    def _changed(self, change: StateChange) -> None:
        replica = f" (replica {change.replica})" if change.replica > 1 else ""
        reason = self.manager.redact(change.reason)
        self._tell(f"plugin {change.name}{replica}: {change.new.value}: {reason}")
