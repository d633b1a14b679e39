"""Walks the working directory, always in the same order, and never through a link nor without an end."""

from __future__ import annotations

import fnmatch
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from hector_sdk import Failure
from hector_shell_tools.files import MAX_FILE, content
from hector_shell_tools.words import printable, size
from hector_shell_tools.workspace import explained, names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hector_shell_tools.workspace import Workspace

MAX_ENTRIES = 1000
"""Entries that a listing shows."""
MAX_MATCHES = 200
"""Lines that a search shows."""
_MAX_VISITED = 100_000
_MAX_SEARCHED = 256 * 1024**2
_MAX_DEPTH = 64
_MAX_LINE = 300


@dataclass(frozen=True)
class Entry:
    """One thing that a directory holds: its path in the workspace and what `lstat` says of it."""

    path: str
    status: os.stat_result

    @property
    def name(self) -> str:
        """The last name of the path."""
        return self.path.rpartition("/")[2]

    @property
    def is_directory(self) -> bool:
        """True of directories, never of links to them."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_file(self) -> bool:
        """True of regular files alone."""
        return stat.S_ISREG(self.status.st_mode)

    def line(self) -> str:
        """The entry in a listing."""
        shown = printable(self.path).replace("\n", " ")
        if self.is_directory:
            return f"{shown}/"
        if self.is_file:
            return f"{shown}  {size(self.status.st_size)}"
        return f"{shown}  ({'link' if stat.S_ISLNK(self.status.st_mode) else 'special'})"


def list_files(workspace: Workspace, path: str, pattern: str, *, recursive: bool) -> str:
    """What the directory at `path` holds, one entry a line, those whose name matches `pattern`."""
    lines: list[str] = []
    for entry in _walk(workspace, path, recursive=recursive):
        if not fnmatch.fnmatchcase(entry.name, pattern):
            continue
        if len(lines) == MAX_ENTRIES:
            return "\n".join([*lines, f"[cut after {MAX_ENTRIES} entries: ask for a smaller part]"])
        lines.append(entry.line())
    return "\n".join(lines) or "Nothing there."


def search_files(workspace: Workspace, text: str, path: str, pattern: str, *, ignore_case: bool) -> str:
    """The lines that contain `text`, as `path:line: text`, of the files below `path` whose name matches `pattern`.

    Hidden directories, files that are not text and files over MAX_FILE are passed over.
    """
    if not text or "\n" in text:
        raise Failure("give a text to search for, within one line")
    lines: list[str] = []
    searched = 0
    for entry in _walk(workspace, path, recursive=True):
        if not entry.is_file or not fnmatch.fnmatchcase(entry.name, pattern):
            continue
        searched += min(entry.status.st_size, MAX_FILE)
        if searched > _MAX_SEARCHED:
            return "\n".join([*lines, f"[cut after {size(_MAX_SEARCHED)}: search a smaller part]"])
        lines += _matches(workspace, entry, text, ignore_case=ignore_case)
        if len(lines) > MAX_MATCHES:
            return "\n".join([*lines[:MAX_MATCHES], f"[cut after {MAX_MATCHES} lines: search for something rarer]"])
    return "\n".join(lines) or "No line contains it."


def _matches(workspace: Workspace, entry: Entry, text: str, *, ignore_case: bool) -> list[str]:
    try:
        data = content(workspace, entry.path)
    except Failure:
        return []  # not text, too large, not ours to read, or gone since it was listed
    wanted = text.casefold() if ignore_case else text
    shown = printable(entry.path).replace("\n", " ")
    return [
        f"{shown}:{number}: {line.strip()[:_MAX_LINE]}"
        for number, line in enumerate(printable(data).split("\n"), start=1)
        if wanted in (line.casefold() if ignore_case else line)
    ]


def _walk(workspace: Workspace, path: str, *, recursive: bool) -> Iterator[Entry]:
    """The entries below `path`, directories before what they hold."""
    pending = ["/".join(names(path))]
    visited = 0
    while pending:
        below: list[str] = []
        for entry in _entries(workspace, pending.pop(), strict=visited == 0):
            visited += 1
            if visited > _MAX_VISITED:
                raise Failure(f"{printable(path)}: holds more than {_MAX_VISITED} entries: name a smaller part")
            yield entry
            if recursive and entry.is_directory and not entry.name.startswith("."):
                below.append(entry.path)
        pending += [folder for folder in reversed(below) if folder.count("/") < _MAX_DEPTH]


def _entries(workspace: Workspace, path: str, *, strict: bool) -> list[Entry]:
    """The entries of one directory, by name. One that went away meanwhile, or is closed to us, has none."""
    try:
        with workspace.directory(path) as folder, explained(path), os.scandir(folder) as found:
            prefix = f"{path}/" if path else ""
            # One more than may be visited, so that a directory of millions is noticed and not sorted.
            return sorted(_statuses(islice(found, _MAX_VISITED + 1), prefix), key=attrgetter("path"))
    except Failure:
        if strict:
            raise
        return []


def _statuses(found: Iterable[os.DirEntry[str]], prefix: str) -> Iterator[Entry]:
    for item in found:
        with suppress(FileNotFoundError):  # gone since it was found
            yield Entry(prefix + item.name, item.stat(follow_symlinks=False))
