"""Structs as plain Python values. A Struct knows only doubles: whole numbers come out as integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.struct_pb2 import Struct, Value


def plain(struct: Struct) -> dict[str, Any]:
    """The Struct as a dict of None, bool, int, float, str, list and dict."""
    return {key: _value(value) for key, value in struct.fields.items()}


def whole(value: Any) -> Any:
    """A JSON value with whole floats as integers, so that it equals what came through a Struct."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return value


def struct(value: Mapping[str, Any]) -> Struct:
    """A dict as a Struct; tuples count as lists."""
    from google.protobuf.json_format import ParseDict
    from google.protobuf.struct_pb2 import Struct

    return ParseDict(dict(value), Struct())


def _value(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return plain(value.struct_value)
        case "list_value":
            return [_value(item) for item in value.list_value.values]
        case _:
            return None
