"""Rows as aligned columns of plain text, for eyes and for `grep` and `awk` alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = "  "
"""Between two columns."""

SHORTEST = 10
"""Characters that the first column keeps."""


def aligned(rows: Iterable[Sequence[str]], indent: str = "") -> str:
    """The rows as text, a line each, every column as wide as its widest cell."""
    listed = list(rows)
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    padded = (zip(row, widths, strict=True) for row in listed)
    return "\n".join(indent + GAP.join(cell.ljust(width) for cell, width in row).rstrip() for row in padded)


def fitted(rows: Sequence[Sequence[str]], width: int) -> list[Sequence[str]]:
    """Rows that `aligned` makes no wider than `width`: the first column is cut, and then the last ones go."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    others = sum(widths[1:]) + len(GAP) * (len(widths) - 1)
    first = min(widths[0], max(width - others, SHORTEST))
    cut = [(row[0] if len(row[0]) <= first else f"{row[0][: first - 1]}…", *row[1:]) for row in rows]
    while len(widths) > 1 and first + others > width:
        others -= widths.pop() + len(GAP)
    return [row[: len(widths)] for row in cut]
