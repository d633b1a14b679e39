"""The plugins of a live host as its API tells of them: how they are, what changes, and why one crashed."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from hector.host.v1.hector_pb2 import ExplainPluginResponse, WatchPluginsResponse
from hector_host.api.plugins import crash_dossier, plugin_change, plugin_status
from hector_host.config import units
from hector_host.errors import quoted
from hector_host.manager.processes.resources import measure_all
from hector_host.server.calls import RequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from hector.host.v1.supervision_pb2 import PluginStatus
    from hector_host.manager import Manager
    from hector_host.manager import status as manager_status
    from hector_host.manager.processes.resources import Resources
    from hector_host.manager.states import StateChange

    Write = Callable[[WatchPluginsResponse], Awaitable[None]]

LEAST_REFRESH = 0.1
"""Seconds between two looks at the figures."""
FRESH = 1.0
"""Seconds for which a measurement serves all who ask: it looks at every process of the machine."""


class Plugins:
    """The view of one manager."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._meter = _Meter()

    async def all(self) -> list[PluginStatus]:
        """How every plugin of the configuration is."""
        return await self._told(self._manager.statuses())

    async def one(self, name: str) -> PluginStatus:
        """How one plugin is. Raises NotFoundError."""
        (told,) = await self._told([self._manager.status(name)])
        return told

    async def explain(self, name: str) -> ExplainPluginResponse:
        """How a plugin is, and how it crashed last. Raises NotFoundError."""
        told = ExplainPluginResponse(plugin=await self.one(name))
        dossier = await asyncio.to_thread(self._manager.dossier, name)
        if dossier is not None:
            told.crash.CopyFrom(crash_dossier(dossier))
        return told

    async def attach(self, name: str, address: str) -> None:
        """Routes a plugin's calls to an address that a client named; see `Manager.attach`.

        Raises:
            RequestError: It is no address.
        """
        try:
            units.address(address)
        except units.UnitError as error:
            raise RequestError(f"address: {quoted(address, 200)} {error.args[0]}", error.args[1]) from None
        path = address.removeprefix("unix:").removeprefix("//")
        if path != address and not os.path.isabs(path):  # noqa: PTH117 (a text of an address)
            raise RequestError(
                f"address: {quoted(address, 200)} is not a whole path", "Write it from the root on: unix:/…"
            )
        await self._manager.attach(name, address)

    async def watch(self, refresh: float, write: Write) -> None:
        """Writes how every plugin is, then what differs after each change; never returns.

        Args:
            refresh: Seconds after which figures are looked at without a change; 0 for never.
        """
        pause = max(refresh, LEAST_REFRESH) if refresh > 0 else None
        with self._manager.changes() as queue:
            sent = {told.name: told for told in await self.all()}
            await write(WatchPluginsResponse(plugins=sent.values()))
            while True:
                changes = await _changes(queue, pause)
                now = {told.name: told for told in await self.all()}
                differing = WatchPluginsResponse(
                    plugins=[told for name, told in now.items() if sent.get(name) != told],
                    removed=[name for name in sent if name not in now],
                    changes=[plugin_change(change, when) for change, when in changes],
                )
                sent = now
                if differing.ByteSize():
                    await write(differing)

    async def _told(self, statuses: list[manager_status.PluginStatus]) -> list[PluginStatus]:
        used = await self._meter.used(replica.pid for status in statuses for replica in status.replicas if replica.pid)
        return [plugin_status(status, used) for status in statuses]


class _Meter:
    """Measures what processes use, once for all who ask within a moment."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._used: Mapping[int, Resources] = {}
        self._pids: frozenset[int] = frozenset()
        self._time = 0.0

    async def used(self, pids: Iterable[int]) -> Mapping[int, Resources]:
        wanted = frozenset(pids)
        async with self._lock:
            if not wanted <= self._pids or time.monotonic() > self._time + FRESH:
                self._used = await asyncio.to_thread(measure_all, wanted)
                self._pids, self._time = wanted, time.monotonic()
            return self._used


async def _changes(queue: asyncio.Queue[StateChange], pause: float | None) -> list[tuple[StateChange, float]]:
    """The changes that are there, with the time in seconds of Unix time; none when nothing changed for `pause`."""
    try:
        async with asyncio.timeout(pause):
            found = [await queue.get()]
    except TimeoutError:
        return []
    while not queue.empty():
        found.append(queue.get_nowait())
    return [(change, time.time()) for change in found]
