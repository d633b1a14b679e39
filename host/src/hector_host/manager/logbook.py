"""What one plugin wrote: its last lines in memory, all of them in a file of bounded size, and whoever wants to watch.

A plugin can write faster than anybody reads. Past a steady rate lines are dropped and counted, and the reader is told
to hold back, so that a flood costs the flooding plugin its time and not the host's.
"""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hector_host.manager.lines import LineCutter, Record, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAIL = 200
"""Lines kept in memory."""
RATE = 256 << 10
"""Bytes a second that a plugin may log for ever."""
BURST = 1 << 20
"""Bytes that it may log at once."""
FILE_LIMIT = 4 << 20
"""Bytes of the log file before it is turned over; one older file is kept."""


class Logbook:
    """The log of one plugin, over all of its processes.

    Args:
        path: Its file; it and its folder are made with the first stream.
        redact: Takes secrets out of a text.
        watch: Told of every line that is kept.
    """

    def __init__(self, path: Path, redact: Callable[[str], str], watch: Callable[[Record], None] | None = None) -> None:
        self.path = path
        self.tail: deque[str] = deque(maxlen=TAIL)
        self._redact = redact
        self._watch = watch
        self._budget = float(BURST)
        self._filled = time.monotonic()
        self._dropped = 0

    def stream(self) -> Stream:
        """A way into the log for one pipe of a process. The file is there from now on: messages name it."""
        self._append("")
        return Stream(self)

    def write(self, lines: list[str]) -> bool:
        """Keeps lines; False when they come too fast and the reader had better pause."""
        kept: list[str] = []
        for line in lines:
            if not self._afford(len(line) + 1):
                self._dropped += 1
                continue
            if self._dropped:
                kept.append(self._keep(Record("WARN", f"{self._dropped} lines dropped: logged faster than allowed")))
                self._dropped = 0
            kept.append(self._keep(record(self._redact(line))))
        if kept:
            self._append("".join(kept))
        return self._dropped == 0

    def last(self, count: int) -> list[str]:
        """The newest lines, oldest first."""
        return list(self.tail)[-count:]

    def _afford(self, size: int) -> bool:
        now = time.monotonic()
        self._budget = min(BURST, self._budget + (now - self._filled) * RATE)
        self._filled = now
        if self._budget < size:
            return False
        self._budget -= size
        return True

    def _keep(self, entry: Record) -> str:
        self.tail.append(str(entry))
        if self._watch is not None:
            self._watch(entry)
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"{stamp} {entry.level or '-':5} {entry.text}\n"

    def _append(self, text: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(text)
                full = file.tell() > FILE_LIMIT
            if full:
                self.path.replace(self.path.with_suffix(".log.1"))
        except OSError:
            # A full or read-only disk must not stop the plugin: its pipes have to be drained in any case.
            return


class Stream:
    """One pipe's bytes on their way into a logbook."""

    def __init__(self, book: Logbook) -> None:
        self._book = book
        self._cutter = LineCutter()

    def feed(self, chunk: bytes) -> bool:
        """Logs the lines that `chunk` completes; False when the reader had better pause."""
        return self._book.write(self._cutter.feed(chunk))

    def close(self) -> None:
        """Logs what stands after the last line end."""
        self._book.write(self._cutter.flush())
