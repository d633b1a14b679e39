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
from hector_host.errors import CallError, ConfigError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hector.plugin.v1.message_pb2 import ToolCall
    from hector.plugin.v1.reasoning_pb2 import FailureKind
    from hector.plugin.v1.tool_pb2 import ExecuteToolResponse
    from hector_host.config import AgentConfig, Config, ToolConfig
    from hector_host.documents.search import SearchTool
    from hector_host.providers.call import Call
    from hector_host.registry import Registry

FAILURES: dict[grpc.StatusCode | None, FailureKind] = {
    None: FAILURE_KIND_TOOL,
    grpc.StatusCode.DEADLINE_EXCEEDED: FAILURE_KIND_TIMEOUT,
    grpc.StatusCode.INVALID_ARGUMENT: FAILURE_KIND_INVALID,
    grpc.StatusCode.NOT_FOUND: FAILURE_KIND_NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED: FAILURE_KIND_DENIED,
}


def failure_of(error: CallError) -> Failure:
    """What a strategy is told of a call that failed."""
    kind = FAILURES.get(error.code, FAILURE_KIND_UNSPECIFIED)
    if kind == FAILURE_KIND_UNSPECIFIED and error.outcome_unknown:
        kind = FAILURE_KIND_OUTCOME_UNKNOWN
    elif kind == FAILURE_KIND_UNSPECIFIED and error.retryable:
        kind = FAILURE_KIND_UNAVAILABLE
    return Failure(kind=kind, message=error.what)


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
            return refused(made.tool, FAILURE_KIND_NOT_FOUND, f"there is no tool {made.tool!r}; there are: {there}")
        try:
            parameters = json.loads(made.arguments or "{}")
        except ValueError as error:
            return refused(made.tool, FAILURE_KIND_INVALID, f"the arguments are not JSON: {error}")
        if wrong := check(offer.tool, parameters):
            return refused(made.tool, FAILURE_KIND_INVALID, wrong)
        try:
            return await offer.execute(parameters, key, call)
        except CallError as error:
            failure = failure_of(error)
            return refused(made.tool, failure.kind, error.detail or error.what)


def refused(tool: str, kind: FailureKind, why: str) -> ToolOutcome:
    """A call that did not succeed, with the reason as its result."""
    return ToolOutcome(
        ToolResult(tool=tool, failed=True, parts=[Part(text=why)]), Failure(kind=kind, message=f"{tool}: {why}")
    )


def check(tool: Tool, parameters: Any) -> str:
    """What is wrong with the parameters of a call, by the tool's schema; empty when nothing is."""
    import jsonschema
    import referencing

    schema = MessageToDict(tool.parameters)
    # An empty registry: a schema comes from a plugin and must not make the host fetch what it refers to.
    validator = jsonschema.Draft202012Validator(schema, registry=referencing.Registry())
    try:
        wrong = min(validator.iter_errors(parameters), key=lambda error: list(map(str, error.path)), default=None)
    except Exception as error:  # noqa: BLE001 - a schema that is none can fail in any way
        return f"the schema of {tool.name} cannot be used: {type(error).__name__}"
    if wrong is None:
        return ""
    where = ".".join(str(part) for part in wrong.path)
    return f"{where}: {wrong.message}" if where else wrong.message


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
        text = response.result
        if not text and response.HasField("structured_result"):
            text = json.dumps(MessageToDict(response.structured_result), ensure_ascii=False)
        result.parts.append(Part(text=text))
    return result
