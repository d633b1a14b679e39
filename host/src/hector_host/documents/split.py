"""Texts in chunks that a reader can be sent to: each knows its lines and the headings above it.

Splitting is the work of `semantic-text-splitter`: it prefers the bounds of sections, then of blocks, sentences, words.
Pure: no files, no plugins. Every letter and digit of a text is in a chunk or in the heading of one, but for a line that
opens a block of code and was left alone: it answers nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from hector_host.documents.definitions import Definitions
from hector_host.documents.outline import Outline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hector_host.documents.reading.document import Document, Part

LONGEST_LINE = 20_000
"""Characters of a line that are split together."""

VERY_LONG = re.compile(rf"[^\n]{{{LONGEST_LINE + 1},}}")
FENCE = re.compile(r"(`{3,}|~{3,})[^\n]*")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a text.

    Attributes:
        text: Without blank lines around it.
        line: The line of the first character, from 1. 0: the file has no lines that a reader could look up.
        end_line: The line of the last character.
        heading: The titles above the passage, outermost first, joined by " > ". Empty where there are none.
        page: The page that it is on, from 1. 0: the file has none.
        under: The innermost title above it. Empty: there is none, or it begins with that.
    """

    text: str
    line: int
    end_line: int
    heading: str
    page: int = 0
    under: str = ""

    @property
    def embedded(self) -> str:
        """The text as it is embedded: what stands in the middle of a section is about what the section is about.

        One title is enough: a whole trail of them makes all passages of a document alike.
        """
        return f"{self.under}\n\n{self.text}" if self.under else self.text


def split(document: Document, *, size: int, overlap: int) -> list[Chunk]:
    """The chunks of a document in their order.

    Args:
        size: The most characters that a chunk has.
        overlap: The most characters that a chunk repeats of the one before it; fewer than `size`.
    """
    return [
        chunk if part.faithful else replace(chunk, line=0, end_line=0, page=part.page)
        for part in document.parts
        for chunk in split_part(part, size=size, overlap=overlap)
    ]


def split_part(part: Part, *, size: int, overlap: int) -> list[Chunk]:
    """The chunks of a text that is split by itself, with its own lines."""
    from semantic_text_splitter import MarkdownSplitter, TextSplitter

    text = part.text
    splitter = MarkdownSplitter(size, overlap=overlap) if part.markdown else TextSplitter(size, overlap=overlap)
    outline = Outline.of(text) if part.markdown else Outline()
    trail = Definitions(text).above if part.definitions else outline.above
    newlines = [index for index, character in enumerate(text) if character == "\n"]
    chunks = []
    for begin, segment in _segments(text):
        for offset, passage in splitter.chunk_indices(segment):
            start = begin + offset
            first, last = (bisect_right(newlines, index - 1) + 1 for index in (start, start + len(passage) - 1))
            if any(map(str.isalnum, passage)) and not FENCE.fullmatch(passage.strip()):
                above = trail(first)
                heading = " > ".join(one.title for one in above)
                under = above[-1].title if above and above[-1].line != first else ""
                chunks.append(Chunk(passage, first, last, heading, under=under))
    carried = {chunk for chunk, after in pairwise(chunks) if _carries(after, chunk, outline)}
    return [chunk for chunk in chunks if chunk not in carried]


def _segments(text: str) -> Iterator[tuple[int, str]]:
    """The text in parts, each with its place: whole, but for very long lines, on which the splitter is quadratic."""
    begin = 0
    for line in VERY_LONG.finditer(text):
        if line.start() > begin:
            yield begin, text[begin : line.start()]
        for cut in range(line.start(), line.end(), LONGEST_LINE):
            yield cut, text[cut : min(cut + LONGEST_LINE, line.end())]
        begin = line.end()
    if begin < len(text):
        yield begin, text[begin:]


def _carries(after: Chunk, chunk: Chunk, outline: Outline) -> bool:
    """Whether a chunk is only headings, and all of them stand above the next one: alone it would answer nothing."""
    lines = [chunk.line + index for index, line in enumerate(chunk.text.split("\n")) if line.strip()]
    inside = {outline.at(line) for line in lines}
    return None not in inside and inside <= set(outline.above(after.line))
