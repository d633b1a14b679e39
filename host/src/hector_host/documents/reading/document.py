"""A file as text: what reading gives and splitting takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A text that is split by itself.

    Attributes:
        text: Its line ends are newlines alone.
        markdown: Whether headings and blocks of Markdown divide it.
        definitions: Whether lines that begin a function or a class divide it.
        page: The page that it is. 0: the file has none.
        faithful: Whether its lines are those of the file.
    """

    text: str
    markdown: bool = False
    definitions: bool = False
    page: int = 0
    faithful: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says.

    Attributes:
        title: As it calls itself, in one line. Empty: it does not.
        parts: One, or one for each page.
    """

    title: str
    parts: tuple[Part, ...]
