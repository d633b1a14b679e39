"""Whether a question is in other words than its answer, by the words that a keyword index would see.

Words are compared as SQLite's full-text index stems them, without those that any text has. A passage is the lines that
hold its quotation, as far as a chunk of a document store reaches, with the headings above and the file's path.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

REACH = 400
"""Characters of a passage before and after its quotation."""

STOP_WORDS = frozenset(
    """a about after again against all also am an and any are as at be because been before being both but by can
    cannot could did do does doing done each either else ever every for from had has have having he her here him his
    how i if in instead into is it its itself just like may me might more most much must my neither no nor not now of
    off on once one ones only or other others our out over own same shall she should so some such than that the their
    them themselves then there these they this those through to too under until up us very was we were what when where
    whether which while who whom whose why will with within without would yet you your""".split()  # noqa: SIM905 - words read as a text
)

_HEADING = re.compile(r"(#+) +(.+)")
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.])\1{2,}\s*")


def content_words(text: str) -> set[str]:
    """The stems of a text's words, without stop words."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'porter unicode61 remove_diacritics 2')"
        )
        connection.execute("CREATE VIRTUAL TABLE stems USING fts5vocab(words, row)")
        kept = (word for word in re.findall(r"[^\W_]+", text.lower()) if word not in STOP_WORDS)
        connection.execute("INSERT INTO words VALUES (?)", (" ".join(kept),))
        return {stem for (stem,) in connection.execute("SELECT term FROM stems")}


def passage(path: str, text: str, quotation: str) -> str:
    """The passage of a document that holds a quotation, whose words may be on several lines.

    Raises:
        ValueError: There is none.
    """
    found = re.search(r"\s+".join(map(re.escape, quotation.split())), text)
    if found is None:
        raise ValueError(f"{path}: has no longer: {quotation}")
    start, end = max(0, found.start() - REACH), found.end() + REACH
    return "\n".join([path, *_headings(text[: found.start()]), text[start:end]])


def _headings(before: str) -> list[str]:
    """The headings above the end of a text, Markdown's or reStructuredText's, outermost first."""
    trail: dict[str, str] = {}
    lines = before.split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        marked = _HEADING.fullmatch(line)
        underlined = bool(line.strip()) and _UNDERLINE.fullmatch(following) and not _UNDERLINE.fullmatch(line)
        if marked or underlined:
            mark = marked[1] if marked else following[0]
            kept = list(trail)[: list(trail).index(mark)] if mark in trail else list(trail)
            trail = {one: trail[one] for one in kept} | {mark: line}
    return list(trail.values())
