"""One ranking of two: what is near in meaning, and what has the question's words.

Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009) adds up 1 / (60 + rank) over the rankings. It takes both for
equally good. But a question in other words than its answer's finds by keywords what has its unimportant words, and
those would outvote the nearest passages; so a keyword's vote counts by the square of the share of the question that the
passage has: half of a question is mostly its unimportant half.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    K = TypeVar("K", bound=Hashable)
    T = TypeVar("T")

K_CONSTANT = 60
"""Cormack's k: how little the first ranks are above the next."""

TOGETHER = 2
"""Passages of one file that stand as high as they are ranked."""


def fused(vector: Sequence[K], keyword: Mapping[K, float]) -> dict[K, float]:
    """The members of both rankings, best first, with their scores: 1 for one that is first in both.

    Args:
        vector: By nearness, best first.
        keyword: With the share of the question's words that each has (0 to 1), best first.
    """
    scores = {key: _vote(rank) for rank, key in enumerate(vector, 1)}
    for rank, (key, share) in enumerate(keyword.items(), 1):
        scores[key] = scores.get(key, 0.0) + share**2 * _vote(rank)
    best = sorted(scores.items(), key=lambda each: -each[1])
    return {key: score / (2 * _vote(1)) for key, score in best}


def spread(ranking: Iterable[T], group: Callable[[T], Hashable]) -> list[T]:
    """A ranking in which a group has few of the first places: its third member stands behind every other's first two.

    Neighbours in a file say much the same, and five passages of one file hide what four others say.
    """
    first: list[T] = []
    rest: list[T] = []
    seen: Counter[Hashable] = Counter()
    for one in ranking:
        seen[group(one)] += 1
        (first if seen[group(one)] <= TOGETHER else rest).append(one)
    return first + rest


def _vote(rank: int) -> float:
    return 1 / (K_CONSTANT + rank)
