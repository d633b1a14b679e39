"""Passages on a terminal, with the words of the question marked; elsewhere a line for each."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from hector_host.cli.columns import aligned
from hector_host.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from hector.host.v1.search_pb2 import Passage

SHOWN = 200
"""Characters of a passage on a line of its own."""

LINES = 3
"""Lines of a passage on a terminal."""

SHORT = 3
"""Letters of a word that is marked only where the question has no longer one: "the" is everywhere."""

NARROWEST = 20
"""Columns that a passage gets at least."""

_WORD = re.compile(r"[^\W_]+")


def record(passage: Passage) -> dict[str, Any]:
    """A passage as one JSON object; what it has not is null."""
    optional = ("vector_score", "keyword_score", "rerank_score")
    scores = {name: getattr(passage, name) if passage.HasField(name) else None for name in optional}
    return {
        "source": passage.source,
        "score": passage.score,
        **scores,
        "heading": passage.heading,
        "path": passage.path,
        "line": passage.line or None,
        "end_line": passage.end_line or None,
        "page": passage.page or None,
        "text": passage.text,
    }


def print_passages(question: str, passages: Sequence[Passage]) -> None:
    """Prints them, best first."""
    if not passages:
        print("Nothing was found.")
    elif sys.stdout.isatty():
        _print_table(question, passages)
    else:
        rows = [
            (f"{one.score:.2f}", quoted(one.source), quoted(one.heading, SHOWN), quoted(one.text, SHOWN))
            for one in passages
        ]
        print(aligned(rows))


def _print_table(question: str, passages: Sequence[Passage]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    sources = [Text(quoted(one.source)) for one in passages]
    widest = max(*(source.cell_len for source in sources), len("source"))
    width = min(widest, max(console.width // 3, NARROWEST))
    room = max(console.width - width - len("score") - 4, NARROWEST)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", expand=False)
    table.add_column("score", justify="right")
    table.add_column("source", width=width, overflow="fold")
    table.add_column("passage", max_width=room)
    for one, source in zip(passages, sources, strict=True):
        table.add_row(f"{one.score:.2f}", source, _shown(question, one, room))
    console.print(table)


def _shown(question: str, passage: Passage, room: int) -> Text:
    """The headings above a passage, and the part of it that has most of the question's words."""
    from rich.text import Text

    text = _body(passage)
    marked = _matches(question, text)
    begin, end = window(text, marked, room * LINES - room // 4)
    shown = Text(style="")
    if passage.heading:
        shown.append(quoted(passage.heading, room) + "\n", "dim")
    body = Text(("… " if begin else "") + text[begin:end] + (" …" if end < len(text) else ""))
    shift = (2 if begin else 0) - begin
    for start, stop in marked:
        if begin <= start and stop <= end:
            body.stylize("bold", start + shift, stop + shift)
    return shown.append_text(body)


def _body(passage: Passage) -> str:
    """A passage on one line; a heading of Markdown with which it begins is left out where it is shown above it."""
    text = passage.text
    title = passage.heading.rpartition(" > ")[2]
    if title:
        text = re.sub(rf"\A\s*#+ +{re.escape(title)}[ #]*\n", "", text)
    return quoted(text or passage.text, len(passage.text) or 1)


def window(text: str, marked: Sequence[tuple[int, int]], size: int) -> tuple[int, int]:
    """The part of a text, `size` characters at most, that holds most of the marks; of equal ones the first.

    It begins and ends between words, where there are some.

    Args:
        marked: Where the marks begin and end, in their order.
    """
    begin = 0
    if len(text) > size and marked:
        counts = [sum(start <= other and stop <= start + size for other, stop in marked) for start, _ in marked]
        start, _ = marked[counts.index(max(counts))]
        wanted = max(min(start - size // 8, len(text) - size), 0)
        begin = text.find(" ", wanted, start) + 1 or wanted if wanted else 0
    if begin + size >= len(text):
        return begin, len(text)
    end = text.rfind(" ", begin + size // 2, begin + size + 1)
    return begin, end if end > 0 else begin + size


def _matches(question: str, text: str) -> list[tuple[int, int]]:
    """Where the text has words of the question, or other forms of them."""
    words = {word.casefold() for word in _WORD.findall(question)}
    words = {word for word in words if len(word) > SHORT} or words
    stems = {_stem(word) for word in words}
    return [found.span() for found in _WORD.finditer(text) if _stem(found.group().casefold()) in stems]


def _stem(word: str) -> str:
    """Roughly what is left of an English word in any of its forms; others stay as they are, but for an s or e."""
    cut = re.sub(r"(ing|ed|es|s|e)$", "", word)
    return cut if len(cut) > SHORT else word
