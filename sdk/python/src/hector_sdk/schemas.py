"""The one place that talks to pydantic: types to JSON Schema, JSON values to types, its errors to field paths.

pydantic is imported when the first schema or value is asked for, which is after the handshake.
"""

from __future__ import annotations

import functools
import json
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from hector_sdk.errors import InvalidOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

WORDS = {
    "missing": "is required",
    "unexpected_keyword_argument": "is not known",
    "extra_forbidden": "is not known",
}
NAMES = {"properties", "$defs"}
"""Keywords whose keys are names that the author chose."""
VALUES = {"default", "const", "enum", "examples"}
"""Keywords that hold values and no schemas."""


def adapter(type_: Any) -> TypeAdapter[Any]:
    """What validates values of a type.

    A plain dataclass becomes strict about unknown keys, and the docstrings under its fields become their descriptions.
    """
    from pydantic import TypeAdapter

    return _of_class(type_) if isinstance(type_, type) else TypeAdapter(type_)


@functools.cache  # making one costs milliseconds, while a host waits
def _of_class(cls: Any) -> TypeAdapter[Any]:
    from pydantic import ConfigDict, TypeAdapter

    if is_dataclass(cls) and not hasattr(cls, "__pydantic_config__"):
        plain: Any = cls  # mypy knows no such attribute
        plain.__pydantic_config__ = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    return TypeAdapter(cls)


def schema(type_: Any, *, of_results: bool = False) -> dict[str, Any]:
    """JSON Schema of a type, without the titles that only repeat names.

    Args:
        type_: Anything that pydantic understands.
        of_results: The schema of what comes out, where it differs from what goes in.
    """
    made: dict[str, Any] = adapter(type_).json_schema(mode="serialization" if of_results else "validation")
    untitled: dict[str, Any] = _untitled(made)
    return untitled


def validated(type_: Any, value: Any, *, strict: bool = False) -> Any:
    """A JSON value as that type.

    Args:
        type_: Anything that pydantic understands.
        value: None, bool, int, float, str, list and dict.
        strict: "1" is no number, and 1 is not true.

    Raises:
        InvalidOptions: Names every bad field.
    """
    from pydantic import ValidationError

    try:
        if strict:  # as JSON: strictly taken, a list is no tuple and a text is no path, but JSON has neither
            return adapter(type_).validate_json(json.dumps(value), strict=True)
        return adapter(type_).validate_python(value)
    except ValidationError as error:
        raise InvalidOptions.of(_violations(error.errors(include_url=False), value)) from None


def _violations(errors: Iterable[ErrorDetails], value: Any) -> list[tuple[str, str]]:
    """In their order. Of a union, what the branch says that fits further than the others."""
    found = list(dict.fromkeys((_path(error, value), _words(error)) for error in errors))
    paths = [path for path, _ in found]
    return [
        (path, words) for path, words in found if not any(each.startswith((f"{path}.", f"{path}[")) for each in paths)
    ]


def _words(error: ErrorDetails) -> str:
    message = error["msg"].removeprefix("Value error, ")
    return WORDS.get(error["type"]) or message[:1].lower() + message[1:]


def _path(error: ErrorDetails, value: Any) -> str:
    """`replies[0].delay`. Steps that are not in the value name branches of a union, except that to a missing field."""
    path = ""
    for step in error["loc"]:
        if isinstance(step, int) and isinstance(value, list):
            value = value[step]
            path += f"[{step}]"
        elif isinstance(value, dict) and step in value:
            value = value[step]
            path += f".{step}"
    if error["type"] == "missing":
        path += f".{error['loc'][-1]}"
    return path.removeprefix(".")


def _untitled(node: Any, *, names: bool = False) -> Any:
    if isinstance(node, list):
        return [_untitled(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: value if key in VALUES and not names else _untitled(value, names=key in NAMES and not names)
        for key, value in node.items()
        if names or key != "title" or not isinstance(value, str)
    }
