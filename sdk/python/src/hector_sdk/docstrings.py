"""What a tool's docstring tells the model: its first paragraph, and its parameters in the `Args:` section."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ENTRY = re.compile(r"\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)")


def description(function: Callable[..., object]) -> str:
    """The first paragraph, on one line."""
    return " ".join(_text(function).split("\n\n", maxsplit=1)[0].split())


def parameters(function: Callable[..., object]) -> dict[str, str]:
    """Name to description, as Google style writes them."""
    found: dict[str, str] = {}
    name, indent = "", 0
    for line in _section(_text(function), "Args:"):
        depth = len(line) - len(line.lstrip())
        entry = _ENTRY.fullmatch(line.strip())
        if entry and (not name or depth <= indent):
            name, indent = entry[1], depth
            found[name] = entry[2]
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def _text(function: Callable[..., object]) -> str:
    return inspect.cleandoc(function.__doc__ or "")


def _section(text: str, title: str) -> list[str]:
    lines = text.splitlines()
    if title not in lines:
        return []
    taken: list[str] = []
    for line in lines[lines.index(title) + 1 :]:
        if line and not line.startswith(" "):
            break
        if line:
            taken.append(line)
    return taken
