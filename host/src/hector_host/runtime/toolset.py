"""The tools of one agent under the names that its model sees.

There is one way to call them: known, parsed, checked, then executed.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from google.protobuf.json_format import MessageToDict

from hector.host.v1.run_pb2 import Source
from hector.plugin.v1.message_pb2 import Part, ToolResult
from hector.plugin.v1.reasoning_pb2 import (
    FAILURE_KIND_DENIED,
    FAILURE_KIND_INVALID,
    FAILURE_KIND_NOT_FOUND,
    FAILURE_KIND_OUTCOME_UNKNOWN,
    FAILURE_KIND_TIMEOUT,
    FAILURE_KIND_TOOL,
    FAILURE_KIND_UNAVAILABLE,
    FAILURE_KIND_UNSPECIFIED,
    Failure,
)
from hector.plugin.v1.tool_pb2 import Tool
from hector_host.errors import CallError, ConfigError, NotFoundError, PluginError, quoted
from hector_host.runtime.parameters import InvalidArgumentsError, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hector.plugin.v1.message_pb2 import ToolCall
    from hector.plugin.v1.reasoning_pb2 import FailureKind
    from hector.plugin.v1.tool_pb2 import ExecuteToolResponse
    from hector_host.config import AgentConfig, Config, ToolConfig
    from hector_host.documents.tool import SearchTool
    from hector_host.providers.call import Call
    from hector_host.registry import Registry

SHOWN_NAME = 100
"""Characters shown of a name that a model made up."""

FAILURES: dict[grpc.StatusCode, FailureKind] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: FAILURE_KIND_TIMEOUT,
    grpc.StatusCode.INVALID_ARGUMENT: FAILURE_KIND_INVALID,
    grpc.StatusCode.NOT_FOUND: FAILURE_KIND_NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED: FAILURE_KIND_DENIED,
    grpc.StatusCode.UNAUTHENTICATED: FAILURE_KIND_DENIED,
}


def failure_of(error: PluginError, refusal: FailureKind) -> Failure:
    """What a strategy is told of a call that failed.

    Args:
        refusal: The kind where the plugin answered, and its answer is no.
    """
    return Failure(kind=_kind(error, refusal), message=error.what)


def _kind(error: PluginError, refusal: FailureKind) -> FailureKind:
    if not isinstance(error, CallError):
        return FAILURE_KIND_UNAVAILABLE  # its process has ended
    if error.code is None:
        return refusal
    if error.code in FAILURES:
        return FAILURES[error.code]
    if error.outcome_unknown:
        return FAILURE_KIND_OUTCOME_UNKNOWN
    return FAILURE_KIND_UNAVAILABLE if error.retryable else FAILURE_KIND_UNSPECIFIED


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What came of a tool call; a failed one has a result too, which tells the model why."""

    result: ToolResult
    failure: Failure | None = None
    sources: Sequence[Source] = field(default_factory=tuple)


