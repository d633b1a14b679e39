"""A document store: the documents, how they are cut, and where their vectors are."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from hector_host.config.entry import Clash, Entry
from hector_host.config.fields import FilePath, Size, Text
from hector_host.config.search import Search

CHUNK_SIZE = 1200
"""Characters of a chunk where the file does not say: some 250 tokens, which every embedder reads whole."""

CHUNK_OVERLAP = 100
"""Characters that neighbouring chunks share, where the file does not say and chunks are large enough."""


PROSE = ("md", "markdown", "txt", "rst", "html", "htm", "pdf", "docx")
"""Endings of the files that are read where the file does not say which. Code, tables and data are to be asked for."""


class DocumentStoreConfig(Entry):
    """A folder whose documents agents can search. Sizes are in characters."""

    path: FilePath
    """The folder, or one file."""
    include: list[Text] = Field(default_factory=lambda: [f"**/*.{suffix}" for suffix in PROSE])
    """Patterns of the files to read, relative to the folder. Not given: what people write to be read."""
    exclude: list[Text] = Field(default_factory=list)
    """Patterns of the files to leave out."""
    gitignore: bool = True
    """Leave out what the files .gitignore in the folder say."""
    max_file_size: Size = 20_000_000
    """Bytes of a file at most; larger ones are reported and left out."""
    watch: bool = False
    """`hector serve` indexes it when it starts, and whenever its files change."""
    embedder: Text
    """A key under embedders."""
    database: Text
    """A key under databases."""
    chunk_size: Annotated[int, Field(ge=50, le=100_000)] = CHUNK_SIZE
    """Characters of a passage at most."""
    chunk_overlap: Annotated[int, Field(ge=0)] = Field(
        default_factory=lambda data: min(CHUNK_OVERLAP, data.get("chunk_size", CHUNK_SIZE) // 8)
    )
    """Characters that neighbouring passages share. Not given: 100, or an eighth of a chunk where that is less."""
    search: Search = Field(default_factory=Search)
    """How it is searched, where a search does not say."""

    @property
    def name(self) -> str:
        """Its key in the file."""
        return self.id

    @classmethod
    def clashes(cls, given: Mapping[str, Any]) -> Iterator[Clash]:
        """Chunks that overlap wholly never end."""
        overlap, size = given.get("chunk_overlap"), given.get("chunk_size", CHUNK_SIZE)
        if isinstance(overlap, int) and isinstance(size, int) and overlap >= 0 and 50 <= size <= overlap:
            yield Clash(("chunk_overlap",), "is not less than chunk_size", "An eighth of it is usual.")
