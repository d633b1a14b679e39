"""What nobody foresaw: its traceback goes into a file, because it may hold what should not be on a screen."""

from __future__ import annotations

import os
import tempfile
import traceback
from pathlib import Path
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
        if self._count > MOST_KEPT:
            return HectorError(what, "This is a bug of Hector. The host has kept what happened.")
        try:
            name = _kept(error)
        except OSError as trouble:
            self._tell(f"{what}: a bug of Hector; what happened could not be kept: {trouble.strerror}")
            return HectorError(what, "This is a bug of Hector. The host could not keep what happened.")
        self._tell(f"{what}: a bug of Hector; what happened is in {name}")
        return HectorError(what, "This is a bug of Hector. The host has kept what happened.")


def _kept(error: Exception) -> str:
    """The file that holds an error's traceback. Raises `OSError`, and leaves no part of it then."""
    descriptor, name = tempfile.mkstemp(prefix="hector-bug-", suffix=".txt")
    try:
        with os.fdopen(descriptor, "w", errors="backslashreplace") as file:
            traceback.print_exception(error, file=file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return name
