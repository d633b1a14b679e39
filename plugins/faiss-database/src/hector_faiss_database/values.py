"""JSON values of a `Struct` as hashable Python values, so that equal means equal.

Python holds True and 1 for equal, JSON does not: truth values are tagged. Numbers become float, texts str, null None.
"""

from collections.abc import Hashable, Iterator

from google.protobuf.struct_pb2 import ListValue, Struct, Value


def plain(value: Value) -> Hashable:
    """The value, hashable; two are equal exactly if the JSON values are."""
    match value.WhichOneof("kind"):
        case "number_value":
            return value.number_value
        case "string_value":
            return value.string_value
        case "bool_value":
            return ("bool", value.bool_value)
        case "list_value":
            return ("list", tuple(plain(element) for element in value.list_value.values))
        case "struct_value":
            return ("struct", frozenset((key, plain(field)) for key, field in value.struct_value.fields.items()))
        case _:
            return None


def faces(value: Value) -> Iterator[Hashable]:
    """All that a filter may match the value by: itself and, if it is a list, each of its elements."""
    yield plain(value)
    if value.WhichOneof("kind") == "list_value":
        for element in value.list_value.values:
            yield plain(element)


def finite(holder: Struct | ListValue) -> bool:
    """Whether every number in it, however deep, is one that JSON can write."""
    values = holder.fields.values() if isinstance(holder, Struct) else holder.values
    return all(_finite(value) for value in values)


def _finite(value: Value) -> bool:
    match value.WhichOneof("kind"):
        case "number_value":
            return abs(value.number_value) < float("inf")  # false for NaN too
        case "struct_value":
            return finite(value.struct_value)
        case "list_value":
            return finite(value.list_value)
        case _:
            return True
