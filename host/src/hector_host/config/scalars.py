"""The type of an unquoted scalar: YAML 1.2's core schema less what JSON cannot hold.

So `yes`, `on`, `12:30` and `2024-01-01` are text, and no value surprises whoever reads it as JSON later.
"""

from __future__ import annotations

import math
import re

Typed = str | int | float | bool | None

_DIGITS = 100
"""Characters that a number may have."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def typed(text: str) -> Typed:
    """The value that an unquoted scalar means. Numbers too large to be kept stay text."""
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    return text if len(text) > _DIGITS else _number(text)


def _number(text: str) -> int | float | str:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    number = float(text) if _FLOAT.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text