class Executor(Protocol):
    """What can run one tool."""

    async def __call__(self, parameters: Mapping[str, Any], key: str, call: Call) -> ToolOutcome:
        """Runs it once; raises CallError."""
        ...


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool under the name that the model sees.

    Attributes:
        origin: The entry of the configuration that offers it, e.g. "tools.shell".
    """

    tool: Tool
    origin: str
    execute: Executor


class Toolset:
    """The tools of one agent.

    Raises:
        ConfigError: Two entries offer a tool of the same name.
    """

    def __init__(self, agent: str, offered: Iterable[OfferedTool]) -> None:
        self._agent = agent
        self._offered: dict[str, OfferedTool] = {}
        for offer in offered:
            other = self._offered.setdefault(offer.tool.name, offer)
            if other is not offer:
                raise ConfigError(
                    f"agents.{agent}.tools: {other.origin} and {offer.origin} both offer a tool {offer.tool.name!r}",
                    "Give the agent one of them, or name a single tool of the plugin under another key:"
                    " config: {tool_name: …}",
                )

    @property
    def tools(self) -> list[Tool]:
        """All of them, whole."""
        return [offer.tool for offer in self._offered.values()]

    def named(self, tool: Tool) -> Tool:
        """The whole tool for one that has only a name."""
        offer = self._offered.get(tool.name)
        return offer.tool if offer is not None and not tool.HasField("parameters") else tool

    async def execute(self, made: ToolCall, key: str, call: Call) -> ToolOutcome:
        """Runs a call that a model made; whatever is wrong with it is told, never raised."""
        offer = self._offered.get(made.tool)
        if offer is None:
            there = ", ".join(sorted(self._offered)) or "none"
            name = quoted(made.tool, SHOWN_NAME)
            return refused(name, FAILURE_KIND_NOT_FOUND, f"there is no tool {name!r}; there are: {there}")
        try:
            return await offer.execute(parse(made.arguments, offer.tool), key, call)
        except InvalidArgumentsError as error:
            return refused(made.tool, FAILURE_KIND_INVALID, str(error))
        except CallError as error:
            failure = failure_of(error, FAILURE_KIND_TOOL)
            return refused(made.tool, failure.kind, error.detail or error.what)
        except (PluginError, NotFoundError) as error:
            return refused(made.tool, FAILURE_KIND_UNAVAILABLE, error.what)


def refused(tool: str, kind: FailureKind, why: str) -> ToolOutcome:
    """A call that did not succeed, with the reason as its result."""
    return ToolOutcome(
        ToolResult(tool=tool, failed=True, parts=[Part(text=why)]), Failure(kind=kind, message=f"{tool}: {why}")
    )


async def plugin_tools(config: Config, agent: AgentConfig, registry: Registry, call: Call) -> list[OfferedTool]:
    """The tools that an agent has from plugins.

    Raises:
        ConfigError: An entry names a tool that its plugin does not have.
        CallError: A plugin does not list its tools.
    """
    offered = await asyncio.gather(*(_entry(config, entry, registry, call) for entry in config.tools_of(agent)))
    return [offer for offers in offered for offer in offers]


async def _entry(config: Config, entry: ToolConfig, registry: Registry, call: Call) -> list[OfferedTool]:
    name = entry.id
    provider = registry.tools(entry.plugin)
    tools = await provider.tools(call)

    def offer(tool: Tool, shown: str) -> OfferedTool:
        renamed = Tool()
        renamed.CopyFrom(tool)
        renamed.name = shown

        async def execute(parameters: Mapping[str, Any], key: str, call: Call) -> ToolOutcome:
            return ToolOutcome(_result(shown, await provider.execute(tool.name, parameters, key, call)))

        return OfferedTool(renamed, f"tools.{name}", execute)

    wanted = entry.config.tool_name
    if not wanted:
        return [offer(tool, tool.name) for tool in tools.values()]
    if wanted not in tools:
        raise ConfigError(
            f"{config.locate(*entry.key, 'config', 'tool_name')}: plugin {entry.plugin} has no tool {wanted!r}",
            f"It has: {', '.join(quoted(tool) for tool in sorted(tools)) or 'none'}",
        )
    return [offer(tools[wanted], name)]


def search_offer(search: SearchTool, agent: str) -> OfferedTool:
    """The agent's document stores as the tool that searches them."""

    async def execute(parameters: Mapping[str, Any], key: str, call: Call) -> ToolOutcome:  # noqa: ARG001
        response = await search.execute(parameters, call)
        passages = MessageToDict(response.structured_result)["passages"]
        sources = [
            Source(location=found["source"], text=found["text"], score=found["score"], store=found["store"])
            for found in passages
        ]
        return ToolOutcome(_result(search.tool.name, response), sources=sources)

    return OfferedTool(search.tool, f"agents.{agent}.document_stores", execute)


def _result(tool: str, response: ExecuteToolResponse) -> ToolResult:
    result = ToolResult(tool=tool, parts=response.parts)
    if response.HasField("structured_result"):
        result.structured.CopyFrom(response.structured_result)
    if not result.parts:
        result.parts.append(Part(text=response.result or _as_text(tool, result)))
    return result


def _as_text(tool: str, result: ToolResult) -> str:
    if not result.HasField("structured"):
        return ""
    try:
        return json.dumps(MessageToDict(result.structured), ensure_ascii=False)
    except ValueError as error:
        raise CallError(f"{tool}: its structured result is not JSON: {quoted(str(error))}") from None
