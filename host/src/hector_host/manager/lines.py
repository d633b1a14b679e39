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
    """Chunks of bytes in, whole lines out; of a line longer than the limit only the beginning comes."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._partial = b""
        self._skipping = False

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that `chunk` completes, undecodable bytes escaped, without their ends."""
        lines: list[str] = []
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            self._take(piece, lines)
            if not self._skipping:
                lines.append(_decode(self._partial))
            self._partial, self._skipping = b"", False
        self._take(rest, lines)
        return lines

    def flush(self) -> list[str]:
        """What stands after the last line end."""
        rest, self._partial = self._partial, b""
        return [_decode(rest)] if rest and not self._skipping else []

    def _take(self, piece: bytes, lines: list[str]) -> None:
        if self._skipping:
            return
        self._partial += piece
        if len(self._partial) > self._limit:
            lines.append(_decode(self._partial[: self._limit]) + _CUT)
            self._partial, self._skipping = b"", True


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


def _decode(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")
