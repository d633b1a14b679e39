"""The document stores of a live host: indexed when somebody asks, and those with `watch: true` whenever they change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hector_host.api import index as api
from hector_host.documents.index import index
from hector_host.documents.store import Store
from hector_host.documents.watch import Changes
from hector_host.errors import HectorError
from hector_host.providers.call import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from hector.host.v1.index_pb2 import IndexStoreRequest
    from hector_host.config import DocumentStoreConfig
    from hector_host.documents.files import Skipped
    from hector_host.documents.index import Report
    from hector_host.server.deployment import Deployments

FIRST_RETRY = 2.0
"""Seconds after the first failure; each further one doubles them."""
LAST_RETRY = 300.0
ANYWAY = 600.0
"""Seconds after which a store is looked through without a sign of change: some file systems give none."""


class Stores:
    """Indexes them, one at a time: runs over the same ledger would refuse each other.

    Args:
        tell: Told of what was done, and of what could not be done.
    """

    def __init__(self, deployments: Deployments, tell: Callable[[str], None]) -> None:
        self._deployments = deployments
        self._tell = tell
        self._turn = asyncio.Lock()
        self._watches: dict[str, tuple[DocumentStoreConfig, asyncio.Task[None]]] = {}

    async def index(self, request: IndexStoreRequest, write: api.Write) -> None:
        """The answer to a request.

        Raises:
            HectorError: As `api.index`.
        """
        with self._deployments.use() as deployment:
            for name in api.stores(deployment.config, request.store):
                async with self._turn:
                    await api.index_store(deployment.config, deployment.registry, name, Call(), write)

    async def follow(self) -> None:
        """Watches what the current edition of the configuration says is to be watched, and nothing else."""
        entries = self._deployments.current.config.document_stores
        wanted = {name: entry for name, entry in entries.items() if entry.watch}
        await self._end([name for name, (entry, _) in self._watches.items() if wanted.get(name) != entry])
        for name, entry in wanted.items():
            if name not in self._watches:
                self._watches[name] = (entry, asyncio.create_task(self._watch(name, entry)))

    async def close(self) -> None:
        """Ends every watch, and the run that it is in."""
        await self._end(list(self._watches))

    async def _end(self, names: list[str]) -> None:
        tasks = [self._watches.pop(name)[1] for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, name: str, entry: DocumentStoreConfig) -> None:
        retry = FIRST_RETRY
        known: tuple[Skipped, ...] = ()
        kept_out = self._deployments.current.config.storage.path
        async with Changes(entry.path, kept_out) as changes:
            while True:
                try:
                    report = await self._run(name)
                except Exception as error:  # noqa: BLE001 - whatever it is, the next change or the next time may be better
                    told = str(error) if isinstance(error, HectorError) else f"{name}: cannot be indexed: {error!r}"
                    self._tell(f"{told}\n  It is tried again in {retry:g} s.")
                    await changes.wait(retry)
                    retry = min(2 * retry, LAST_RETRY)
                    continue
                self._tell_of(name, report, known)
                known, retry = report.skipped, FIRST_RETRY
                await changes.wait(ANYWAY)

    async def _run(self, name: str) -> Report:
        async with self._turn:
            with self._deployments.use() as deployment:
                return await index(Store.open(deployment.config, deployment.registry, name), Call())

    def _tell_of(self, name: str, report: Report, known: tuple[Skipped, ...]) -> None:
        for skipped in report.skipped:
            if skipped not in known:
                self._tell(f"{name}: left out {skipped}")
        if report.vectors or report.removed:
            self._tell(f"{name}: {api.summary(api.message(report))}")
