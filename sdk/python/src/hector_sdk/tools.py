"""A provider of tools: the functions given to it, and its own methods that carry `@tool`.

A sync function runs in a thread; cancelling the RPC cancels an async one.
"""

from __future__ import annotations

import inspect
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hector_sdk.errors import InvalidOptions, Status
from hector_sdk.functions import MARK, Marked, Tool
from hector_sdk.providers import OptionsT, Provider
from hector_sdk.values import plain, struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from hector.plugin.v1 import tool_pb2
    from hector_sdk.receipts import Receipts

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Tools(Provider[OptionsT]):
    """Tools: functions given to it, and the methods of a subclass that carry `@tool`."""

    kind = "tool_provider"
    module = "hector.plugin.v1.tool_pb2"
    service = "ToolProvider"

    functions: tuple[Callable[..., Any], ...] = ()
    _receipts: Receipts | None = None

    def __init__(self, *functions: Callable[..., Any]) -> None:
        """Methods need no mention; functions need no `@tool` where its defaults do."""
        self.functions = functions

    @cached_property
    def tools(self) -> dict[str, Tool]:
        """By name, in the order of their definition.

        Raises:
            ValueError: Two have one name, or a model would refuse one.
        """
        names = dict.fromkeys(name for cls in reversed(type(self).__mro__) for name in vars(cls))
        methods = [getattr(self, name) for name in names if hasattr(getattr(type(self), name, None), MARK)]
        found: dict[str, Tool] = {}
        for function in (*self.functions, *methods):
            made = Tool(function, getattr(function, MARK, Marked()))
            if made.name in found:
                raise ValueError(f"two tools are called {made.name!r}")
            if not NAME.fullmatch(made.name):
                raise ValueError(f"{made.name!r} is no name for a tool: 1 to 64 letters, digits, _ and -")
            found[made.name] = made
        return found

    async def list_tools(self, request: tool_pb2.ListToolsRequest) -> tool_pb2.ListToolsResponse:  # noqa: ARG002
        """All of them. `keeps_receipts` is said only with a data directory to keep them in."""
        from hector.plugin.v1 import tool_pb2

        kept = self.data_dir is not None
        return tool_pb2.ListToolsResponse(tools=[each.described(with_receipts=kept) for each in self.tools.values()])

    async def get_tool_schema(self, request: tool_pb2.GetToolSchemaRequest) -> tool_pb2.GetToolSchemaResponse:
        """The schemas of one; NOT_FOUND names those that there are."""
        from hector.plugin.v1 import tool_pb2

        found = self._named(request.tool)
        result = struct(found.result) if found.result else None
        return tool_pb2.GetToolSchemaResponse(parameters=struct(found.parameters), result=result)

    async def execute_tool(self, request: tool_pb2.ExecuteToolRequest) -> tool_pb2.ExecuteToolResponse:
        """Run one; bad parameters are INVALID_ARGUMENT and never reach it.

        A tool with `keeps_receipts` runs once for a key. Without a data directory it keeps none, as ListTools then
        says, and the key is ignored.
        """
        found = self._named(request.tool)
        try:
            arguments = found.arguments(plain(request.parameters))
        except InvalidOptions as error:
            raise Status(error.code, f"parameters of {found.name}: {error.message}") from None
        if not (request.idempotency_key and found.marked.keeps_receipts and self.data_dir):
            return await found.call(arguments)
        if self._receipts is None:
            from hector_sdk.receipts import Receipts

            self._receipts = Receipts(self.data_dir)
        return await self._receipts.execute(
            request, lambda: found.call(arguments), cancellable=inspect.iscoroutinefunction(found.function)
        )

    async def release(self) -> None:
        """Close the receipts."""
        receipts, self._receipts = self._receipts, None
        if receipts is not None:
            await receipts.close()

    def _named(self, name: str) -> Tool:
        import grpc

        found = self.tools.get(name)
        if found is None:
            there = ", ".join(sorted(self.tools))
            raise Status(grpc.StatusCode.NOT_FOUND, f'no tool "{name}": there are {there}')
        return found
