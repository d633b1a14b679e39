"""The tools of a plugin, and calls of them that are safe to make.

Only tools that say `read_only`, and those of the sample calls in conformance.yaml, are ever called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict

from hector.plugin.v1.tool_pb2 import ExecuteToolRequest, GetToolSchemaRequest, ListToolsRequest, Tool
from hector_conformance.case import NotOffered
from hector_conformance.offered import NOBODY
from hector_conformance.statuses import answered
from hector_host.providers.tool import object_schema
from hector_host.runtime.parameters import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hector_conformance.instance import Instance
    from hector_conformance.settings import ReceiptCall
    from hector_conformance.subject import Subject

TOOLS = 50
"""Tools that are looked at."""
_OF_TYPE: dict[str, Any] = {"string": "text", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}


@dataclass(frozen=True, slots=True)
class Callable:
    """A tool, parameters that fit it, and others that do not."""

    tool: str
    schema: dict[str, Any]
    parameters: dict[str, Any]
    read_only: bool

    def variants(self, count: int) -> list[ExecuteToolRequest]:
        """Calls with other texts, if the tool changes nothing; else the call itself."""
        found = []
        for number in range(count if self.read_only else 0):
            texts = {name: f"{value} {number}" for name, value in self.parameters.items() if isinstance(value, str)}
            if texts and not check(self.schema, {**self.parameters, **texts}):
                found.append(execution(self.tool, {**self.parameters, **texts}))
        return found or [self.request]

    @property
    def request(self) -> ExecuteToolRequest:
        """A call that fits."""
        return execution(self.tool, self.parameters)

    def misfits(self) -> Iterator[dict[str, Any]]:
        """Parameters that break the schema, each in one way."""
        given, properties = self.parameters, self.schema.get("properties", {})
        candidates = [{name: value for name, value in given.items() if name != left_out} for left_out in given]
        candidates += [{**given, name: {NOBODY: [1]}} for name in properties]
        candidates.append({**given, NOBODY: 1})
        yield from (each for each in candidates if check(self.schema, each))


def execution(tool: str, parameters: dict[str, Any], key: str = "") -> ExecuteToolRequest:
    """A call of a tool."""
    request = ExecuteToolRequest(tool=tool, idempotency_key=key)
    request.parameters.update(parameters)
    return request


async def tools(instance: Instance) -> list[Tool]:
    """The tools that it lists."""
    response = await answered("ListTools", instance.stubs.tools.ListTools(ListToolsRequest()))
    return list(response.tools)[:TOOLS]


async def schema(subject: Subject, instance: Instance, tool: Tool) -> dict[str, Any]:
    """The schema of a tool's parameters, as a host reads it."""
    parameters = tool.parameters
    if not tool.HasField("parameters") and await subject.offers("GetToolSchema"):
        request = GetToolSchemaRequest(tool=tool.name)
        parameters = (await answered("GetToolSchema", instance.stubs.tools.GetToolSchema(request))).parameters
    return object_schema(MessageToDict(parameters))


async def callables(subject: Subject, instance: Instance) -> list[Callable]:
    """The tools that may be called, those of the samples first.

    Raises:
        NotOffered: There are none.
    """
    found = []
    samples = {each.tool: each.parameters for each in _samples(subject)}
    for tool in await tools(instance):
        if tool.name in samples or tool.effects.read_only:
            described = await schema(subject, instance, tool)
            parameters = samples.get(tool.name, made_for(described))
            if not check(described, parameters):
                found.append(Callable(tool.name, described, parameters, tool.effects.read_only))
    if not found:
        raise NotOffered("no tool is read_only, and conformance.yaml has no sample call")
    return sorted(found, key=lambda each: each.tool not in samples)


async def harmless(subject: Subject, instance: Instance) -> Callable:
    """The call that is made where any will do: the sample, else one that the suite makes up.

    Raises:
        NotOffered: No tool may be called.
    """
    named = subject.settings.tools.harmless
    found = await callables(subject, instance)
    return next((each for each in found if named is not None and each.tool == named.tool), found[0])


def made_for(described: dict[str, Any]) -> dict[str, Any]:
    """Parameters that have what a schema requires, of the types that it says; they may not fit it."""
    properties = described.get("properties", {})
    return {name: _value(properties.get(name)) for name in described.get("required", []) if isinstance(name, str)}


async def receipt(subject: Subject, instance: Instance) -> ReceiptCall:
    """The sample call of a tool that keeps receipts.

    Raises:
        NotOffered: No tool keeps receipts, or there is no sample.
    """
    keeping = [tool.name for tool in await tools(instance) if tool.effects.keeps_receipts]
    if not keeping:
        raise NotOffered("no tool says keeps_receipts")
    sample = subject.settings.tools.receipt
    if sample is None or sample.tool not in keeping:
        raise NotOffered("conformance.yaml has no sample call of a tool that keeps receipts")
    return sample


def _samples(subject: Subject) -> list[Any]:
    samples = subject.settings.tools
    return [each for each in (samples.receipt, samples.harmless) if each is not None]


def _value(described: Any) -> Any:
    if not isinstance(described, dict):
        return _OF_TYPE["string"]
    if described.get("enum"):
        return described["enum"][0]
    kind = described.get("type")
    return described.get("default", _OF_TYPE.get(kind if isinstance(kind, str) else "string"))
