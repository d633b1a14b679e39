"""Metadata filters: `parse` turns the contract's Struct into a condition, which turns columns into a mask over slots.

Unknown operators and operands that cannot be meant are refused with their place in the filter, never ignored. `$ne` and
`$nin` are the opposites of `$eq` and `$in`, so they match what lacks the key. Comparisons hold between two numbers or
two texts. In a list one element must pass them all: `{"$gt": 1, "$lt": 3}` needs an element between.
"""

import operator
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

import numpy as np
from google.protobuf.struct_pb2 import Struct, Value
from numpy.typing import NDArray

from hector_faiss_database.columns import Columns
from hector_faiss_database.refusals import invalid, quoted
from hector_faiss_database.values import plain

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
COMBINERS = ("$and", "$not", "$or")
OPERATORS = ("$and", "$eq", "$exists", "$gt", "$gte", "$in", "$lt", "$lte", "$ne", "$nin", "$not", "$or")


class Condition(Protocol):
    """Something that holds for a slot's metadata or does not."""

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """For each slot whether it holds; shape (slots,)."""


@dataclass(frozen=True)
class Among:
    """The key's value is one of these."""

    key: str
    values: frozenset[Hashable]

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """Cost: the slots it finds."""
        column = columns.slots(self.key)
        return _mask(columns, (column[value] for value in self.values if value in column))


@dataclass(frozen=True)
class Compared:
    """The key's value stands in each of these relations to its bound."""

    key: str
    bounds: tuple[tuple[str, float | str], ...]

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """Cost: the distinct values of the key, and the slots it finds."""
        column = columns.slots(self.key)
        return _mask(columns, (slots for value, slots in column.items() if self._holds(value)))

    def _holds(self, value: Hashable) -> bool:
        return isinstance(value, float | str) and all(
            isinstance(value, type(bound)) and COMPARISONS[relation](value, bound) for relation, bound in self.bounds
        )


@dataclass(frozen=True)
class Present:
    """The key is there, whatever its value."""

    key: str

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """Cost: the slots it finds."""
        return _mask(columns, columns.slots(self.key).values())


@dataclass(frozen=True)
class Not:
    """The condition does not hold."""

    condition: Condition

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """Holds for empty slots too: callers keep to the slots in use."""
        return ~self.condition.mask(columns)


@dataclass(frozen=True)
class Every:
    """All of these hold; at least one."""

    conditions: tuple[Condition, ...]

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """Cost: its conditions'."""
        return reduce(operator.and_, (condition.mask(columns) for condition in self.conditions))


@dataclass(frozen=True)
class Some:
    """One of these holds; at least one is there."""

    conditions: tuple[Condition, ...]

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """Cost: its conditions'."""
        return reduce(operator.or_, (condition.mask(columns) for condition in self.conditions))


def parse(struct: Struct, path: str = "filter") -> Condition:
    """The condition that a filter with at least one key states. INVALID_ARGUMENT names the place of a mistake."""
    if not struct.fields:
        raise invalid(path, "is empty and would match everything: leave it out or name a key")
    return _every([_entry(key, value, f"{path}.{key}") for key, value in sorted(struct.fields.items())])


def _entry(key: str, value: Value, path: str) -> Condition:
    if key in COMBINERS:
        return _combined(key, value, path, parse)
    if key.startswith("$"):
        raise _unknown(key, path, COMBINERS)
    return _field(key, value, path)


def _field(key: str, value: Value, path: str) -> Condition:
    names = value.struct_value.fields.keys() if value.WhichOneof("kind") == "struct_value" else ()
    if not any(name.startswith("$") for name in names):
        return Among(key, frozenset({plain(value)}))
    return _operators(key, value.struct_value, path)


def _operators(key: str, struct: Struct, path: str) -> Condition:
    """What `{"$gt": 1, "$ne": 2}` says of a key."""
    if not struct.fields:
        raise invalid(path, "is empty: name an operator")
    conditions: list[Condition] = []
    bounds: list[tuple[str, float | str]] = []
    for name, operand in sorted(struct.fields.items()):
        where = f"{path}.{name}"
        if name in COMPARISONS:
            bounds.append((name, _bound(operand, where)))
        elif name in COMBINERS:
            conditions.append(_combined(name, operand, where, lambda part, place: _operators(key, part, place)))
        else:
            conditions.append(_test(key, name, operand, where))
    if bounds:
        conditions.append(Compared(key, tuple(bounds)))
    return _every(conditions)


def _test(key: str, name: str, operand: Value, path: str) -> Condition:
    match name:
        case "$eq":
            return Among(key, frozenset({plain(operand)}))
        case "$ne":
            return Not(Among(key, frozenset({plain(operand)})))
        case "$in":
            return Among(key, _choices(operand, path))
        case "$nin":
            return Not(Among(key, _choices(operand, path)))
        case "$exists":
            if operand.WhichOneof("kind") != "bool_value":
                raise invalid(path, "needs true or false")
            return Present(key) if operand.bool_value else Not(Present(key))
        case _:
            raise _unknown(name, path, OPERATORS)


def _combined(name: str, operand: Value, path: str, part: Callable[[Struct, str], Condition]) -> Condition:
    if name == "$not":
        return Not(part(_object(operand, path), path))
    if operand.WhichOneof("kind") != "list_value" or not operand.list_value.values:
        raise invalid(path, "needs a list of at least one object")
    parts = [
        part(_object(element, f"{path}[{index}]"), f"{path}[{index}]")
        for index, element in enumerate(operand.list_value.values)
    ]
    return _every(parts) if name == "$and" else Some(tuple(parts))


def _every(conditions: list[Condition]) -> Condition:
    return conditions[0] if len(conditions) == 1 else Every(tuple(conditions))


def _object(value: Value, path: str) -> Struct:
    if value.WhichOneof("kind") != "struct_value":
        raise invalid(path, "needs an object")
    return value.struct_value


def _bound(value: Value, path: str) -> float | str:
    bound = plain(value)
    if not isinstance(bound, float | str):
        raise invalid(path, "needs a number or a text")
    return bound


def _choices(value: Value, path: str) -> frozenset[Hashable]:
    if value.WhichOneof("kind") != "list_value":
        raise invalid(path, "needs a list")
    return frozenset(plain(choice) for choice in value.list_value.values)


def _unknown(name: str, path: str, known: Iterable[str]) -> Exception:
    return invalid(path, f"unknown operator {quoted(name)}: there are {', '.join(known)} here")


def _mask(columns: Columns, groups: Iterable[set[int]]) -> NDArray[np.bool_]:
    mask = np.zeros(len(columns), dtype=np.bool_)
    for slots in groups:
        mask[np.fromiter(slots, dtype=np.int64, count=len(slots))] = True
    return mask
