"""The arguments of a tool call: from the text that a model wrote to parameters that fit the tool's schema."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import EncodeError
from google.protobuf.struct_pb2 import Struct

from hector_host.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hector.plugin.v1.tool_pb2 import Tool

PATTERN_TIMEOUT = 0.1
"""Seconds for one pattern of a schema: it comes from a plugin, runs over a model's text, and could go on for hours."""

SHOWN = 500
"""Characters of what is wrong; a message of the checker repeats the value."""

PROBLEMS = 20
"""Problems among which the first, by its place, is told."""

NAME_PATTERNS = "patternProperties"
BESIDE_NAME_PATTERNS = (NAME_PATTERNS, "additionalProperties", "unevaluatedProperties")
"""Keywords by which patterns run over the names of properties; the plugin checks those itself."""


class InvalidArgumentsError(Exception):
    """What is wrong with the arguments, for the model that wrote them."""


def parse(arguments: str, tool: Tool) -> dict[str, Any]:
    """The parameters of a call.

    Raises:
        InvalidArgumentsError: The text is not JSON, cannot be sent, or does not fit the schema.
    """
    try:
        parameters = json.loads(arguments or "{}")
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentsError(f"the arguments are not JSON: {quoted(str(error), SHOWN)}") from None
    if not isinstance(parameters, dict):
        raise InvalidArgumentsError(f"the arguments are not an object but {quoted(arguments, 100)}")
    try:
        sent = Struct()
        sent.update(parameters)
        sent.SerializeToString()
    except (ValueError, TypeError, OverflowError, RecursionError, EncodeError) as error:
        raise InvalidArgumentsError(f"the arguments cannot be sent: {quoted(str(error), SHOWN)}") from None
    if wrong := check(MessageToDict(tool.parameters), parameters):
        raise InvalidArgumentsError(wrong)
    return parameters


def check(schema: dict[str, Any], value: Any) -> str:
    """What is wrong with a value by a JSON Schema (draft 2020-12); empty when nothing is."""
    import jsonschema
    import referencing

    kind: Any = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
    # An empty registry: a schema comes from a plugin and must not make the host fetch what it refers to.
    validator = kind(_without_name_patterns(schema), registry=referencing.Registry())
    try:
        problems = list(islice(validator.iter_errors(value), PROBLEMS))
    except Exception as error:  # noqa: BLE001 - a schema that is none can fail in any way
        return f"the schema cannot be used: {type(error).__name__}"
    if not problems:
        return ""
    wrong = min(problems, key=lambda problem: [str(part) for part in problem.path])
    where = ".".join(str(part) for part in wrong.path)
    return quoted(f"{where}: {wrong.message}" if where else wrong.message, SHOWN)


def unfit(schema: str, answer: str) -> str:
    """What is wrong with the answer to a question whose schema (as text) this is; empty when nothing is."""
    if not schema:
        return ""
    try:
        return check(json.loads(schema), json.loads(answer))
    except (ValueError, RecursionError) as error:
        return f"the answer is not JSON: {quoted(str(error), SHOWN)}"


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[Any]:
    import regex
    from jsonschema import ValidationError

    if not isinstance(value, str):
        return
    try:
        if regex.search(pattern, value, timeout=PATTERN_TIMEOUT) is None:
            yield ValidationError(f"{value!r} does not match {pattern!r}")
    except TimeoutError:
        yield ValidationError(f"whether it matches {pattern!r} takes too long to tell")


def _without_name_patterns(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_name_patterns(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    left_out = BESIDE_NAME_PATTERNS if NAME_PATTERNS in schema else ()
    return {key: _without_name_patterns(value) for key, value in schema.items() if key not in left_out}
