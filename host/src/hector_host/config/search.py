"""How a document store is searched."""

from typing import Annotated, Literal

from pydantic import Field

from hector_host.config.entry import Section
from hector_host.config.fields import Text

Mode = Literal["hybrid", "vector", "keyword"]

MODES: tuple[Mode, ...] = ("hybrid", "vector", "keyword")

MOST = 100
"""Passages that a search can return."""


class Rerank(Section):
    """A cross-encoder that reads a question and a passage together, and has the last word on their order."""

    embedder: Text
    """A key under embedders, whose plugin serves Rerank."""
    model: str = ""
    """Which of the plugin's models. Not given: its own choice."""
    candidates: Annotated[int, Field(ge=1, le=200)] = 30
    """Passages that it reads for each question: the best of the search without it."""


class Search(Section):
    """What a search returns, where its caller does not say."""

    mode: Mode = "hybrid"
    """vector: nearest in meaning. keyword: most of the question's words. hybrid: both, as one ranking."""
    limit: Annotated[int, Field(ge=1, le=MOST)] = 5
    """Passages that a search returns."""
    threshold: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """The lowest score of a passage: the database's for vectors, 0 to 1 for keywords; in a hybrid search either of
    them has to reach it. Not given: none is too low."""
    rerank: Rerank | None = None
    """Who orders the passages anew. Not given: nobody."""
