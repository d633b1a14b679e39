"""What the RPCs of `hector.host.v1.Hector` do: each asks the host, and raises the host's errors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hector.host.v1 import hector_pb2 as wire
from hector_host.api.messages import agent_message, run_record, run_summary
from hector_host.api.search import answer
from hector_host.providers.call import Call
from hector_host.server.calls import StoppingError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from hector.host.v1.index_pb2 import IndexStoreRequest, IndexStoreResponse
    from hector.host.v1.run_pb2 import RunEvent
    from hector.host.v1.search_pb2 import SearchRequest, SearchResponse
    from hector_host.server.host import LiveHost

LISTED = 20
MOST_LISTED = 1000


class Service:
    """The service of one host. A method's name is its RPC's; what a stream tells goes to `write`."""

    def __init__(self, host: LiveHost) -> None:
        self._host = host

    async def get_host(self, _: wire.GetHostRequest) -> wire.GetHostResponse:
        """Who answers here."""
        return self._host.description

    async def list_agents(self, _: wire.ListAgentsRequest) -> wire.ListAgentsResponse:
        """Those that a new call would find."""
        agents = self._host.deployments.current.config.agents.values()
        return wire.ListAgentsResponse(agents=map(agent_message, agents))

    async def call(self, request: wire.CallRequest, write: Callable[[RunEvent], Awaitable[None]]) -> None:
        """A run, from its first event to its last."""
        await self._host.calls.follow(request, write)

    async def answer_question(self, request: wire.AnswerQuestionRequest) -> wire.AnswerQuestionResponse:
        """To a run that waits for it."""
        self._host.calls.answer(request.run_id, request.effect_id, request.answer)
        return wire.AnswerQuestionResponse()

    async def list_runs(self, request: wire.ListRunsRequest) -> wire.ListRunsResponse:
        """From the journal."""
        limit = min(request.limit if request.limit > 0 else LISTED, MOST_LISTED)
        runs = await self._host.journal.runs(limit, request.session_id)
        return wire.ListRunsResponse(runs=map(run_summary, runs))

    async def get_run(self, request: wire.GetRunRequest) -> wire.GetRunResponse:
        """From the journal."""
        return run_record(await self._host.journal.run(request.run_id))

    async def search(self, request: SearchRequest) -> SearchResponse:
        """By the edition of the configuration that a new call would find."""
        self._host.calls.admit()
        with self._host.deployments.use() as deployment:
            return await answer(deployment.config, deployment.registry, request, Call())

    async def index_store(
        self, request: IndexStoreRequest, write: Callable[[IndexStoreResponse], Awaitable[None]]
    ) -> None:
        """By the same, until it is done, the host stops or the caller goes."""
        self._host.calls.admit()
        if not await self._until_stop(self._host.stores.index(request, write)):
            raise StoppingError(
                "the host is stopping: what it has indexed is kept, and the next run goes on from there"
            )

    async def list_plugins(self, _: wire.ListPluginsRequest) -> wire.ListPluginsResponse:
        """As they are now."""
        return wire.ListPluginsResponse(plugins=await self._host.plugins.all())

    async def watch_plugins(
        self, request: wire.WatchPluginsRequest, write: Callable[[wire.WatchPluginsResponse], Awaitable[None]]
    ) -> None:
        """Until the host stops."""
        refresh = request.refresh.ToNanoseconds() / 1e9
        await self._until_stop(self._host.plugins.watch(refresh, write))

    async def _until_stop(self, work: Coroutine[Any, Any, None]) -> bool:
        """Does it, but no longer than until the host stops; whether it was done."""
        working = asyncio.create_task(work)
        stopping = asyncio.create_task(self._host.calls.stopping.wait())
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
            return working.done()
        finally:
            working.cancel()
            stopping.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)

    async def reload_plugin(self, request: wire.ReloadPluginRequest) -> wire.ReloadPluginResponse:
        """Answers when new calls go to the new instance."""
        self._host.calls.admit()
        await self._host.manager.reload(request.plugin)
        return wire.ReloadPluginResponse(plugin=await self._host.plugins.one(request.plugin))

    async def attach_plugin(self, request: wire.AttachPluginRequest) -> wire.AttachPluginResponse:
        """Answers when new calls go to the process there."""
        self._host.calls.admit()
        await self._host.plugins.attach(request.plugin, request.address)
        return wire.AttachPluginResponse(plugin=await self._host.plugins.one(request.plugin))

    async def detach_plugin(self, request: wire.DetachPluginRequest) -> wire.DetachPluginResponse:
        """Answers when new calls go to its own processes."""
        self._host.calls.admit()
        await self._host.manager.detach(request.plugin)
        return wire.DetachPluginResponse(plugin=await self._host.plugins.one(request.plugin))

    async def explain_plugin(self, request: wire.ExplainPluginRequest) -> wire.ExplainPluginResponse:
        """Its last crash."""
        return await self._host.plugins.explain(request.plugin)
