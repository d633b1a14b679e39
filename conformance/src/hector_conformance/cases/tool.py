"""What every provider of tools promises: names, schemas, statuses, and that calls are independent."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from grpc import StatusCode
from jsonschema import Draft202012Validator, SchemaError

from hector.plugin.v1.tool_pb2 import ExecuteToolRequest, ExecuteToolResponse, GetToolSchemaRequest, ListToolsRequest
from hector_conformance.answers import refusal
from hector_conformance.case import RESTART, Failed, NotOffered, case
from hector_conformance.offered import NOBODY
from hector_conformance.statuses import answered, answered_or_refused
from hector_conformance.toolbox import callables, execution, harmless, schema, tools
from hector_host.config import Kind
from hector_host.errors import quoted
from hector_host.runtime.parameters import check

if TYPE_CHECKING:
    from hector.plugin.v1.tool_pb2 import Tool
    from hector_conformance.instance import Instance
    from hector_conformance.subject import Subject

AT_ONCE = 32
UNDERWAY = 0.02
"""Seconds until calls that were begun are at work in the plugin."""
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
LARGE = 5 << 20
LARGEST = (64 << 20) - (1 << 10)
NO_SUCH = (StatusCode.NOT_FOUND, StatusCode.INVALID_ARGUMENT, StatusCode.RESOURCE_EXHAUSTED)
BUSY = (StatusCode.RESOURCE_EXHAUSTED, StatusCode.UNAVAILABLE)
LATE = (*BUSY, StatusCode.DEADLINE_EXCEEDED, StatusCode.CANCELLED)


@case(Kind.TOOL, "contract")
async def tools_can_be_listed_and_executed(subject: Subject) -> None:
    """ListTools and ExecuteTool, without which nothing provides tools, are served."""
    missing = [rpc for rpc in ("ListTools", "ExecuteTool") if not await subject.offers(rpc)]
    if missing:
        raise Failed(f"{missing[0]} is served; it is UNIMPLEMENTED")


@case(Kind.TOOL, "contract", requires=("ListTools",))
async def tools_have_names_of_their_own(subject: Subject) -> None:
    """Each tool has a name of its own: 1 to 64 of A-Z a-z 0-9 _ and -."""
    async with subject.running() as instance:
        names = [tool.name for tool in await tools(instance)]
    for name in names:
        if not NAME.fullmatch(name):
            raise Failed(f'the name of a tool is 1 to 64 of A-Z a-z 0-9 _ and -; one is "{quoted(name, 100)}"')
    if len(set(names)) != len(names):
        raise Failed(f"each tool has a name of its own; they are {quoted(', '.join(names), 300)}")


@case(Kind.TOOL, "contract", requires=("ListTools",))
async def tools_keep_their_order(subject: Subject) -> None:
    """ListTools lists the same tools in the same order."""
    async with subject.running() as instance:
        first = [tool.name for tool in await tools(instance)]
        second = [tool.name for tool in await tools(instance)]
    if first != second:
        before, after = quoted(", ".join(first), 200), quoted(", ".join(second), 200)
        raise Failed(f"the order of tools stays; it was {before}, then {after}")


@case(Kind.TOOL, "contract", requires=("ListTools",))
async def schemas_are_json_schemas(subject: Subject) -> None:
    """The schemas of each tool's parameters and result are JSON Schemas."""
    async with subject.running() as instance:
        for tool in await tools(instance):
            parts = {"parameters": await schema(subject, instance, tool)}
            if tool.HasField("result_schema"):
                parts["result_schema"] = MessageToDict(tool.result_schema)
            for part, value in parts.items():
                try:
                    Draft202012Validator.check_schema(value)
                except SchemaError as error:
                    raise Failed(f"{tool.name}: {part} is a JSON Schema; {quoted(error.message, 200)}") from None


@case(Kind.TOOL, "contract", requires=("ListTools", "GetToolSchema"))
async def schemas_agree(subject: Subject) -> None:
    """GetToolSchema says what ListTools says."""
    async with subject.running() as instance:
        for tool in await tools(instance):
            request = GetToolSchemaRequest(tool=tool.name)
            got = await answered("GetToolSchema", instance.stubs.tools.GetToolSchema(request))
            if tool.HasField("parameters") and got.parameters != tool.parameters:
                raise Failed(f"{tool.name}: both schemas are equal; ListTools and GetToolSchema differ")


