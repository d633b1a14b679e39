"""A YAML file as plain values, with the line of every key and the variables behind every value.

Values are str, int, float, bool, None, list and dict. What is wrong with the file is gathered, so that its reader hears
of everything at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hector_host.config.nodes import DEPTH_LIMIT, BrokenError, Mapping, Node, Scalar, Sequence, compose
from hector_host.config.problems import InvalidFileError, KeyPath, Problem, place
from hector_host.config.scalars import typed
from hector_host.config.variables import VariableError, expand
from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from collections import abc
    from pathlib import Path

SIZE_LIMIT = 1 << 20
"""Bytes that a file may have."""

NODE_LIMIT = 100_000
"""Values that a file may have once its aliases are followed."""


@dataclass(frozen=True, slots=True)
class Source:
    """A scalar that holds values of variables: how the file writes it."""

    text: str
    plain: bool
    names: frozenset[str]


@dataclass(slots=True)
class Document:
    """What a file says.

    Attributes:
        name: The file as its reader calls it.
        value: The root. None for a file that says nothing.
        lines: The line of every value: of its key, or of its beginning in a list.
        sources: The scalars in which variables were replaced.
        problems: What is wrong so far.
    """

    name: str
    value: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    sources: dict[KeyPath, Source] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _blamed: set[KeyPath] = field(default_factory=set, init=False, repr=False)

    def line(self, path: KeyPath) -> int:
        """The line of a value, or of the nearest that holds it. 0 when nothing does."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)

    def locate(self, path: KeyPath) -> str:
        """`hector.yaml:12: key.path`."""
        return place(self.name, self.line(path), path)

    def blame(self, path: KeyPath, what: str, step: str = "") -> None:
        """Adds a problem, unless there is already one with that very value."""
        if path not in self._blamed:
            self._blamed.add(path)
            self.problems.append(Problem(self.line(path), path, what, step))

    def names_under(self, path: KeyPath) -> frozenset[str]:
        """The variables whose values are in a value or in anything inside it."""
        found = (source.names for key, source in self.sources.items() if key[: len(path)] == path)
        return frozenset().union(*found)

    def refuse(self) -> None:
        """Ends the reading when there are problems.

        Raises:
            InvalidFileError: All of them.
        """
        if self.problems:
            raise InvalidFileError(self.name, self.problems)


def read(file: Path, name: str, variables: abc.Mapping[str, str] | None, otherwise: str) -> Document:
    """Reads a file. Without variables a dollar is a dollar. `otherwise` is the next step where there is no such file.

    Raises:
        ConfigError: There is no such file, or it cannot be read, or is not YAML. Everything else is in `problems`.
    """
    document = Document(name)
    try:
        root = compose(_text(file, name, otherwise))
    except BrokenError as error:
        raise InvalidFileError(name, [error.problem]) from None
    if root is not None:
        document.value = _Builder(document, variables).build(root, (), root.line)
    return document


def _text(file: Path, name: str, otherwise: str) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise ConfigError(f"{name}: no such file", otherwise) from None
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror}") from None
    if len(data) > SIZE_LIMIT:
        raise ConfigError(f"{name}: is larger than 1 MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidFileError(name, [Problem(line, (), "is not UTF-8 text", "Save the file as UTF-8.")]) from None


class _Builder:
    """Makes values of nodes. Both limits are kept again: through its aliases a small file can be deep and huge."""

    def __init__(self, document: Document, variables: abc.Mapping[str, str] | None) -> None:
        self._document = document
        self._variables = variables
        self._left = NODE_LIMIT

    def build(self, node: Node, path: KeyPath, line: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise self._refusal(line, f"has more than {NODE_LIMIT} values")
        if len(path) > DEPTH_LIMIT:
            raise self._refusal(line, f"is nested deeper than {DEPTH_LIMIT} levels")
        if path:
            self._document.lines[path] = line
        if isinstance(node, Scalar):
            return self._scalar(node, path)
        if isinstance(node, Sequence):
            return [self.build(item, (*path, index), item.line) for index, item in enumerate(node.items)]
        return self._mapping(node, path)

    def _refusal(self, line: int, what: str) -> InvalidFileError:
        return InvalidFileError(self._document.name, [Problem(line, (), what)])

    def _mapping(self, node: Mapping, path: KeyPath) -> dict[str, Any]:
        lines: dict[str, int] = {}
        values = {}
        for key, value in node.pairs:
            first = lines.setdefault(key.text, key.line)
            inner = (*path, key.text)
            if key.text in values:
                what = f"is written twice, first in line {first}"
                self._document.problems.append(Problem(key.line, inner, what, "Keep one of them."))
                continue
            values[key.text] = self.build(value, inner, key.line)
            if key.text == "<<" and key.plain:
                self._document.blame(inner, "mappings are not merged", "Write the keys out, or alias a whole value.")
        return values

    def _scalar(self, node: Scalar, path: KeyPath) -> Any:
        if self._variables is None or "$" not in node.text:
            return typed(node.text) if node.plain else node.text
        try:
            expansion = expand(node.text, self._variables)
        except VariableError as error:
            self._document.blame(path, error.what, error.step)
            return ""
        if expansion.used:
            self._document.sources[path] = Source(node.text, node.plain, expansion.used)
        return typed(expansion.text) if node.plain and expansion.whole else expansion.text
