"""From what a plugin writes to records of a log: cut, decoded, escaped. Pure.

A line is go-plugin's JSON (`@level`, `@message`, any other keys), or begins with a level in brackets, or is just text.
Nothing that a plugin writes may move the cursor of a terminal or forge a second line.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hector_host.errors import printable

LINE_LIMIT = 8192
"""Bytes kept of one line."""
REMEMBERED = 64 << 10
"""Bytes of the lines dropped last that can be recalled."""

_CUT = " … (cut)"
_LEVELS = {
    "trace": "TRACE",
    "debug": "DEBUG",
    "info": "INFO",
    "warn": "WARN",
    "warning": "WARN",
    "error": "ERROR",
    "critical": "ERROR",
    "fatal": "ERROR",
}
_HIDDEN = {"@level", "@message", "@timestamp", "@module", "@caller"}


@dataclass(frozen=True, slots=True)
class Record:
    """One line that a plugin wrote.

    Attributes:
        level: TRACE, DEBUG, INFO, WARN, ERROR, or empty when the line does not say.
        text: Printable, one line.
    """

    level: str
    text: str

    def __str__(self) -> str:
        return f"{self.level} {self.text}" if self.level else self.text


class LineCutter:
    """Chunks of bytes in, whole lines out; of a line longer than the limit only the beginning comes.

    Lines are decoded one by one as they are taken, so that dropping thousands of them costs next to nothing. The newest
    of those are remembered as they came, and decoded if they are recalled.

    Attributes:
        skipping: Of the line that has begun, everything is skipped from here to its end.
    """

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self.skipping = False
        self._limit = limit
        self._partial = b""
        self._chunk = b""
        self._position = 0
        self._dropped = bytearray()  # whole lines, each with its end

    def feed(self, chunk: bytes) -> None:
        """The next bytes. The lines of those before must have been taken or dropped."""
        self._chunk, self._position = chunk, 0

    def end(self) -> None:
        """Nothing comes any more: what stands after the last line end is a line too."""
        self.feed(b"\n" if self._partial else b"")

    def take(self) -> str | None:
        """The next line, undecodable bytes escaped, without its end; None until more is fed."""
        while self._position < len(self._chunk):
            end = self._chunk.find(b"\n", self._position)
            piece = self._chunk[self._position : end if end >= 0 else None]
            self._position = end + 1 if end >= 0 else len(self._chunk)
            line = self._add(piece, ends=end >= 0)
            if line is not None:
                return self._text(line)
        return None

    def drop(self) -> int:
        """Gives up the lines that are there; how many."""
        count, start, self._position = 0, self._position, len(self._chunk)
        end = self._chunk.rfind(b"\n", start) + 1
        if end:
            if self.skipping:  # the beginning of that one was taken before
                start = self._chunk.index(b"\n", start) + 1
            count = self._chunk.count(b"\n", start, end)
            self._remember(self._partial + self._chunk[start:end])
            self._partial, self.skipping = b"", False
            start = end
        long = self._add(self._chunk[start:], ends=False)
        if long is None:
            return count
        self._remember(long + b"\n")
        return count + 1

    def recall(self, count: int) -> list[str]:
        """The last lines that were dropped and not yet recalled, at most `count`; the others are forgotten."""
        dropped, self._dropped = self._dropped, bytearray()
        lines = dropped.rsplit(b"\n", count + 1)[:-1]
        if len(dropped) == REMEMBERED:  # the oldest may have lost its beginning
            del lines[0]
        return [self._text(line) for line in lines[-count:]]

    def _remember(self, lines: bytes) -> None:
        self._dropped += lines
        del self._dropped[:-REMEMBERED]

    def _add(self, piece: bytes, *, ends: bool) -> bytes | None:
        """The line that a piece completes or makes too long; of that, enough to see that it is."""
        if self.skipping:
            self.skipping = not ends
            return None
        line = self._partial + piece
        if not ends and len(line) <= self._limit:
            self._partial = line
            return None
        self._partial, self.skipping = b"", not ends
        return line[: self._limit + 1]

    def _text(self, line: bytes | bytearray) -> str:
        return line[: self._limit].decode("utf-8", "backslashreplace") + (_CUT if len(line) > self._limit else "")


def record(line: str) -> Record:
    """What one line says."""
    if line.startswith("{"):
        structured = _structured(line)
        if structured is not None:
            return structured
    if line.startswith("["):
        word, bracket, rest = line[1:].partition("]")
        if bracket and word.strip().lower() in _LEVELS:
            return Record(_LEVELS[word.strip().lower()], _plain(rest.strip()))
    if line.startswith(("panic:", "fatal error:")):
        return Record("ERROR", _plain(line))
    return Record("", _plain(line))


def _plain(text: str) -> str:
    """The text with everything escaped that is not a printable character; tabs become spaces."""
    return printable(text.rstrip("\r").replace("\t", "    "))


def _structured(line: str) -> Record | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or "@message" not in entry:
        return None
    level = _LEVELS.get(str(entry.get("@level", "")).lower(), "")
    pairs = [f"{key}={_value(value)}" for key, value in entry.items() if key not in _HIDDEN]
    return Record(level, _plain(" ".join([str(entry["@message"]), *pairs]).replace("\n", "\\n")))


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