@case(Kind.TOOL, "contract", requires=("ListTools", "ExecuteTool"))
async def success_and_error_exclude_each_other(subject: Subject) -> None:
    """A call that succeeds has no error, and one that does not says why."""
    async with subject.running() as instance:
        for each in await callables(subject, instance):
            call = instance.stubs.tools.ExecuteTool(each.request)
            _judge(each.tool, await answered(f"ExecuteTool {each.tool}", call))


@case(Kind.TOOL, "contract", requires=("ListTools", "ExecuteTool"))
async def sample_call_succeeds(subject: Subject) -> None:
    """The harmless sample call of conformance.yaml succeeds, and its result fits the result_schema."""
    if subject.settings.tools.harmless is None:
        raise NotOffered("conformance.yaml has no harmless sample call")
    async with subject.running() as instance:
        call = await harmless(subject, instance)
        response = await answered(f"ExecuteTool {call.tool}", instance.stubs.tools.ExecuteTool(call.request))
        listed = {tool.name: tool for tool in await tools(instance)}
    if not response.success:
        raise Failed(f'the sample call of {call.tool} succeeds; it says "{quoted(response.error, 200)}"')
    result = listed[call.tool]
    if result.HasField("result_schema") and response.HasField("structured_result"):
        wrong = check(MessageToDict(result.result_schema), MessageToDict(response.structured_result))
        if wrong:
            raise Failed(f"the result of {call.tool} fits its result_schema; {wrong}")


@case(Kind.TOOL, "statuses", requires=("ExecuteTool",))
async def unknown_tool_is_not_found(subject: Subject) -> None:
    """ExecuteTool with a tool that does not exist is NOT_FOUND."""
    async with subject.running() as instance:
        call = instance.stubs.tools.ExecuteTool(ExecuteToolRequest(tool=NOBODY))
        await refusal(subject, call, StatusCode.NOT_FOUND, "ExecuteTool with a tool that does not exist")


@case(Kind.TOOL, "statuses", requires=("GetToolSchema",))
async def schema_of_unknown_tool_is_not_found(subject: Subject) -> None:
    """GetToolSchema with a tool that does not exist is NOT_FOUND."""
    async with subject.running() as instance:
        call = instance.stubs.tools.GetToolSchema(GetToolSchemaRequest(tool=NOBODY))
        await refusal(subject, call, StatusCode.NOT_FOUND, "GetToolSchema with a tool that does not exist")


@case(Kind.TOOL, "statuses", requires=("ListTools", "ExecuteTool"))
async def parameters_that_break_the_schema_are_refused(subject: Subject) -> None:
    """Parameters that break a tool's schema are INVALID_ARGUMENT."""
    async with subject.running() as instance:
        broken = [(each, misfit) for each in await callables(subject, instance) for misfit in each.misfits()]
        if not broken:
            raise NotOffered("the schemas of its tools take anything")
        for each, misfit in broken:
            call = instance.stubs.tools.ExecuteTool(execution(each.tool, misfit))
            what = f"ExecuteTool {each.tool} with {quoted(str(misfit), 100)}"
            await refusal(subject, call, StatusCode.INVALID_ARGUMENT, what)


@case(Kind.TOOL, "empty input", requires=("ExecuteTool",))
async def no_tool_is_no_tool(subject: Subject) -> None:
    """ExecuteTool without a name is NOT_FOUND or INVALID_ARGUMENT."""
    async with subject.running() as instance:
        call = instance.stubs.tools.ExecuteTool(ExecuteToolRequest())
        response = await answered_or_refused("ExecuteTool without a name", call, *NO_SUCH[:2])
    if response is not None and response.success:
        raise Failed("ExecuteTool without a name is NOT_FOUND or INVALID_ARGUMENT; it was a success")


@case(Kind.TOOL, "huge input", requires=("ListTools", "ExecuteTool"))
async def large_parameters(subject: Subject) -> None:
    """Parameters of 5 MiB are refused by name, or reach the tool."""
    await _huge(subject, LARGE)


@case(Kind.TOOL, "huge input", requires=("ListTools", "ExecuteTool"))
async def largest_parameters(subject: Subject) -> None:
    """Parameters of nearly 64 MiB are refused by name, or reach the tool."""
    await _huge(subject, LARGEST)


