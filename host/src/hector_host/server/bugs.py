"""What nobody foresaw: its traceback goes into a file, because it may hold what should not be on a screen."""

from __future__ import annotations

import tempfile
import traceback
from typing import TYPE_CHECKING

from hector_host.errors import HectorError

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_KEPT = 20
"""Tracebacks that one host keeps: a bug that every call meets must not fill the disk."""


class Bugs:
    """The bugs that one host met.

    Args:
        tell: Told of each in a line.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._count = 0

    def report(self, error: Exception) -> HectorError:
        """Takes note of one; what its caller is told."""
        what = f"internal error: {type(error).__name__}"
        self._count += 1
        if self._count <= MOST_KEPT:
            with tempfile.NamedTemporaryFile("w", prefix="hector-bug-", suffix=".txt", delete=False) as file:
                traceback.print_exception(error, file=file)
            self._tell(f"{what}: a bug of Hector; what happened is in {file.name}")
        return HectorError(what, "This is a bug of Hector. The host has kept what happened.")
