"""Rows as aligned columns of plain text, for eyes and for `grep` and `awk` alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def aligned(rows: Iterable[Sequence[str]], indent: str = "") -> str:
    """The rows as text, a line each, every column as wide as its widest cell."""
    listed = list(rows)
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    padded = (zip(row, widths, strict=True) for row in listed)
    return "\n".join(indent + "  ".join(cell.ljust(width) for cell, width in row).rstrip() for row in padded)
