"""What is wrong with a file: every problem with its place, all of them told at once and in the order of the file."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from hector_host.errors import ConfigError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

KeyPath = tuple[str | int, ...]
"""The way to a value: keys of mappings, and positions in lists counted from 0."""

VALUE_LIMIT = 80
"""Characters of a value that an error repeats."""


def dotted(path: KeyPath) -> str:
    """The path as errors write it: `agents.a.tools[0]`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return quoted(text.removeprefix("."), 200)


def shown(value: object) -> str:
    """A value as errors repeat it. Lists and mappings are named, since they may hold anything."""
    if isinstance(value, str):
        return f'"{quoted(value, VALUE_LIMIT)}"'
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, (int, float)):
        return quoted(repr(value), VALUE_LIMIT)
    return "a mapping" if isinstance(value, dict) else "a list"


def meant(name: str, known: Iterable[str], all_of_them: str = "There are") -> str:
    """The next step after an unknown name: the nearest one that is known, else all of them. "" when none is."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    if near:
        return f"Did you mean {near[0]}?"
    return f"{all_of_them}: {', '.join(quoted(each, 100) for each in names)}." if names else ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        line: Counted from 1; 0 when the file as a whole is meant.
        path: The keys that lead to it. Empty when the file as a whole is meant.
        what: What is wrong with it.
        step: What its writer can do. May be empty.
    """

    line: int
    path: KeyPath
    what: str
    step: str = ""

    def at(self, file: str) -> str:
        """`file:line: key.path: what`, without the next step."""
        return f"{place(file, self.line, self.path)}: {self.what}"


def place(file: str, line: int, path: KeyPath) -> str:
    """`file:line: key.path`, shortened to what is known of it."""
    where = f"{file}:{line}" if line else file
    return f"{where}: {dotted(path)}" if path else where


class ConfigErrors(ConfigError):  # noqa: N818 (several of them)
    """Everything that is wrong, at once.

    Attributes:
        messages: Each error in words, with its next step.
    """

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        *others, last = errors
        self.messages = (*map(str, others), str(last))
        super().__init__("\n".join([*self.messages[:-1], last.what]), last.step)


class InvalidFileError(ConfigErrors):
    """A file has problems.

    Attributes:
        file: The file as its reader calls it.
        problems: All of them, in the order of the lines.
    """

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__(ConfigError(problem.at(file), problem.step) for problem in self.problems)
