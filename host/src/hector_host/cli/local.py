"""A host in this very process: verbs that only look start nothing, and a call starts what its agent needs."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hector_host.errors import HectorError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

    from hector.host.v1.hector_pb2 import (
        Agent,
        CallRequest,
        ExplainPluginResponse,
        GetRunResponse,
        RunSummary,
        WatchPluginsResponse,
    )
    from hector.host.v1.index_pb2 import IndexStoreResponse
    from hector.host.v1.run_pb2 import RunEvent
    from hector.host.v1.search_pb2 import SearchRequest, SearchResponse
    from hector.host.v1.supervision_pb2 import PluginStatus
    from hector_host.cli.client import Ask, Call
    from hector_host.config import Config
    from hector_host.config.search import Mode

_START = "Start one: hector serve"


class LocalClient:
    """The host of one configuration, for the time of one command; a `Client`.

    Args:
        verbose: Show what plugins log, on stderr.
    """

    def __init__(self, config: Config, *, verbose: bool = False) -> None:
        self.file = config.document.name
        self._config = config
        self._verbose = verbose

    async def agents(self) -> Sequence[Agent]:
        """What the configuration declares."""
        from hector_host.api.messages import agent_message

        return [agent_message(agent) for agent in self._config.agents.values()]

    @asynccontextmanager
    async def calling(self, agent: str, llm: str | None) -> AsyncIterator[Call]:
        """A runtime whose plugins start."""
        from hector_host.cli.hosting import hosting

        plugins = self._config.plugins_of(self._config.agent(agent), llm)
        async with hosting(self._config, plugins, verbose=self._verbose) as host:
            from hector_host.runtime.runtime import RunRequest

            def call(request: CallRequest, ask: Ask | None) -> AsyncGenerator[RunEvent, None]:
                session, other = request.session_id or None, request.llm or None
                return host.runtime.run(RunRequest(request.agent, request.message, session, other, ask=ask))

            yield call

    @asynccontextmanager
    async def searching(
        self, store: str, modes: Sequence[Mode], *, rerank: bool
    ) -> AsyncIterator[Callable[[SearchRequest], Awaitable[SearchResponse]]]:
        """The plugins that the searches need start; none for keywords alone."""
        from hector_host.api.search import answer, the_store
        from hector_host.cli.hosting import hosting
        from hector_host.providers.call import Call

        plugins = self._config.search_plugins(the_store(self._config, store), modes, rerank=rerank)
        async with hosting(self._config, plugins, verbose=self._verbose) as host:

            async def search(request: SearchRequest) -> SearchResponse:
                return await answer(host.config, host.registry, request, Call())

            yield search

    async def indexing(self, store: str) -> AsyncGenerator[IndexStoreResponse, None]:
        """The plugins that the stores need start."""
        import asyncio

        from hector_host.api.index import index_store, stores
        from hector_host.cli.hosting import hosting
        from hector_host.providers.call import Call

        names = stores(self._config, store)
        async with hosting(self._config, self._config.index_plugins(names), verbose=self._verbose) as host:
            for name in names:
                told: asyncio.Queue[IndexStoreResponse | None] = asyncio.Queue()

                async def work(name: str = name, told: asyncio.Queue[IndexStoreResponse | None] = told) -> None:
                    try:
                        await index_store(host.config, host.registry, name, Call(), told.put)
                    finally:
                        told.put_nowait(None)

                working = asyncio.create_task(work())
                try:
                    while (response := await told.get()) is not None:
                        yield response
                    await working
                finally:
                    working.cancel()
                    await asyncio.gather(working, return_exceptions=True)

    async def runs(self, limit: int, session: str) -> Sequence[RunSummary]:
        """From the journal."""
        from hector_host.api.messages import run_summary
        from hector_host.runtime.sqlite import open_journal

        async with open_journal(self._config.storage.path) as journal:
            return [run_summary(run) for run in await journal.runs(limit, session)]

    async def run(self, run: str) -> GetRunResponse:
        """From the journal."""
        from hector_host.api.messages import run_record
        from hector_host.runtime.sqlite import open_journal

        async with open_journal(self._config.storage.path) as journal:
            return run_record(await journal.run(run))

    async def plugins(self) -> Sequence[PluginStatus]:
        """None of them runs; of one that crashed under an earlier host, why and when is known."""
        return [self._explained(name).plugin for name in self._config.plugins]

    async def watch_plugins(self, refresh: float) -> AsyncGenerator[WatchPluginsResponse, None]:  # noqa: ARG002 - Client
        """Refuses: nothing runs that could change."""
        raise HectorError(f"{self.file}: no live host runs it, so nothing changes", _START)
        yield

    async def explain_plugin(self, name: str) -> ExplainPluginResponse:
        """From what an earlier host left on disk."""
        return self._explained(self._config.plugin(name).name)

    async def reload_plugin(self, name: str) -> PluginStatus:
        """Refuses: nothing runs that could be replaced."""
        self._config.plugin(name)
        raise HectorError(f"{self.file}: no live host runs it, so there is nothing to reload", _START)

    async def attach_plugin(self, name: str, address: str) -> PluginStatus:  # noqa: ARG002 - Client
        """Refuses: a plugin of one command's own host is gone before anybody could look into it."""
        self._config.plugin(name)
        raise HectorError(f"{self.file}: no live host runs it, so there are no calls to route", _START)

    async def detach_plugin(self, name: str) -> PluginStatus:
        """Refuses: what was attached was so for as long as its host lived."""
        self._config.plugin(name)
        raise HectorError(f"{self.file}: no live host runs it, so nothing is attached", _START)

    def _explained(self, name: str) -> ExplainPluginResponse:
        """A plugin that does not run, and its last crash."""
        from hector.host.v1.hector_pb2 import ExplainPluginResponse
        from hector.host.v1.supervision_pb2 import PLUGIN_STATE_DISCOVERED
        from hector_host.api.plugins import crash_dossier
        from hector_host.manager import dossier

        plugin = self._config.plugin(name)
        explained = ExplainPluginResponse()
        status = explained.plugin
        status.name, status.kind, status.source = name, plugin.kind or "", plugin.source
        status.state = PLUGIN_STATE_DISCOVERED
        found = dossier.read(dossier.folder_in(self._config.storage.path), name, _notice)
        if found is not None:
            explained.crash.CopyFrom(crash_dossier(found))
            status.reason = found.reason
            status.since.CopyFrom(explained.crash.time)
        return explained


def _notice(text: str) -> None:
    print(text, file=sys.stderr)
