"""How well a store is searched: questions whose answers' places are known, and where among the results these came.

A file of them is JSON Lines, an object a line: `{"question": "…", "sources": ["guide.md", "protocol.md:120",
"manual.pdf#page=3"]}`. A source is a file, relative to the store's folder or to the configuration's, and maybe a line
or a page of it, which the passage has to contain. Other keys are left alone.
"""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hector_host.errors import ConfigError, printable, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hector.host.v1.search_pb2 import Passage

DEPTH = 10
"""Results that are looked at."""

RANKS = (1, 3, 5, DEPTH)
"""The ranks up to which hits are counted."""

SIZE_LIMIT = 16 << 20
"""Bytes of a file."""

_SOURCE = re.compile(r"(?P<path>.+?)(?:#page=(?P<page>[0-9]{1,9})|:(?P<line>[0-9]{1,9}))?")
_EXAMPLE = 'Write a line as {"question": "…", "sources": ["guide.md", "protocol.md:120"]}.'


@dataclass(frozen=True, slots=True)
class Source:
    """A place that answers a question.

    Attributes:
        line: 0: anywhere in the file.
        page: 0: anywhere in the file.
    """

    path: str
    line: int = 0
    page: int = 0

    @classmethod
    def parse(cls, text: str) -> Source | None:
        """`PATH`, `PATH:line` or `PATH#page=3`. None: it is none of them."""
        found = _SOURCE.fullmatch(text.strip())
        if found is None:
            return None
        return cls(posixpath.normpath(found["path"]), int(found["line"] or 0), int(found["page"] or 0))

    def is_in(self, passage: Passage) -> bool:
        """Whether a passage holds the place."""
        cited = Source.parse(passage.source)
        if self.path != passage.path and (cited is None or self.path != cited.path):
            return False
        if self.line:
            return passage.line <= self.line <= passage.end_line
        return self.page in (0, passage.page)

    def __str__(self) -> str:
        return self.path + (f":{self.line}" if self.line else f"#page={self.page}" if self.page else "")


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and the places that answer it: one of them is enough."""

    question: str
    sources: tuple[Source, ...]

    def rank(self, passages: Sequence[Passage]) -> int:
        """The rank of the first passage that answers it, from 1. 0: none does."""
        ranks = (rank for rank, one in enumerate(passages, 1) if any(source.is_in(one) for source in self.sources))
        return next(ranks, 0)


@dataclass(frozen=True, slots=True)
class Miss:
    """A question that found none of its places.

    Attributes:
        found: What came instead, best first.
    """

    case: Case
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """How all questions went.

    Attributes:
        hits: By rank, the share of the questions that were answered up to there.
        mrr: The mean of 1 / rank of the first answer, 0 where there was none (mean reciprocal rank).
        misses: Those without an answer in the first `DEPTH` results.
    """

    hits: dict[int, float]
    mrr: float
    misses: tuple[Miss, ...]


def judged(cases: Sequence[Case], found: Sequence[Sequence[Passage]]) -> Result:
    """What came of at least one question.

    Args:
        found: The passages for each, best first, `DEPTH` at most.
    """
    ranks = [case.rank(passages) for case, passages in zip(cases, found, strict=True)]
    return Result(
        hits={most: sum(0 < rank <= most for rank in ranks) / len(ranks) for most in RANKS},
        mrr=sum(1 / rank for rank in ranks if rank) / len(ranks),
        misses=tuple(
            Miss(case, tuple(one.source for one in passages))
            for case, passages, rank in zip(cases, found, ranks, strict=True)
            if not rank
        ),
    )


def read(file: Path) -> list[Case]:
    """The questions of a file.

    Raises:
        ConfigError: It cannot be read, has none, or a line is none: every such line is named.
    """
    name = printable(str(file))
    try:
        with file.open("rb") as opened:
            data = opened.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror}", "Name a file of questions.") from None
    if len(data) > SIZE_LIMIT:
        raise ConfigError(f"{name}: is larger than {SIZE_LIMIT >> 20} MiB", "Divide it.")
    cases: list[Case] = []
    wrong: list[str] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            wrong += [f"{name}:{number}: {what}" for what in _problems(line, cases)]
    if wrong:
        raise ConfigError("\n".join(wrong), _EXAMPLE)
    if not cases:
        raise ConfigError(f"{name}: has no question", _EXAMPLE)
    return cases


def _problems(line: bytes, cases: list[Case]) -> Iterator[str]:
    """What is wrong with a line. Nothing: its question is added."""
    try:
        told: Any = json.loads(line)
    except UnicodeDecodeError:
        yield "is not UTF-8 text"
        return
    except (ValueError, RecursionError) as error:
        yield f"is not JSON: {quoted(str(error), 100)}"
        return
    question, listed = (told.get("question"), told.get("sources")) if isinstance(told, dict) else (None, None)
    if not isinstance(question, str) or not question.strip():
        yield "has no question"
        return
    sources = [Source.parse(one) if isinstance(one, str) else None for one in _list(listed)]
    known = tuple(source for source in sources if source is not None)
    if not sources or len(known) < len(sources):
        yield "sources: is not a list of at least one PATH, PATH:line or PATH#page=3"
        return
    cases.append(Case(question, known))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
