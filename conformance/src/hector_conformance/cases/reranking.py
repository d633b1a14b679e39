"""What every embedder promises that scores texts against a query."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from grpc import StatusCode

from hector.plugin.v1.embedder_pb2 import RerankRequest
from hector_conformance.answers import answer, refusal
from hector_conformance.case import Failed, case
from hector_conformance.offered import NOBODY
from hector_host.config import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector_conformance.instance import Instance
    from hector_conformance.subject import Subject

QUERY = "How does bread rise?"
TEXTS = (
    "Yeast eats sugar, and its gas lifts the dough.",
    "A host that is killed takes its plugins with it.",
    "Rain.",
    "",
)
ALIKE = 1e-3
"""By which two scores of the same texts may differ, relative to the larger one: batches may round differently."""


async def _scores(instance: Instance, query: str, texts: Sequence[str]) -> list[float]:
    what = f"Rerank of {len(texts)} texts"
    response = await answer(instance.stubs.embedder.Rerank(RerankRequest(query=query, texts=texts)), what)
    if len(response.scores) != len(texts):
        raise Failed(f"{what}: should answer {len(texts)} scores, answered {len(response.scores)}")
    if not all(map(math.isfinite, response.scores)):
        raise Failed(f"{what}: should answer finite scores, one is not")
    return list(response.scores)


def _alike(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=ALIKE, abs_tol=ALIKE) for a, b in zip(one, other, strict=True))


@case(Kind.EMBEDDER, "contract", requires=("Rerank",))
async def every_text_has_a_finite_score(subject: Subject) -> None:
    """Rerank answers one finite score for each text, of many too."""
    async with subject.running() as instance:
        await _scores(instance, QUERY, TEXTS * 25)


@case(Kind.EMBEDDER, "contract", requires=("Rerank",))
async def scores_follow_their_texts(subject: Subject) -> None:
    """Rerank answers in the order of its texts: backwards, the scores are backwards."""
    async with subject.running() as instance:
        forward, backward = await _scores(instance, QUERY, TEXTS), await _scores(instance, QUERY, TEXTS[::-1])
        if not _alike(forward, backward[::-1]):
            raise Failed("texts that are scored, and the same backwards: should have the same scores, have others")


@case(Kind.EMBEDDER, "empty input", requires=("Rerank",))
async def nothing_to_rerank_is_no_error(subject: Subject) -> None:
    """Rerank without texts succeeds with no scores, and an empty query is a query."""
    async with subject.running() as instance:
        await _scores(instance, QUERY, ())
        await _scores(instance, "", TEXTS)


@case(Kind.EMBEDDER, "statuses", requires=("Rerank",))
async def unknown_rerankers_are_not_found(subject: Subject) -> None:
    """Rerank by a model that does not exist is NOT_FOUND."""
    async with subject.running() as instance:
        request = RerankRequest(query=QUERY, texts=TEXTS, model=NOBODY)
        await refusal(subject, instance.stubs.embedder.Rerank(request), StatusCode.NOT_FOUND, "Rerank by no model")
