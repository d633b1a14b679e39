"""Which kind of file a name promises."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePosixPath


class Kind(Enum):
    """How a file is read."""

    TEXT = "text"
    MARKDOWN = "Markdown"
    MARKED = "reStructuredText"
    CODE = "source code"
    TABLE = "table"
    HTML = "HTML"
    PDF = "PDF"
    DOCX = "DOCX"


PARSED = frozenset({Kind.HTML, Kind.PDF, Kind.DOCX})
"""Kinds that libraries parse, in a child process."""

_SUFFIXES = {
    Kind.MARKDOWN: "md markdown mdx mdc",
    Kind.MARKED: "rst rest txt",
    Kind.TABLE: "csv tsv",
    Kind.HTML: "html htm xhtml",
    Kind.PDF: "pdf",
    Kind.DOCX: "docx",
    Kind.CODE: "py pyi pyx go rs js jsx mjs cjs ts tsx java kt kts scala c h cc cpp cxx hpp hh cs swift rb php lua jl"
    " dart zig nim ex exs proto",
}
_KINDS = {f".{suffix}": kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}


def kind(path: str) -> Kind:
    """The kind of a file by the end of its name; what is not known is text."""
    return _KINDS.get(PurePosixPath(path).suffix.lower(), Kind.TEXT)
