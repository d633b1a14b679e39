"""What is asked of document stores, judged before anybody is asked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hector_host.config.search import MODES, MOST
from hector_host.documents.filters import FilterError, condition
from hector_host.documents.terms import terms
from hector_host.errors import QuestionError, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hector_host.config.search import Mode
    from hector_host.documents.filters import Condition

LENGTH_LIMIT = 8_000
"""Characters of a question: more than any person types."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to search, where it is not to be as the store is configured.

    Attributes:
        limit: Passages at most.
        threshold: The lowest score of a passage, see `config.search.Search`.
        where: What the metadata of a passage must match, in the contract's filter language.
        exact: Compare with every vector, whatever index the database has.
        rerank: Ask the cross-encoder that the store names.

    Raises:
        QuestionError: One of them is none.
    """

    mode: Mode | None = None
    limit: int | None = None
    threshold: float | None = None
    where: Mapping[str, Any] = field(default_factory=dict)
    exact: bool = False
    rerank: bool = True

    def __post_init__(self) -> None:
        """Judges them."""
        if self.mode is not None and self.mode not in MODES:
            raise QuestionError(f"mode {quoted(str(self.mode), 50)}: is not known", f"Write {', '.join(MODES)}.")
        if self.limit is not None and not 1 <= self.limit <= MOST:
            raise QuestionError(f"limit {self.limit}: is not 1 to {MOST}", "Ask for fewer passages, but for some.")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise QuestionError(f"threshold {self.threshold}: is no number", "Write one, as 0.5.")
        self.condition()

    def condition(self) -> Condition:
        """Which metadata match."""
        try:
            return condition(self.where)
        except FilterError as error:
            raise QuestionError(str(error), 'Write one as {"path": "guides/start.md"}.') from None


def check(text: str, mode: Mode) -> None:
    """Whether a question can be asked in that mode.

    Raises:
        QuestionError: It is empty, too long, or has nothing that the mode could look for.
    """
    if not text.strip():
        raise QuestionError("the question is empty", "Say what to look for.")
    if len(text) > LENGTH_LIMIT:
        raise QuestionError(f"the question has {len(text):,} characters", f"Ask in {LENGTH_LIMIT:,} at most.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise QuestionError("the question is not UTF-8 text", "Write it in UTF-8.") from None
    if mode == "keyword" and not terms(text):
        raise QuestionError(
            f'"{quoted(text, 50)}": has no word to look for', "Name one, or search in another mode than keyword."
        )
