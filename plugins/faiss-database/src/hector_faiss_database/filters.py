"""Metadata filters: `parse` turns the contract's Struct into a condition, which turns columns into rows.

Unknown operators and operands that cannot be meant are refused with their place in the filter, never ignored. `$ne` and
`$nin` are the opposites of `$eq` and `$in`, so they match what lacks the key. Comparisons hold between two numbers or
two texts. In a list one element must pass them all: `{"$gt": 1, "$lt": 3}` needs an element between.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np
from google.protobuf.struct_pb2 import Struct, Value

from hector_faiss_database.columns import Columns, Rows
from hector_faiss_database.refusals import invalid, quoted
from hector_faiss_database.values import plain

LOWER = ("$gt", "$gte")
COMPARISONS = (*LOWER, "$lt", "$lte")
COMBINERS = ("$and", "$not", "$or")
OPERATORS = ("$and", "$eq", "$exists", "$gt", "$gte", "$in", "$lt", "$lte", "$ne", "$nin", "$not", "$or")


class Condition(Protocol):
    """Something that holds for a row's metadata or does not."""

    def rows(self, columns: Columns, count: int) -> Rows:
        """Those of the first `count` rows for which it holds."""


@dataclass(frozen=True)
class Among:
    """The key's value is one of these."""

    key: str
    values: frozenset[Hashable]

    def rows(self, columns: Columns, count: int) -> Rows:
        """Cost: the rows that it finds."""
        return columns.column(self.key, count).among(list(self.values))


@dataclass(frozen=True)
class Compared:
    """The key's value stands in each of these relations to its bound."""

    key: str
    bounds: tuple[tuple[str, float | str], ...]

    def rows(self, columns: Columns, count: int) -> Rows:
        """Cost: the rows that it finds, and once for new values of the key their order."""
        kinds = {type(bound) for _, bound in self.bounds}
        if len(kinds) > 1:
            return _nothing()  # no value is a number and a text
        low = max(((bound, name == "$gte") for name, bound in self.bounds if name in LOWER), default=None, key=_tight)
        high = [(bound, name == "$lte") for name, bound in self.bounds if name not in LOWER]
        least = min(high, default=None, key=lambda each: (each[0], each[1]))
        return columns.column(self.key, count).between(kinds.pop(), low, least)


@dataclass(frozen=True)
class Present:
    """The key is there, whatever its value."""

    key: str

    def rows(self, columns: Columns, count: int) -> Rows:
        """Cost: the rows that it finds."""
        return columns.column(self.key, count).present()


@dataclass(frozen=True)
class Not:
    """The condition does not hold."""

    condition: Condition

    def rows(self, columns: Columns, count: int) -> Rows:
        """Cost: all rows. Holds for dead ones too: callers keep to the living."""
        mask = np.ones(count, dtype=np.bool_)
        mask[self.condition.rows(columns, count)] = False
        return np.flatnonzero(mask)


@dataclass(frozen=True)
class Every:
    """All of these hold; at least one."""

    conditions: tuple[Condition, ...]

    def rows(self, columns: Columns, count: int) -> Rows:
        """Cost: its conditions'."""
        found = sorted((condition.rows(columns, count) for condition in self.conditions), key=len)
        return reduce(_common, found)


@dataclass(frozen=True)
class Some:
    """One of these holds; at least one is there."""

    conditions: tuple[Condition, ...]

    def rows(self, columns: Columns, count: int) -> Rows:
        """Cost: its conditions'."""
        return reduce(np.union1d, (condition.rows(columns, count) for condition in self.conditions))


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
    if not isinstance(bound, float | str) or bound != bound:  # noqa: PLR0124 - NaN, which no JSON can say
        raise invalid(path, "needs a number or a text")
    return bound


def _choices(value: Value, path: str) -> frozenset[Hashable]:
    if value.WhichOneof("kind") != "list_value":
        raise invalid(path, "needs a list")
    return frozenset(plain(choice) for choice in value.list_value.values)


def _unknown(name: str, path: str, known: Iterable[str]) -> Exception:
    return invalid(path, f"unknown operator {quoted(name)}: there are {', '.join(known)} here")


def _common(one: Rows, other: Rows) -> Rows:
    """What is in both; the smaller one is looked up in the larger."""
    places = np.searchsorted(other, one)
    inside = places < len(other)
    found: Rows = one[inside][other[places[inside]] == one[inside]]
    return found


def _tight(bound: tuple[float | str, bool]) -> tuple[float | str, bool]:
    """Of lower bounds the highest, and of equal ones that which leaves itself out."""
    value, included = bound
    return value, not included


def _nothing() -> Rows:
    return np.empty(0, dtype=np.int64)
