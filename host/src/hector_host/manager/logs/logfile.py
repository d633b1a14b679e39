"""The file of a log: appended to, turned over when it is full, and made anew when somebody took it away.

It is kept open, because opening costs more than writing. Nothing that is wrong with it is raised: a full or read-only
disk must not stop a plugin, whose pipes have to be drained in any case.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 4 << 20
"""Bytes of the file before it is turned over; one older file is kept."""


class LogFile:
    """One file, open from the first `append` to `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def append(self, text: str) -> None:
        """Writes at its end; no text makes the file alone. Opens it again where it was closed."""
        try:
            if not self._is_current():
                self._open()
            os.write(self._descriptor, text.encode())
            if os.fstat(self._descriptor).st_size > LIMIT:
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        except OSError:
            return

    def close(self) -> None:
        """May be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _is_current(self) -> bool:
        """Whether the open file is still what its path names: it may have been removed or turned over."""
        if self._descriptor < 0:
            return False
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))  # noqa: PTH116 (asked for every line)
        except FileNotFoundError:
            return False

    def _open(self) -> None:
        self.close()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
