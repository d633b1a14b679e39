"""The functions and classes of source code: which of them a line stands in. Pure.

A line belongs to those above it that are indented less, which holds for code as people and formatters write it, in any
language that begins a definition with a word. It is told to readers and to embedders; nothing else depends on it.
"""

from __future__ import annotations

import re

from hector_host.documents.outline import Heading

DEFINITION = re.compile(
    r"(?:(?:export|default|public|private|protected|internal|static|abstract|final|sealed|open|override|async|unsafe"
    r"|pub(?:\([^)]*\))?|const|extern|virtual|inline)\s+)*"
    r"(?:class|def|func|fn|fun|function|interface|struct|impl|trait|enum|module|namespace|protocol|message|service)\s+"
    r"(?:\([^)]*\)\s*)?(?P<name>[\w.$:]+)"
)
CONTINUED = re.compile(r"[)\]]|where\b")
"""Begins a line that goes on with a signature, as far out as the line that began it."""
TAB = 4
"""Spaces that a tab is as wide as."""
LONGEST = 200
"""Characters of a line that are looked at."""


class Definitions:
    """The definitions of one text, to be asked by line."""

    def __init__(self, code: str) -> None:
        self._above: list[tuple[Heading, ...]] = [()]
        inside: list[tuple[int, Heading]] = []
        for number, line in enumerate(code.split("\n"), 1):
            begun = line[:LONGEST].expandtabs(TAB)
            text = begun.strip()
            indent = len(begun) - len(begun.lstrip())
            if text and not CONTINUED.match(text):
                while inside and indent <= inside[-1][0] and not (text[0] in "{}" and indent == inside[-1][0]):
                    inside.pop()
                if found := DEFINITION.match(text):
                    inside.append((indent, Heading(number, number, len(inside) + 1, found["name"].rstrip(":"))))
            self._above.append(tuple(heading for _, heading in inside))

    def above(self, line: int) -> tuple[Heading, ...]:
        """The definitions that a line stands in, outermost first; the line that begins one stands in it."""
        return self._above[line]
