"""The look at a replacement before calls go to it: what it says of itself, and one harmless question of its kind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from grpc import StatusCode
from grpc.aio import AioRpcError, UsageError

from hector.plugin.v1 import database_pb2, embedder_pb2, llm_pb2, plugin_pb2, tool_pb2
from hector_host.errors import StartError, quoted
from hector_host.manager.connect.agreement import CONTRACT

if TYPE_CHECKING:
    from hector_host.manager.plugin import Plugin

TIMEOUT = 10.0
"""Seconds for each answer."""

_QUESTIONS: dict[str, tuple[str, Any, Any]] = {
    "hector.plugin.v1.LLMProvider": ("ListModels", llm_pb2.ListModelsRequest, llm_pb2.ListModelsResponse),
    "hector.plugin.v1.EmbedderProvider": (
        "GetDimensions",
        embedder_pb2.GetDimensionsRequest,
        embedder_pb2.GetDimensionsResponse,
    ),
    "hector.plugin.v1.DatabaseProvider": (
        "ListCollections",
        database_pb2.ListCollectionsRequest,
        database_pb2.ListCollectionsResponse,
    ),
    "hector.plugin.v1.ToolProvider": ("ListTools", tool_pb2.ListToolsRequest, tool_pb2.ListToolsResponse),
}
"""What changes nothing. A strategy has no such question: it only ever answers about a run."""


async def check(plugin: Plugin, old: Plugin | None) -> None:
    """Asks a plugin that is ready whether it can replace another.

    Args:
        old: What it is to replace; None when nothing serves.

    Raises:
        StartError: It cannot.
    """
    compare(plugin, old)
    if plugin.serves_plugin:
        await _ask(plugin, f"{CONTRACT}Plugin", "Describe", plugin_pb2.DescribeRequest, plugin_pb2.DescribeResponse)
    for service in sorted(plugin.services & _QUESTIONS.keys()):
        await _ask(plugin, service, *_QUESTIONS[service])


def compare(plugin: Plugin, old: Plugin | None) -> None:
    """The part of `check` that asks nothing.

    Raises:
        StartError: It lacks what the old one offers.
    """
    before = {service for service in old.services if service.startswith(CONTRACT)} if old is not None else set()
    missing = sorted(before - plugin.services)
    if missing:
        raise StartError(
            f"{plugin.label}: the new one does not offer what the old one offers: {', '.join(map(quoted, missing))}",
            "Build it with that service, or stop the host to replace it by something else.",
        )


async def _ask(plugin: Plugin, service: str, method: str, request: Any, response: Any) -> None:
    try:
        rpc: Any = plugin.channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        await rpc(request(), metadata=plugin.metadata, timeout=TIMEOUT)
    except AioRpcError as error:
        if error.code() is StatusCode.UNIMPLEMENTED:
            return
        words = quoted(error.details() or "")
        raise _failed(plugin, f"{method}: {error.code().name}" + (f": {words}" if words else "")) from None
    except (asyncio.CancelledError, UsageError) as error:
        if _own_end(error):
            raise
        raise _failed(plugin, f"{method}: it was stopped meanwhile") from None


def _failed(plugin: Plugin, how: str) -> StartError:
    return StartError(f"{plugin.label}: the new one fails its first call: {how}", f"Its log: {plugin.log_file}")


def _own_end(error: BaseException) -> bool:
    """Whether it is the current task that is cancelled, and not the call, whose channel somebody closed."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0
