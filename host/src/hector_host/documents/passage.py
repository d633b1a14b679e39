"""A passage that a search found: its text, where it stands, and how good it is by what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hector_host.errors import PluginError, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hector_host.documents.store import Store

NEEDED = ("store", "path", "heading", "text")
"""Metadata that every chunk was stored with."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that was found.

    Attributes:
        source: Where it stands, as it is cited: see `Store.source`.
        score: By which it was ranked; higher is better.
        store: The document store's name.
        heading: The titles above it. Empty: none.
        path: Its file, relative to the store's folder.
        line: Its first line. 0: the file has none.
        end_line: Its last line.
        page: The page that it is on. 0: the file has none.
        vector: The database's score. None: it was not found by its vector.
        keyword: The share of the question's words that it has. None: it was not found by them.
        rerank: The cross-encoder's score. None: none was asked.
    """

    text: str
    source: str
    score: float
    store: str
    heading: str
    path: str
    line: int
    end_line: int
    page: int = 0
    vector: float | None = None
    keyword: float | None = None
    rerank: float | None = None

    @property
    def whole(self) -> str:
        """The text below its headings, as embedders and cross-encoders read it."""
        return f"{self.heading}\n\n{self.text}" if self.heading else self.text


def passage(store: Store, id_: str, metadata: Mapping[str, Any]) -> Passage:
    """The passage of a chunk, not yet judged.

    Raises:
        PluginError: The database has lost some of its metadata.
    """
    place = "page" if "page" in metadata else "line"
    if missing := [key for key in (*NEEDED, place) if key not in metadata]:
        raise PluginError(
            f"{store.label}: databases.{store.config.database} lost the metadata of {quoted(id_)}: "
            f"{', '.join(missing)}",
            "Its plugin must return what UpsertVectors was given.",
        )
    line, page = int(metadata.get("line", 0)), int(metadata.get("page", 0))
    return Passage(
        text=metadata["text"],
        source=store.source(metadata["path"], line, page),
        score=0.0,
        store=store.name,
        heading=metadata["heading"],
        path=metadata["path"],
        line=line,
        end_line=int(metadata.get("end_line", line)),
        page=page,
    )
