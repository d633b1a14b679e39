"""YAML text becomes nodes that remember their lines.

The parser is PyYAML's. The composing is done here, for three reasons: PyYAML's own keeps no line once values are
made, lets a key be written twice, and recurses (a megabyte of `[` ends the process). Nothing is ever constructed but
text, lists and mappings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from hector_host.config.problems import Problem
from hector_host.errors import quoted

DEPTH_LIMIT = 64
"""Levels of nesting that a file may have."""

_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ufffd\U00010000-\U0010ffff]")
"""What YAML does not accept in any place."""

_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Scalar:
    """A text as written; `plain` when it has no quotes, so that its type is YAML's to find."""

    text: str
    plain: bool
    line: int


@dataclass(slots=True)
class Sequence:
    """A list."""

    line: int
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Keys and values in the order of the file. A key may still stand twice."""

    line: int
    pairs: list[tuple[Scalar, Node]] = field(default_factory=list)


Node: TypeAlias = Scalar | Sequence | Mapping


class BrokenError(Exception):
    """The text is not YAML, or YAML that is not read here. Its only argument is the `Problem`."""

    def __init__(self, line: int, what: str, step: str = "") -> None:
        self.problem = Problem(line, (), what, step)
        super().__init__(self.problem)


def compose(text: str) -> Node | None:
    """The nodes of a document; an alias is the very node that it names. None for a text without any.

    Raises:
        BrokenError: The first thing that cannot be read.
    """
    composer = _Composer()
    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        raise BrokenError(line, f"holds the control character {control.group()!a}", "Remove it.")
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        raise BrokenError(
            line + 1, f"broken YAML: {_reason(error)}", _step(text.splitlines()[line : line + 1])
        ) from None
    return composer.root


def _reason(error: yaml.MarkedYAMLError) -> str:
    began = error.context_mark
    context = f", {error.context} that begins in line {began.line + 1}" if error.context and began else ""
    return quoted(f"{error.problem}{context}")


def _step(at: list[str]) -> str:
    """The commonest mistake is a variable inside { } or [ ], whose own braces end it."""
    if at and "${" in at[0]:
        return 'Inside { } and [ ] write variables in quotes: "${NAME}".'
    return "Look at the indentation and the quotes there."


class _Composer:
    """Builds nodes from events without recursion."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._documents = 0
        self._open: list[tuple[Sequence | Mapping, str | None]] = []
        self._keys: list[Scalar | None] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._place(self._named(event), event)
        elif isinstance(event, yaml.ScalarEvent):
            _untagged(event)
            self._finish(Scalar(event.value, event.implicit[0], _line(event)), event.anchor, event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._keys.pop()
            node, anchor = self._open.pop()
            self._finish(node, anchor, event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise BrokenError(_line(event), "a second document begins", "Write one document in a file.")

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        _untagged(event)
        line = _line(event)
        if len(self._open) == DEPTH_LIMIT:
            raise BrokenError(line, f"is nested deeper than {DEPTH_LIMIT} levels")
        node: Sequence | Mapping = Mapping(line) if isinstance(event, yaml.MappingStartEvent) else Sequence(line)
        self._open.append((node, event.anchor))
        self._keys.append(None)

    def _finish(self, node: Node, anchor: str | None, event: yaml.Event) -> None:
        """A node is whole: from here on an alias may name it, so none can hold itself."""
        if anchor is not None:
            self._anchors[anchor] = node
        self._place(node, event)

    def _place(self, node: Node, event: yaml.Event) -> None:
        if not self._open:
            self.root = node
            return
        parent, _ = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self._keys[-1]
        if key is not None:
            parent.pairs.append((key, node))
            self._keys[-1] = None
        elif isinstance(node, Scalar):
            self._keys[-1] = Scalar(node.text, node.plain, _line(event))
        else:
            raise BrokenError(node.line, "a key is a list or a mapping", "Write keys as text.")

    def _named(self, event: yaml.AliasEvent) -> Node:
        anchor = event.anchor or ""
        if anchor not in self._anchors:
            name = quoted(anchor, 80)
            what = f"*{name} names no value that ends above it"
            raise BrokenError(_line(event), what, f"Write &{name} before the value that is meant.")
        return self._anchors[anchor]


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _untagged(event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
    if event.tag is not None:
        raise BrokenError(_line(event), f"the tag {quoted(event.tag, 80)} is not read", "Remove the tag.")
