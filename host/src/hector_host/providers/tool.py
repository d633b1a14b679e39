"""Tools: their schemas in one form, their results bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.json_format import MessageToDict

from hector.plugin.v1.tool_pb2 import ExecuteToolRequest, GetToolSchemaRequest, ListToolsRequest, Tool
from hector.plugin.v1.tool_pb2_grpc import ToolProviderStub
from hector_host.errors import CallError
from hector_host.providers.rpc import Rpc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hector.plugin.v1.tool_pb2 import ExecuteToolResponse, GetToolSchemaResponse, ListToolsResponse
    from hector_host.manager import Manager, Plugin
    from hector_host.providers.call import Call

RESULT_LIMIT = 1 << 20
"""Bytes of one result: more would fill any model's context many times over."""

JSON_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})


class ToolProvider:
    """All tools of one plugin."""

    def __init__(self, plugin: str, manager: Manager) -> None:
        self.plugin = plugin
        self._rpc: Rpc[ToolProviderStub] = Rpc(f"tool/{plugin}", plugin, manager, ToolProviderStub)
        self._tools: tuple[Plugin, dict[str, Tool]] | None = None

    async def tools(self, call: Call) -> dict[str, Tool]:
        """The plugin's tools by name, each with a whole JSON Schema of its parameters.

        Raises:
            CallError: The plugin failed.
        """
        plugin = await self._rpc.plugin(call)
        if self._tools is None or self._tools[0] is not plugin:
            response: ListToolsResponse = await self._rpc.unary("ListTools", ListToolsRequest(), call)
            self._tools = (plugin, {tool.name: await self._with_schema(tool, call) for tool in response.tools})
        return self._tools[1]

    async def _with_schema(self, tool: Tool, call: Call) -> Tool:
        parameters = (
            MessageToDict(tool.parameters) if tool.HasField("parameters") else await self._schema(tool.name, call)
        )
        whole = Tool()
        whole.CopyFrom(tool)
        whole.parameters.Clear()
        whole.parameters.update(object_schema(parameters))
        return whole

    async def _schema(self, tool: str, call: Call) -> dict[str, Any]:
        """The schema of a tool that ListTools names without one."""
        try:
            response: GetToolSchemaResponse = await self._rpc.unary(
                "GetToolSchema", GetToolSchemaRequest(tool=tool), call
            )
        except CallError as error:
            if error.code is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            return {}
        return MessageToDict(response.parameters)

    async def execute(self, tool: str, parameters: Mapping[str, Any], key: str, call: Call) -> ExecuteToolResponse:
        """Runs a tool once.

        Args:
            key: The same for every attempt at this one call.

        Raises:
            CallError: The tool said no (`code` is None), or the call itself failed.
        """
        request = ExecuteToolRequest(tool=tool, idempotency_key=key)
        request.parameters.update(parameters)
        response: ExecuteToolResponse = await self._rpc.unary("ExecuteTool", request, call, step="tool")
        size = response.ByteSize()
        if size > RESULT_LIMIT:
            plugin = await self._rpc.plugin(call)
            raise CallError(
                f"{plugin.label}: {tool} returned {size:,} bytes, at most {RESULT_LIMIT:,} are accepted",
                "Ask the tool for less: a part of the file, fewer matches.",
                detail=f"it returned {size:,} bytes, at most {RESULT_LIMIT:,} are accepted: ask for less",
            )
        return response


def object_schema(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A tool's parameters as a JSON Schema; the short form `{"url": "string"}` becomes an object with that property."""
    short = parameters and all(isinstance(value, str) and value in JSON_TYPES for value in parameters.values())
    if short and not (set(parameters) == {"type"} and parameters["type"] == "object"):
        return {"type": "object", "properties": {name: {"type": kind} for name, kind in parameters.items()}}
    return {"type": "object", "properties": {}} | dict(parameters)
