"""Functions as tools: what the model is told, what they are given, what comes back."""

import threading
from dataclasses import dataclass
from typing import Annotated, Literal

import grpc
import pytest
from annotated_types import Gt

from hector.plugin.v1.tool_pb2 import (
    ExecuteToolRequest,
    ExecuteToolResponse,
    GetToolSchemaRequest,
    ListToolsRequest,
    ToolEffects,
)
from hector_sdk import Failure, Status, Tools, current_call, tool
from hector_sdk.testing import running
from hector_sdk.values import plain, struct


@dataclass(frozen=True)
class Point:
    x: float
    label: str = ""


@tool(title="Addition", read_only=True, idempotent=True, local=True, additive=True)
async def add(a: int, b: Annotated[int, Gt(0)] = 1, *, how: Literal["exact", "rough"] = "exact") -> int:
    """Add two
    numbers.

    Nobody is told this.

    Args:
        a: The first, on
            two lines.
        b (int): The second: above 0.

    Returns:
        The sum.
    """
    return a + b


class Workshop(Tools):
    @tool
    def where(self, point: Point, items: list[int] | None = None) -> Point:
        return Point(point.x + len(items or []), f"{point.label} in {current_call().run}")

    @tool(name="thread")
    def _thread(self) -> str:
        return str(threading.current_thread() is threading.main_thread())

    @tool
    async def types(self, anything: object) -> str:
        return f"{type(anything).__name__} {anything}"

    @tool
    async def outcome(self, which: str) -> object:
        match which:
            case "failure":
                raise Failure("it did not work")
            case "status":
                raise Status(grpc.StatusCode.UNAVAILABLE, "try later")
            case "bug":
                raise ZeroDivisionError("secret")
            case "response":
                return ExecuteToolResponse(success=True, result="own words")
            case "nothing":
                return None
            case "json":
                return {"a": [1, 2.5, None, "é", float("inf")]}


async def execute(name, **parameters):
    async with running(Workshop(add), config={}) as stubs:
        request = ExecuteToolRequest(tool=name, parameters=struct(parameters))
        return await stubs.tools.ExecuteTool(request, metadata=(("hector-run", "r1"),))


async def refusal(name, **parameters):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await execute(name, **parameters)
    return error.value.code(), error.value.details()


async def test_tools_are_listed_with_what_their_annotations_say():
    async with running(Workshop(add), config={}) as stubs:
        first, *others = (await stubs.tools.ListTools(ListToolsRequest())).tools
    assert (first.name, first.title, first.description) == ("add", "Addition", "Add two numbers.")
    assert first.effects == ToolEffects(read_only=True, idempotent=True, local=True, additive=True)
    assert plain(first.parameters) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "a": {"type": "integer", "description": "The first, on two lines."},
            "b": {"type": "integer", "description": "The second: above 0.", "default": 1, "exclusiveMinimum": 0},
            "how": {"type": "string", "enum": ["exact", "rough"], "default": "exact"},
        },
        "required": ["a"],
    }
    assert plain(first.result_schema) == {"type": "integer"}
    assert [each.name for each in others] == ["where", "thread", "types", "outcome"]
    assert plain(others[0].result_schema)["properties"] == {
        "x": {"type": "number"},
        "label": {"type": "string", "default": ""},
    }
    assert not others[1].HasField("result_schema")


async def test_one_schema_is_the_same():
    async with running(Workshop(add), config={}) as stubs:
        listed = (await stubs.tools.ListTools(ListToolsRequest())).tools[0]
        one = await stubs.tools.GetToolSchema(GetToolSchemaRequest(tool="add"))
    assert (one.parameters, one.result) == (listed.parameters, listed.result_schema)


async def test_a_tool_is_called_with_types_and_answers_with_both_forms():
    added = await execute("add", a=2, b=3)
    assert (added.success, added.result, added.structured_result.number_value) == (True, "5", 5)
    moved = await execute("where", point={"x": 1, "label": "here"}, items=[1, 2])
    assert moved.result == '{"x": 3.0, "label": "here in r1"}'
    assert plain(moved.structured_result.struct_value) == {"x": 3, "label": "here in r1"}


async def test_whole_numbers_are_integers():
    assert (await execute("types", anything=3.0)).result == "int 3"
    assert (await execute("types", anything=[1.5, 2.0])).result == "list [1.5, 2]"


async def test_a_sync_function_runs_in_a_thread():
    assert (await execute("thread")).result == "False"


async def test_the_ways_to_end():
    assert await execute("outcome", which="failure") == ExecuteToolResponse(success=False, error="it did not work")
    assert await execute("outcome", which="response") == ExecuteToolResponse(success=True, result="own words")
    assert await execute("outcome", which="nothing") == ExecuteToolResponse(success=True)
    assert (await execute("outcome", which="json")).result == '{"a": [1, 2.5, null, "é", null]}'
    assert await refusal("outcome", which="status") == (grpc.StatusCode.UNAVAILABLE, "try later")
    assert await refusal("outcome", which="bug") == (grpc.StatusCode.INTERNAL, "ZeroDivisionError")


async def test_bad_parameters_never_reach_the_tool():
    wrong = (
        "a: input should be a valid integer, unable to parse string as an integer",
        "b: input should be greater than 0",
        "c: is not known",
    )
    code, words = await refusal("add", a="x", b=0, c=1)
    assert (code, words) == (grpc.StatusCode.INVALID_ARGUMENT, f"parameters of add: {'; '.join(wrong)}")
    assert await refusal("add") == (grpc.StatusCode.INVALID_ARGUMENT, "parameters of add: a: is required")


async def test_a_tool_that_is_not_there():
    there = "add, outcome, thread, types, where"
    assert await refusal("nothing") == (grpc.StatusCode.NOT_FOUND, f'no tool "nothing": there are {there}')


def test_a_marked_function_stays_a_function():
    assert add.__name__ == "add"


def test_parameters_are_given_by_name():
    def many(*words: str) -> None: ...

    with pytest.raises(TypeError, match=r"^the tool many takes \*words: str; parameters of tools are given by name$"):
        _ = Tools(many).tools["many"].parameters


def test_two_tools_of_one_name():
    with pytest.raises(ValueError, match=r"^two tools are called 'add'$"):
        _ = Tools(add, add).tools


def test_a_name_that_no_model_accepts():
    words = r"^'<lambda>' is no name for a tool: 1 to 64 letters, digits, _ and -$"
    with pytest.raises(ValueError, match=words):
        _ = Tools(lambda: None).tools
