"""Files that are text: Markdown, reStructuredText, tables, source code, JSON, logs. Pure. Their lines stay theirs."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from hector_host.documents.outline import TITLE_LIMIT, Outline
from hector_host.documents.reading.document import Document, Part
from hector_host.documents.reading.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}\s*")
SHORT = 2
"""Characters by which an underline may be shorter than its title and still be one, as people count."""
LEVELS = 6
"""Levels of headings that Markdown has."""
CELL = 10_000_000
"""Characters of a cell: Python's own limit is small, and a file's size is bounded anyhow."""


class NoTextError(ValueError):
    """Bytes that are no text; the message says why."""


def document(kind: Kind, data: bytes) -> Document:
    """What a file of text says.

    Raises:
        NoTextError: It is none.
    """
    text = decoded(data)
    match kind:
        case Kind.MARKDOWN:
            part = Part(text, markdown=True)
        case Kind.MARKED:
            part = marked(text)
        case Kind.TABLE:
            part = Part("\n".join(_rows(text)))
        case _:
            part = Part(text, definitions=kind is Kind.CODE)
    return Document(_title(part), (part,))


def decoded(data: bytes) -> str:
    """UTF-8 as text whose line ends are newlines alone.

    Raises:
        NoTextError: It is something else.
    """
    if b"\0" in data:
        raise NoTextError("is not text: it has zero bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoTextError(f"is not UTF-8 text: byte {error.start:,} is 0x{data[error.start]:02x}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def marked(text: str) -> Part:
    """A text with underlined titles, as reStructuredText has them, with the same titles as Markdown's, line by line.

    Which underline is which level is told by the order of their first use. Without such a title it is plain text.
    """
    lines = text.split("\n")
    levels: list[tuple[str, bool]] = []
    for at in range(1, len(lines)):
        if not _is_title(lines, at):
            continue
        over = at > 1 and lines[at - 2].rstrip() == lines[at].rstrip()
        style = (lines[at][0], over)
        if style not in levels:
            levels.append(style)
        level = min(levels.index(style) + 1, LEVELS)
        lines[at - 1] = f"{'#' * level} {lines[at - 1].strip()}"
        lines[at] = ""
        if over:
            lines[at - 2] = ""
    return Part("\n".join(lines), markdown=bool(levels))


def _is_title(lines: list[str], at: int) -> bool:
    """Whether a line is the one under a title."""
    title = lines[at - 1].rstrip()
    if not UNDERLINE.fullmatch(lines[at]) or not 0 < len(title) <= TITLE_LIMIT or UNDERLINE.fullmatch(title):
        return False
    over = at > 1 and lines[at - 2].rstrip() == lines[at].rstrip()
    alone = over or at == 1 or not lines[at - 2].strip()
    return alone and (over or not title[0].isspace()) and len(lines[at].rstrip()) >= len(title.strip()) - SHORT


def _rows(text: str) -> Iterator[str]:
    """The lines of a table, each row as `column: value`, so that it tells what it means wherever it is cut out."""
    csv.field_size_limit(CELL)
    lines = [f"{line}\n" for line in text.split("\n")]
    delimiter = max(",;\t|", key=lines[0].count)
    reader = csv.reader(lines, delimiter=delimiter)
    names: list[str] | None = None
    told = 0
    try:
        for row in reader:
            if names is None:
                names = row
                yield delimiter.join(row)
            else:
                yield "; ".join(
                    f"{name}: {' '.join(cell.split())}" for name, cell in _cells(names, row) if cell.strip()
                )
            # A row with line ends in a cell is one line here, and those that it had more follow it.
            yield from [""] * (reader.line_num - told - 1)
            told = reader.line_num
    except csv.Error:
        yield from (line.rstrip("\n") for line in lines[told:])


def _cells(names: list[str], row: list[str]) -> Iterator[tuple[str, str]]:
    for at, cell in enumerate(row):
        yield (names[at].strip() if at < len(names) else "") or f"column {at + 1}", cell


def _title(part: Part) -> str:
    return Outline.of(part.text).title if part.markdown else ""
