"""A live host behind an address."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from grpc.aio import AioRpcError

from hector.host.v1.hector_pb2 import (
    AnswerQuestionRequest,
    AttachPluginRequest,
    DetachPluginRequest,
    ExplainPluginRequest,
    GetRunRequest,
    ListAgentsRequest,
    ListPluginsRequest,
    ListRunsRequest,
    ReloadPluginRequest,
    WatchPluginsRequest,
)
from hector.host.v1.hector_pb2_grpc import HectorStub
from hector.host.v1.index_pb2 import IndexStoreRequest
from hector_host.api.errors import rebuilt
from hector_host.errors import HectorError, printable, quoted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

    from grpc.aio import UnaryStreamCall

    from hector.host.v1.hector_pb2 import (
        Agent,
        CallRequest,
        ExplainPluginResponse,
        GetHostResponse,
        GetRunResponse,
        RunSummary,
        WatchPluginsResponse,
    )
    from hector.host.v1.index_pb2 import IndexStoreResponse
    from hector.host.v1.run_pb2 import RunEvent
    from hector.host.v1.search_pb2 import SearchRequest, SearchResponse
    from hector.host.v1.supervision_pb2 import PluginStatus
    from hector_host.cli.client import Ask, Call
    from hector_host.config.search import Mode

ResponseT = TypeVar("ResponseT")


class RemoteClient:
    """The host behind a channel; a `Client`.

    Every method raises the error that the host raised, or a HectorError when the host has gone.

    Args:
        host: What it says of itself.
        label: How messages call it.
    """

    def __init__(self, channel: grpc.aio.Channel, host: GetHostResponse, label: str) -> None:
        self.file = _near(host.config_file)
        self._stub = HectorStub(channel)
        self._label = label

    async def agents(self) -> Sequence[Agent]:
        """Asks the host."""
        return (await self._asked(self._stub.ListAgents(ListAgentsRequest()))).agents

    @asynccontextmanager
    async def calling(self, agent: str, llm: str | None) -> AsyncIterator[Call]:  # noqa: ARG002 - the host says of llms
        """Its agents are known before the first question is typed."""
        agents = [each.id for each in await self.agents()]
        if agent not in agents:
            from hector_host.config.configuration import not_declared

            raise not_declared("agents", agents, agent, self.file)
        yield self._call

    async def _call(self, request: CallRequest, ask: Ask | None) -> AsyncGenerator[RunEvent, None]:
        """The run's events. Questions are asked beside: other effects of the run go on while a person thinks."""
        request.interactive = ask is not None
        rpc = self._stub.Call(request)
        asking: list[asyncio.Task[None]] = []
        try:
            async for event in rpc:
                if ask is not None and event.WhichOneof("event") == "question":
                    task = asyncio.create_task(self._answer(event, ask))
                    task.add_done_callback(lambda done: done.cancelled() or done.exception() is None or rpc.cancel())
                    asking.append(task)
                yield event
        except AioRpcError as error:
            raise self._failure(error) from None
        except asyncio.CancelledError:
            for task in asking:
                if task.done():
                    task.result()  # why this stream was cancelled, if it was not by the caller
            raise
        finally:
            rpc.cancel()
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    async def _answer(self, event: RunEvent, ask: Ask) -> None:
        answer = AnswerQuestionRequest(run_id=event.run_id, effect_id=event.question.effect_id)
        answer.answer = await ask(event.question)
        try:
            await self._stub.AnswerQuestion(answer)
        except AioRpcError as error:
            if error.code() not in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE):
                raise self._failure(error) from None
            # The run has ended meanwhile, or the host has: the events tell which.

    @asynccontextmanager
    async def searching(
        self,
        store: str,  # noqa: ARG002 - the host says of stores
        modes: Sequence[Mode],  # noqa: ARG002 - and has its plugins
        *,
        rerank: bool,  # noqa: ARG002 - likewise
    ) -> AsyncIterator[Callable[[SearchRequest], Awaitable[SearchResponse]]]:
        """Asks the host."""

        async def search(request: SearchRequest) -> SearchResponse:
            return await self._asked(self._stub.Search(request))

        yield search

    async def indexing(self, store: str) -> AsyncGenerator[IndexStoreResponse, None]:
        """The host does it."""
        request = IndexStoreRequest(store=_encodable(store))
        async with aclosing(self._streamed(self._stub.IndexStore(request))) as responses:
            async for response in responses:
                yield response

    async def _streamed(self, rpc: UnaryStreamCall[Any, ResponseT]) -> AsyncGenerator[ResponseT, None]:
        """What a stream tells, which ends with this generator."""
        try:
            async for response in rpc:
                yield response
        except AioRpcError as error:
            raise self._failure(error) from None
        finally:
            rpc.cancel()

    async def runs(self, limit: int, session: str) -> Sequence[RunSummary]:
        """From the host's journal."""
        return (
            await self._asked(self._stub.ListRuns(ListRunsRequest(limit=limit, session_id=_encodable(session))))
        ).runs

    async def run(self, run: str) -> GetRunResponse:
        """From the host's journal."""
        return await self._asked(self._stub.GetRun(GetRunRequest(run_id=_encodable(run))))

    async def plugins(self) -> Sequence[PluginStatus]:
        """As they are now."""
        return (await self._asked(self._stub.ListPlugins(ListPluginsRequest()))).plugins

    async def watch_plugins(self, refresh: float) -> AsyncGenerator[WatchPluginsResponse, None]:
        """Ends when the host stops."""
        request = WatchPluginsRequest()
        request.refresh.FromNanoseconds(round(refresh * 1e9))
        async with aclosing(self._streamed(self._stub.WatchPlugins(request))) as changes:
            async for changed in changes:
                yield changed

    async def explain_plugin(self, name: str) -> ExplainPluginResponse:
        """What the host knows, also of earlier hosts on its storage."""
        return await self._asked(self._stub.ExplainPlugin(ExplainPluginRequest(plugin=_encodable(name))))

    async def reload_plugin(self, name: str) -> PluginStatus:
        """Waits until new calls go to the new instance."""
        return (await self._asked(self._stub.ReloadPlugin(ReloadPluginRequest(plugin=_encodable(name))))).plugin

    async def attach_plugin(self, name: str, address: str) -> PluginStatus:
        """Waits until new calls go there."""
        request = AttachPluginRequest(plugin=_encodable(name), address=address)
        return (await self._asked(self._stub.AttachPlugin(request))).plugin

    async def detach_plugin(self, name: str) -> PluginStatus:
        """Waits until new calls go to its own processes."""
        return (await self._asked(self._stub.DetachPlugin(DetachPluginRequest(plugin=_encodable(name))))).plugin

    async def _asked(self, call: Awaitable[ResponseT]) -> ResponseT:
        try:
            return await call
        except AioRpcError as error:
            raise self._failure(error) from None

    def _failure(self, error: AioRpcError) -> HectorError:
        """The error that the host raised; what gRPC itself has to say, where it did not get so far."""
        told = rebuilt(error)
        if told is not None:
            return told
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            return HectorError(f"{self._label}: the host has gone", "Look into what it printed, and start it again.")
        return HectorError(f"{self._label}: {error.code().name}: {quoted(error.details() or '')}")


def _near(file: str) -> str:
    """A path as the user of this folder would write it."""
    return printable(file.removeprefix(f"{Path.cwd()}/"))


def _encodable(text: str) -> str:
    """What a shell passes may be no UTF-8. Nothing has such a name, and the host says so as it would be said here."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return printable(text)
    return text
