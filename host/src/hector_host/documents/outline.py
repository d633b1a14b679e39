"""The headings of a Markdown text: which titles stand above a line. Pure.

A heading inside a quotation or a list is not the document's, front matter has none, and a "title" as long as a
paragraph is a paragraph.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TITLE_LIMIT = 200
"""Characters of a title."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the document itself.

    Attributes:
        line: The first line, from 1.
        end_line: The last line; another one only where the heading is underlined.
        level: 1 to 6.
    """

    line: int
    end_line: int
    level: int
    title: str


class Outline:
    """The headings of one text, to be asked by line.

    Args:
        headings: In the order of their lines.
    """

    def __init__(self, headings: Sequence[Heading] = ()) -> None:
        self._starts = [heading.line for heading in headings]
        self._paths = list(_paths(headings))
        self._lines = {line: heading for heading in headings for line in range(heading.line, heading.end_line + 1)}

    @classmethod
    def of(cls, markdown: str) -> Outline:
        """The outline of a Markdown text whose line ends are newlines alone."""
        return cls(_headings(markdown))

    @property
    def title(self) -> str:
        """What the text calls itself: its first heading. Empty: it has none."""
        return self._paths[0][0].title if self._paths else ""

    def above(self, line: int) -> tuple[Heading, ...]:
        """The headings that a line stands under, outermost first; a heading stands under itself."""
        index = bisect_right(self._starts, line)
        return self._paths[index - 1] if index else ()

    def at(self, line: int) -> Heading | None:
        """The heading that occupies a line."""
        return self._lines.get(line)


def _paths(headings: Sequence[Heading]) -> Iterator[tuple[Heading, ...]]:
    path: tuple[Heading, ...] = ()
    for heading in headings:
        path = (*(above for above in path if above.level < heading.level), heading)
        yield path


def _headings(markdown: str) -> list[Heading]:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark")
    parser.core.ruler.enableOnly(["normalize", "block"])
    tokens = parser.parse(_without_front_matter(markdown))
    found = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open" and opening.level == 0 and opening.map:
            title = " ".join(inline.content.split())
            if 0 < len(title) <= TITLE_LIMIT:
                found.append(Heading(opening.map[0] + 1, opening.map[1], int(opening.tag[1:]), title))
    return found


def _without_front_matter(markdown: str) -> str:
    """The same lines with those of YAML front matter blank: its closing `---` would underline its last line."""
    lines = markdown.split("\n")
    if lines[0].rstrip() != "---":
        return markdown
    for index, line in enumerate(lines[1:], 1):
        if not line.strip():
            return markdown
        if line.rstrip() in ("---", "..."):
            return "\n" * (index + 1) + "\n".join(lines[index + 1 :])
    return markdown
