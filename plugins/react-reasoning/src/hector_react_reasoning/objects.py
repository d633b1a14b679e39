"""JSON objects as models write them: read leniently, written strictly."""

from __future__ import annotations

import json
from typing import Any


def parsed(text: str) -> dict[str, Any]:
    """The JSON object that `text` begins with. Line breaks inside of strings are accepted, and so is text behind it.

    Raises:
        ValueError: There is none. Its words say why.
    """
    try:
        value, _end = json.JSONDecoder(strict=False, parse_constant=_no_number).raw_decode(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - of the text, not of a caller's type
    return value


def compact(value: Any) -> str:
    """JSON text of what was parsed.

    Raises:
        ValueError: It is nested too deeply.
    """
    try:
        return encodable(json.dumps(value, ensure_ascii=False))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def encodable(text: str) -> str:
    """`text` without the halves of characters that JSON's escapes can name, and messages cannot carry."""
    return text.encode(errors="replace").decode()


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
