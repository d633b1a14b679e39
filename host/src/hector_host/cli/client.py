"""What verbs ask of a host, wherever it is: in this process, or behind an address.

Both ways answer with the contract's messages and raise the same errors, so a verb has one way of doing its work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from hector.host.v1.hector_pb2 import (
        Agent,
        CallRequest,
        ExplainPluginResponse,
        GetRunResponse,
        RunSummary,
        WatchPluginsResponse,
    )
    from hector.host.v1.index_pb2 import IndexStoreResponse
    from hector.host.v1.run_pb2 import QuestionAsked, RunEvent
    from hector.host.v1.search_pb2 import SearchRequest, SearchResponse
    from hector.host.v1.supervision_pb2 import PluginStatus
    from hector_host.config.search import Mode

    Ask = Callable[[QuestionAsked], Awaitable[str]]
    Call = Callable[[CallRequest, Ask | None], AsyncGenerator[RunEvent, None]]


class Client(Protocol):
    """A host, as verbs see it.

    Attributes:
        file: How messages call its configuration.
    """

    file: str

    async def agents(self) -> Sequence[Agent]:
        """What the configuration declares, in its order."""
        ...

    def calling(self, agent: str, llm: str | None) -> AbstractAsyncContextManager[Call]:
        """Gives the function that calls the agent: the events of a run; closing them before the last cancels the run.

        A question of the run goes to the function's second argument; None: nobody can answer.

        Raises:
            NotFoundError: There is no such agent, or no such llm.
        """
        ...

    def searching(
        self, store: str, modes: Sequence[Mode], *, rerank: bool
    ) -> AbstractAsyncContextManager[Callable[[SearchRequest], Awaitable[SearchResponse]]]:
        """Gives the function that searches a document store.

        Args:
            store: Empty: the only one.
            modes: Of the searches to come. Empty: the store's own.
            rerank: Whether a cross-encoder orders their passages, where the store has one.

        Raises:
            NotFoundError: There is no such store.
        """
        ...

    def indexing(self, store: str) -> AsyncGenerator[IndexStoreResponse, None]:
        """Brings a store to what its files say, telling how far it is; closing it before the end ends the run.

        Args:
            store: Empty: all of them.

        Raises:
            NotFoundError: There is no such store.
            HectorError: It could not be indexed, or the host has gone.
        """
        ...

    async def runs(self, limit: int, session: str) -> Sequence[RunSummary]:
        """The newest runs first; those of one conversation, or of all when it is empty."""
        ...

    async def run(self, run: str) -> GetRunResponse:
        """All that is kept of a run.

        Raises:
            NotFoundError: There is none of that id.
        """
        ...

    async def plugins(self) -> Sequence[PluginStatus]:
        """Every plugin of the configuration, in its order."""
        ...

    def watch_plugins(self, refresh: float) -> AsyncGenerator[WatchPluginsResponse, None]:
        """Every plugin, and from then on what changes; figures every `refresh` seconds, 0 for never.

        Raises:
            HectorError: There is no live host, or it has gone.
        """
        ...

    async def explain_plugin(self, name: str) -> ExplainPluginResponse:
        """A plugin's last crash.

        Raises:
            NotFoundError: There is no such plugin.
        """
        ...

    async def reload_plugin(self, name: str) -> PluginStatus:
        """The plugin with its new instance.

        Raises:
            NotFoundError: There is no such plugin.
            HectorError: There is no live host, or the new instance does not serve: the old one does.
        """
        ...

    async def attach_plugin(self, name: str, address: str) -> PluginStatus:
        """The plugin with the connection to the process at the address.

        Raises:
            NotFoundError: There is no such plugin.
            HectorError: There is no live host, or who is there cannot take its place: what ran before goes on.
        """
        ...

    async def detach_plugin(self, name: str) -> PluginStatus:
        """The plugin with its own processes.

        Raises:
            NotFoundError: There is no such plugin.
            HectorError: There is no live host, it is not attached, or its own does not start: it stays attached.
        """
        ...
