"""What one plugin wrote: its last lines in memory, all of them in a file of bounded size, and whoever wants to watch.

A plugin can write faster than anybody reads. Past a steady rate lines are dropped and counted, and the reader is told
to hold back, so that a flood costs the flooding plugin its time and not the host's. The last of them are made up for as
soon as lines are kept again, and when a stream ends: what a plugin says before it dies is what its user looks for.
"""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hector_host.manager.logs.lines import LineCutter, Record, record
from hector_host.manager.logs.logfile import LogFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAIL = 200
"""Lines kept in memory."""
RECALLED = TAIL - 1
"""Lines of those dropped last that are kept after all: with the note of how many are missing before them, a tail."""
RATE = 256 << 10
"""Bytes a second that a plugin may log for ever."""
BURST = 1 << 20
"""Bytes that it may log at once."""
RESUMED = 64 << 10
"""Bytes that must be allowed again before lines are kept after some were dropped: pieces of a flood can be read."""
MOST = 4096
"""Lines kept of one chunk: handling them takes time, and the loop has others to serve."""
STAMP = 32
"""Bytes by which a line grows in the file. They count too: else a flood of empty lines would be nearly free."""


class Logbook:
    """The log of one plugin, over all of its processes.

    Attributes:
        path: Its file; it and its folder are made with the first stream.
        tail: The last lines.
        lines: How many lines were kept.
        dropped: How many were not, because they came too fast.
        bytes: How many bytes came.

    Args:
        path: As the attribute.
        redact: Takes secrets out of a text.
        watch: Told of every line that is kept.
    """

    def __init__(self, path: Path, redact: Callable[[str], str], watch: Callable[[Record], None] | None = None) -> None:
        self.path = path
        self.tail: deque[str] = deque(maxlen=TAIL)
        self.lines = 0
        self.dropped = 0
        self.bytes = 0
        self._file = LogFile(path)
        self._streams = 0
        self._redact = redact
        self._watch = watch
        self._budget = float(BURST)
        self._filled = time.monotonic()
        self._untold = 0

    def stream(self) -> Stream:
        """A way into the log for one pipe of a process. The file is there from now on: messages name it."""
        self._streams += 1
        self._file.append("")
        return Stream(self)

    def last(self, count: int, since: int = 0) -> list[str]:
        """The newest lines, oldest first.

        Args:
            since: What `lines` was when it began to matter: older ones are left out.
        """
        count = min(count, self.lines - since)
        return list(self.tail)[-count:] if count > 0 else []

    def take(self, lines: LineCutter) -> bool:
        """For a stream: keeps the lines that it has; False when they come too fast and the reader had better pause."""
        self._refill()
        kept: list[Record] = []
        if self._budget >= (RESUMED if self._untold else 0):
            kept = self._recalled(lines)
            while self._budget > 0 and len(kept) < MOST and (line := lines.take()) is not None:
                kept.append(self._record(line))
        if kept:
            self._keep(kept)
        dropped = lines.drop()
        self.dropped += dropped
        self._untold += dropped
        return not dropped and not lines.skipping

    def leave(self, lines: LineCutter) -> None:
        """For a stream: it has ended, and the last lines that it lost are kept whatever is allowed.

        With the last stream the file is closed, and what was dropped is told.
        """
        recalled = self._recalled(lines)
        self._streams -= 1
        if recalled or (self._untold and not self._streams):
            self._keep(recalled)
        if self._streams == 0:
            self._file.close()

    def _recalled(self, lines: LineCutter) -> list[Record]:
        records = [self._record(line) for line in lines.recall(RECALLED)]
        self.dropped -= len(records)
        self._untold = max(0, self._untold - len(records))  # another stream may have told of them
        return records

    def _record(self, line: str) -> Record:
        self._budget -= len(line) + STAMP
        return record(self._redact(line))

    def _refill(self) -> None:
        now = time.monotonic()
        self._budget = min(BURST, self._budget + (now - self._filled) * RATE)
        self._filled = now

    def _keep(self, records: list[Record]) -> None:
        self.lines += len(records)
        if self._untold:
            records = [Record("WARN", f"{self._untold} lines dropped: logged faster than allowed"), *records]
            self._untold = 0
        self.tail.extend(map(str, records))
        if self._watch is not None:
            for each in records:
                self._watch(each)
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._file.append("".join(f"{stamp} {each.level or '-':5} {each.text}\n" for each in records))


class Stream:
    """One pipe's bytes on their way into a logbook. Must be closed."""

    def __init__(self, book: Logbook) -> None:
        self._book = book
        self._cutter = LineCutter()
        self._closed = False

    def feed(self, chunk: bytes) -> bool:
        """Logs the lines that `chunk` completes; False when the reader had better pause."""
        self._book.bytes += len(chunk)
        self._cutter.feed(chunk)
        return self._book.take(self._cutter)

    def close(self) -> None:
        """Logs what stands after the last line end, and what was dropped last. May be called again."""
        if self._closed:
            return
        self._closed = True
        self._cutter.end()
        self._book.take(self._cutter)
        self._book.leave(self._cutter)
