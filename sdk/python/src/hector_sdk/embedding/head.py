"""The beginning of a text that is longer than a model reads: tokenizing megabytes takes seconds. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CHARACTERS = 16
"""Of a text are looked at for each token that a model reads, at first: more than any language needs."""
MARGIN = 256
"""Tokens beyond the last one that is read; where a text is cut changes fewer than these before the cut."""


def head(text: str, most: int, count: Callable[[str], int]) -> str:
    """The beginning of a text, with all that a model reads which reads `most` tokens, and more than that.

    Args:
        most: 0: no limit is known, so the text stays whole.
        count: How many tokens a text has, uncut and without special ones.
    """
    size = CHARACTERS * most
    while 0 < size < len(text) // 2:
        start = text[:size]
        start = start[: max(start.rfind(" "), start.rfind("\n"))] or start  # tokens rarely go beyond words
        if count(start) >= most + MARGIN:
            return start
        size *= 4
    return text
