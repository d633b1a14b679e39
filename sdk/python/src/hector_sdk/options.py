"""The options of a plugin: each provider's class takes the keys that it knows; one that none knows is an error."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hector_sdk import schemas
from hector_sdk.errors import InvalidOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class NoOptions:
    """Of plugins that take none."""


def schema(classes: Sequence[type]) -> dict[str, Any]:
    """JSON Schema of the options of all these classes together. Not to be changed."""
    if len(set(classes)) == 1:
        return _own(classes[0])
    merged: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    for each in map(_own, dict.fromkeys(classes)):
        merged["properties"] |= each.get("properties", {})
        merged.setdefault("$defs", {}).update(each.get("$defs", {}))
        merged.setdefault("required", []).extend(each.get("required", []))
        if each.get("additionalProperties", False) is not False:
            merged["additionalProperties"] = True
    return merged


def validated(classes: Sequence[type], config: Mapping[str, Any], *, shared: bool = False) -> list[Any]:
    """The options, one object for each class, in order.

    Args:
        classes: One per provider.
        config: JSON values.
        shared: Keys that no class knows are somebody else's.

    Raises:
        InvalidOptions: Names every bad field and every key that no class knows.
    """
    known = schema(classes)
    names: list[str] = sorted(known.get("properties", {}))
    violations: list[tuple[str, str]] = []
    if not shared and known.get("additionalProperties", False) is False:
        there = f"there are: {', '.join(names)}" if names else "this plugin has no options"
        violations += [(key, f"unknown option; {there}") for key in config if key not in names]
    made = []
    for each in classes:
        try:
            made.append(schemas.validated(each, _share(each, config, names), strict=True))
        except InvalidOptions as error:
            violations += [one for one in error.violations if one not in violations]
    if violations:
        raise InvalidOptions.of(violations)
    return made


@functools.cache
def _own(cls: type) -> dict[str, Any]:
    return schemas.schema(cls)


def _share(cls: type, config: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    mine = _own(cls)
    takes_all = mine.get("additionalProperties", False) is not False
    own = mine.get("properties", {})
    return {key: value for key, value in config.items() if key in own or (takes_all and key not in names)}