@case(Kind.TOOL, "concurrency", requires=("ListTools", "ExecuteTool"))
async def results_are_not_mixed_up(subject: Subject) -> None:
    """32 calls at once have the results that each has alone."""
    async with subject.running() as instance:
        found = (await callables(subject, instance))[:4]
        several = [request for each in found for request in each.variants(4)][:8]
        twice = [[await _result(instance, request) for request in several] for _ in range(2)]
        alone = [(request, one) for request, one, other in zip(several, *twice, strict=True) if one == other]
        if not alone:
            raise NotOffered("the results of its tools differ from call to call")
        many = (alone * AT_ONCE)[:AT_ONCE]
        calls = [instance.stubs.tools.ExecuteTool(request) for request, _ in many]
        what = "ExecuteTool, 32 at once,"
        results = await asyncio.gather(*(answered_or_refused(what, call, *BUSY) for call in calls))
    if not any(results):
        raise Failed("of 32 calls at once some are answered; all were refused")
    for (request, wanted), response in zip(many, results, strict=True):
        if response is not None and response.SerializeToString(deterministic=True) != wanted:
            raise Failed(f"{request.tool} has the result that it has alone; among others it has another")


@case(Kind.TOOL, "cancellation", requires=("ListTools", "ExecuteTool"))
async def cancelled_executions_are_forgotten(subject: Subject) -> None:
    """After 32 cancelled calls the next one is answered."""
    async with subject.running() as instance:
        call = await harmless(subject, instance)
        calls: list[Any] = [instance.stubs.tools.ExecuteTool(call.request) for _ in range(AT_ONCE)]
        await asyncio.sleep(UNDERWAY)
        for each in calls:
            each.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await answered("ExecuteTool after them", instance.stubs.tools.ExecuteTool(call.request))


@case(Kind.TOOL, "deadlines", requires=("ListTools", "ExecuteTool"))
async def late_executions_end_in_time(subject: Subject) -> None:
    """Calls with 2 to 64 ms are answered or DEADLINE_EXCEEDED, and the next one is answered."""
    async with subject.running() as instance:
        call = await harmless(subject, instance)
        calls = [instance.stubs.tools.ExecuteTool(call.request, timeout=each / 500) for each in range(1, AT_ONCE + 1)]
        what = "ExecuteTool with a deadline of some ms"
        await asyncio.gather(*(answered_or_refused(what, each, *LATE) for each in calls))
        await answered("ExecuteTool after them", instance.stubs.tools.ExecuteTool(call.request))


@case(Kind.TOOL, "statelessness", requires=(RESTART, "ListTools"))
async def replicas_list_the_same_tools(subject: Subject) -> None:
    """A second process lists the same tools, and executes them alike."""
    if subject.bare:
        raise NotOffered("two of it would share a port")
    async with subject.running() as one, subject.running(fresh=True) as other:
        here = await answered("ListTools", one.stubs.tools.ListTools(ListToolsRequest()))
        there = await answered("ListTools", other.stubs.tools.ListTools(ListToolsRequest()))
    if sorted(here.tools, key=_name) != sorted(there.tools, key=_name):
        names = [quoted(", ".join(tool.name for tool in each.tools), 200) for each in (here, there)]
        raise Failed(f"both replicas list the same; one lists {names[0]}, the other {names[1]}")


@case(Kind.TOOL, "restart", requires=(RESTART, "ListTools", "ExecuteTool"))
async def executes_after_kill(subject: Subject) -> None:
    """Killed while it works, its calls end; started again, it executes."""
    folder = subject.folder()
    async with subject.running(data=folder) as instance:
        call = await harmless(subject, instance)
        await answered("ExecuteTool", instance.stubs.tools.ExecuteTool(call.request))
        calls = [instance.stubs.tools.ExecuteTool(call.request) for _ in range(AT_ONCE)]
        await asyncio.sleep(UNDERWAY)
        instance.kill()
        await asyncio.gather(*calls, return_exceptions=True)
    async with subject.running(data=folder) as instance:
        await answered("ExecuteTool after a kill", instance.stubs.tools.ExecuteTool(call.request))


def _name(tool: Tool) -> str:
    return tool.name


def _judge(tool: str, response: ExecuteToolResponse) -> None:
    if response.success and response.error:
        raise Failed(f'{tool}: a success has no error; it says "{quoted(response.error, 200)}"')
    if not response.success and not response.error:
        raise Failed(f"{tool}: success = false says why; error is empty")


async def _result(instance: Instance, request: ExecuteToolRequest) -> bytes:
    response = await answered(f"ExecuteTool {request.tool}", instance.stubs.tools.ExecuteTool(request))
    return response.SerializeToString(deterministic=True)


async def _huge(subject: Subject, size: int) -> None:
    async with subject.running() as instance:
        call = instance.stubs.tools.ExecuteTool(execution(NOBODY, {"text": "x" * size}))
        await answered_or_refused(f"ExecuteTool with {size >> 20} MiB", call, *NO_SUCH)
        await tools(instance)
