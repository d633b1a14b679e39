"""One plain annotated function as a tool: its annotations are the JSON Schema, its docstring the description."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, make_dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints, overload

from hector_sdk import docstrings, schemas, threads
from hector_sdk.errors import Failure
from hector_sdk.values import struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from hector.plugin.v1 import tool_pb2

Function = TypeVar("Function", bound="Callable[..., Any]")
MARK = "__hector_tool__"


@dataclass(frozen=True)
class Marked:
    """What `@tool` was told. The flags are those of ToolEffects; every true makes a call safer."""

    name: str = ""
    title: str = ""
    read_only: bool = False
    idempotent: bool = False
    local: bool = False
    additive: bool = False
    keeps_receipts: bool = False


@overload
def tool(function: Function, /) -> Function: ...
@overload
def tool(
    *,
    name: str = "",
    title: str = "",
    read_only: bool = False,
    idempotent: bool = False,
    local: bool = False,
    additive: bool = False,
    keeps_receipts: bool = False,
) -> Callable[[Function], Function]: ...
def tool(function: Function | None = None, /, **marks: Any) -> Function | Callable[[Function], Function]:
    """Make a function, or a method of a `Tools` class, a tool. It stays the function that it is.

    It returns text, a JSON value (a dataclass or pydantic model too) or an ExecuteToolResponse. `raise Failure(words)`
    means that the tool ran and failed; the model is shown the words.

    Args:
        function: Given when used without parentheses.
        marks: `name` (default: the function's), `title`, and what a call may do:
            read_only: Changes nothing outside the plugin.
            idempotent: The same call twice has the effect of one.
            local: Reaches nothing beyond this machine.
            additive: Adds, and never overwrites or deletes.
            keeps_receipts: A repeated idempotency key is answered from its receipt (`hector_sdk.receipts`).
    """

    def mark(marked: Function) -> Function:
        setattr(marked, MARK, Marked(**marks))
        return marked

    return mark if function is None else mark(function)


@dataclass(frozen=True)
class Tool:
    """One function, as the contract describes and calls it."""

    function: Callable[..., Any]
    marked: Marked = field(default_factory=Marked)

    @property
    def name(self) -> str:
        """As the model calls it."""
        return self.marked.name or self.function.__name__

    @cached_property
    def _arguments(self) -> Any:
        """A dataclass whose fields are the function's parameters."""
        from pydantic import ConfigDict, Field

        hints = get_type_hints(self.function, include_extras=True)
        told = docstrings.parameters(self.function)
        fields: list[tuple[str, Any, Any]] = []
        for parameter in inspect.signature(self.function).parameters.values():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise TypeError(f"the tool {self.name} takes {parameter}; parameters of tools are given by name")
            absent = parameter.default is parameter.empty
            default = ... if absent else parameter.default
            described = Field(default, description=told.get(parameter.name))
            fields.append((parameter.name, hints.get(parameter.name, Any), described))
        made = make_dataclass(self.name, fields, kw_only=True)
        made.__doc__ = None
        made.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
        return made

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """JSON Schema."""
        made = schemas.schema(self._arguments)
        made.pop("description", None)
        return made

    @cached_property
    def result(self) -> dict[str, Any]:
        """JSON Schema of the structured result; empty where the result is text or nobody said."""
        from hector.plugin.v1.tool_pb2 import ExecuteToolResponse

        returned = get_type_hints(self.function).get("return", Any)
        if returned in (str, Any, type(None), ExecuteToolResponse):
            return {}
        return schemas.schema(returned, of_results=True)

    def described(self, *, with_receipts: bool) -> tool_pb2.Tool:
        """As ListTools says it."""
        from hector.plugin.v1 import tool_pb2

        effects = tool_pb2.ToolEffects(
            read_only=self.marked.read_only,
            idempotent=self.marked.idempotent,
            local=self.marked.local,
            additive=self.marked.additive,
            keeps_receipts=self.marked.keeps_receipts and with_receipts,
        )
        return tool_pb2.Tool(
            name=self.name,
            title=self.marked.title,
            description=docstrings.description(self.function),
            parameters=struct(self.parameters),
            result_schema=struct(self.result) if self.result else None,
            effects=effects,
        )

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The function's keyword arguments.

        Raises:
            InvalidOptions: Names every bad parameter.
        """
        made = schemas.validated(self._arguments, parameters)
        return {name: getattr(made, name) for name in inspect.signature(self.function).parameters}

    async def call(self, arguments: dict[str, Any]) -> tool_pb2.ExecuteToolResponse:
        """Run it; its Failure is an answer."""
        from hector.plugin.v1 import tool_pb2

        try:
            if inspect.iscoroutinefunction(self.function):
                result = await self.function(**arguments)
            else:
                result = await threads.run(self.function, **arguments)
        except Failure as failure:
            return tool_pb2.ExecuteToolResponse(error=str(failure))
        return _response(result)


def _response(result: Any) -> tool_pb2.ExecuteToolResponse:
    import json

    from google.protobuf.json_format import ParseDict
    from google.protobuf.struct_pb2 import Value
    from pydantic_core import to_jsonable_python

    from hector.plugin.v1 import tool_pb2

    if isinstance(result, tool_pb2.ExecuteToolResponse):
        return result
    if result is None or isinstance(result, str):
        return tool_pb2.ExecuteToolResponse(success=True, result=result or "")
    value = to_jsonable_python(result, inf_nan_mode="null")
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return tool_pb2.ExecuteToolResponse(success=True, result=words, structured_result=ParseDict(value, Value()))
