"""The contract's filter language over metadata, as the host itself judges by it.

A database filters by it first, but what a caller may see is not left to a plugin that may read the filter otherwise;
and what the keyword index finds passes no database. An unknown operator is refused, never ignored.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from hector_host.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Condition = Callable[[Mapping[str, Any]], bool]
    Test = Callable[[Any], bool]

DEPTH_LIMIT = 20
"""Combinations inside each other."""

_MISSING = object()
"""The value of a key that is not there."""

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
_COMBINERS = ("$and", "$or", "$not")
_OPERATORS = ("$eq", "$ne", "$in", "$nin", *_COMPARISONS, "$exists", *_COMBINERS)


class FilterError(ValueError):
    """What is wrong with a filter, and where in it."""


def condition(filter_: Mapping[str, Any], path: str = "filter", depth: int = 0) -> Condition:
    """What a filter says, as a function of metadata. An empty one says nothing: all match.

    Args:
        filter_: As JSON has it.
        path: How messages call its place.

    Raises:
        FilterError: It cannot be understood.
    """
    if depth > DEPTH_LIMIT:
        raise FilterError(f"{quoted(path, 100)}: is nested deeper than {DEPTH_LIMIT}")
    conditions = [_entry(key, value, f"{path}.{quoted(key, 100)}", depth) for key, value in filter_.items()]
    return lambda metadata: all(holds(metadata) for holds in conditions)


def _entry(key: str, value: Any, path: str, depth: int) -> Condition:
    if key in _COMBINERS:
        return _combined(key, value, path, lambda part, place: condition(part, place, depth + 1))
    if key.startswith("$"):
        raise FilterError(f"{path}: unknown operator; a filter itself combines with {', '.join(_COMBINERS)}")
    holds = _tests(value, path, depth) if _names_operators(value) else _among([value])
    return lambda metadata: holds(metadata.get(key, _MISSING))


def _names_operators(value: Any) -> bool:
    return isinstance(value, dict) and any(name.startswith("$") for name in value)


def _tests(operators: Mapping[str, Any], path: str, depth: int) -> Test:
    """What `{"$gt": 1, "$ne": 2}` says of a value. Comparisons must hold for one element of a list together."""
    if depth > DEPTH_LIMIT:
        raise FilterError(f"{quoted(path, 100)}: is nested deeper than {DEPTH_LIMIT}")
    if not operators:
        raise FilterError(f"{path}: is empty: name an operator")
    tests: list[Test] = []
    bounds = [(name, _bound(operand, f"{path}.{name}")) for name, operand in operators.items() if name in _COMPARISONS]
    if bounds:
        tests.append(lambda value: any(_within(element, bounds) for element in _elements(value)))
    for name, operand in operators.items():
        where = f"{path}.{quoted(name, 100)}"
        if name in _COMBINERS:
            tests.append(_combined(name, operand, where, lambda part, place: _tests(part, place, depth + 1)))
        elif name not in _COMPARISONS:
            tests.append(_test(name, operand, where))
    return lambda value: all(holds(value) for holds in tests)


def _test(name: str, operand: Any, path: str) -> Test:
    match name:
        case "$eq":
            return _among([operand])
        case "$ne":
            return _not(_among([operand]))
        case "$in":
            return _among(_list(operand, path))
        case "$nin":
            return _not(_among(_list(operand, path)))
        case "$exists":
            if not isinstance(operand, bool):
                raise FilterError(f"{path}: needs true or false")
            return lambda value: (value is not _MISSING) is operand
        case _:
            raise FilterError(f"{path}: unknown operator; there are {', '.join(_OPERATORS)}")


def _combined(name: str, operand: Any, path: str, part: Callable[[Mapping[str, Any], str], Test]) -> Test:
    if name == "$not":
        return _not(part(_object(operand, path), path))
    if not isinstance(operand, list) or not operand:
        raise FilterError(f"{path}: needs a list of at least one object")
    parts = [part(_object(each, f"{path}[{at}]"), f"{path}[{at}]") for at, each in enumerate(operand)]
    judge = all if name == "$and" else any
    return lambda value: judge(holds(value) for holds in parts)


def _not(test: Test) -> Test:
    return lambda value: not test(value)


def _among(choices: list[Any]) -> Test:
    return lambda value: any(_equal(element, choice) for choice in choices for element in (value, *_elements(value)))


def _equal(value: Any, other: Any) -> bool:
    """As JSON is equal: true is not 1."""
    return value is not _MISSING and isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def _within(value: Any, bounds: list[tuple[str, float | str]]) -> bool:
    """Between two numbers or two texts; values of other kinds stand in no relation."""
    return all(
        isinstance(value, str) == isinstance(bound, str)
        and isinstance(value, str | int | float)
        and not isinstance(value, bool)
        and _COMPARISONS[name](value, bound)
        for name, bound in bounds
    )


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise FilterError(f"{path}: needs an object")
    return value


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise FilterError(f"{path}: needs a list")
    return value


def _bound(value: Any, path: str) -> float | str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise FilterError(f"{path}: needs a number or a text")
    return value
