"""What every vector database promises of its searches: order, scores, bounds and filters."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from grpc import StatusCode
from grpc.aio import AioRpcError

from hector.plugin.v1.database_pb2 import (
    METRIC_DOT,
    METRIC_L2,
    CreateCollectionRequest,
    DeleteVectorsRequest,
    Metric,
    SearchVectorsRequest,
)
from hector_conformance.answers import beyond_bare, refusal
from hector_conformance.case import Failed, NotOffered, case
from hector_conformance.vectors import Collection, collection, fresh_name, kept, point
from hector_host.config import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from hector_conformance.instance import Instance
    from hector_conformance.subject import Subject

POINTS: dict[str, tuple[float, ...]] = {
    "near": (3, 4, 0.5),
    "far": (30, 39, 2),
    "side": (4, -3, 1),
    "back": (-3, -4, -1),
    "small": (0.03, 0.04, 0),
    "up": (0, 0, 5),
}
QUERY = (0.6, 0.8, 0.1)
TOLERANCE = 1e-3
"""Of scores, relative to the largest of them: float32 and its rounding."""

DOCUMENTS: dict[str, dict[str, Any]] = {
    "a": {"n": 1, "s": "apple", "tags": ["red", "round"], "flag": True, "maker": {"name": "x"}},
    "b": {"n": 2, "s": "banana", "tags": ["yellow"], "flag": False, "maker": {"name": "y"}},
    "c": {"n": 3, "s": "cherry", "tags": [], "nothing": None},
    "d": {},
    "e": {"n": "1", "flag": 1, "tags": "red"},
}
FILTERS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "abcde"),
    ({"n": 1}, "a"),
    ({"n": "1"}, "e"),
    ({"flag": True}, "a"),
    ({"flag": 1}, "e"),
    ({"nothing": None}, "c"),
    ({"tags": "red"}, "ae"),
    ({"tags": ["red", "round"]}, "a"),
    ({"maker": {"name": "x"}}, "a"),
    ({"n": 1, "s": "apple"}, "a"),
    ({"n": 1, "s": "banana"}, ""),
    ({"n": {"$eq": 2}}, "b"),
    ({"n": {"$ne": 1}}, "bcde"),
    ({"n": {"$in": [1, 3]}}, "ac"),
    ({"n": {"$in": []}}, ""),
    ({"n": {"$nin": [1, 3]}}, "bde"),
    ({"n": {"$gt": 1}}, "bc"),
    ({"n": {"$gte": 2, "$lt": 3}}, "b"),
    ({"s": {"$lte": "banana"}}, "ab"),
    ({"n": {"$exists": True}}, "abce"),
    ({"n": {"$exists": False}}, "d"),
    ({"nothing": {"$exists": True}}, "c"),
    ({"$and": [{"n": {"$gt": 1}}, {"s": "cherry"}]}, "c"),
    ({"$or": [{"n": 1}, {"s": "banana"}]}, "ab"),
    ({"$not": {"n": {"$exists": True}}}, "d"),
    ({"$not": {"$or": [{"n": 1}, {"n": 2}]}}, "cde"),
)
"""Filters, and the documents that match."""

BAD_FILTERS: tuple[dict[str, Any], ...] = (
    {"n": {"$regex": "a"}},
    {"$nor": [{"n": 1}]},
    {"n": {"$in": 1}},
    {"$and": {"n": 1}},
    {"$or": [{"n": 1}, {"n": {"$near": 1}}]},
)


@case(Kind.DATABASE, "contract")
async def cosine_is_the_metric_unless_named(subject: Subject) -> None:
    """Without a metric results come by cosine, best first, and their scores are the cosines."""
    async with subject.running() as instance, collection(instance, 3) as made:
        await _check(made, _cosine)


@case(Kind.DATABASE, "contract")
async def dot_scores_are_inner_products(subject: Subject) -> None:
    """With METRIC_DOT results come by inner product, best first, and their scores are the products."""
    async with (
        beyond_bare(subject, "metric"),
        subject.running() as instance,
        _with_metric(instance, METRIC_DOT) as made,
    ):
        await _check(made, _dot)


@case(Kind.DATABASE, "contract")
async def l2_scores_are_minus_the_distances(subject: Subject) -> None:
    """With METRIC_L2 results come nearest first, and their scores are minus the Euclidean distances."""
    async with beyond_bare(subject, "metric"), subject.running() as instance, _with_metric(instance, METRIC_L2) as made:
        await _check(made, lambda one, other: -math.dist(one, other))


@asynccontextmanager
async def _with_metric(instance: Instance, metric: Metric) -> AsyncIterator[Collection]:
    made = Collection(instance.stubs.database, fresh_name())
    try:
        await made.stub.CreateCollection(CreateCollectionRequest(name=made.name, dimension=3, metric=metric))
    except AioRpcError as error:
        if error.code() is StatusCode.INVALID_ARGUMENT:
            raise NotOffered(f"it has no {Metric.Name(metric)}") from None
        raise
    async with kept(made):
        yield made


async def _check(made: Collection, score: Any) -> None:
    await made.upsert(*(point(name, *floats) for name, floats in POINTS.items()))
    wanted = {name: score(QUERY, floats) for name, floats in POINTS.items()}
    found = {result.id: result.score for result in await made.search(*QUERY)}
    order = sorted(wanted, key=lambda name: -wanted[name])
    bound = TOLERANCE * max(map(abs, wanted.values()))
    wrong = [name for name in order if name in found and not abs(found[name] - wanted[name]) <= bound]
    if wrong:
        pairs = ", ".join(f"{name} {wanted[name]:.4g}, was {found[name]:.4g}" for name in wrong)
        raise Failed(f"scores: should be {pairs}")
    scores = list(found.values())
    if sorted(found) != sorted(POINTS) or scores != sorted(scores, reverse=True):
        raise Failed(f"results, best first: should be {order}, were {list(found)}")


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return _dot(one, other) / math.hypot(*one) / math.hypot(*other)


@case(Kind.DATABASE, "contract")
async def limits_bound_the_results(subject: Subject) -> None:
    """A search gives as many results as its limit says, the best ones."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0.1), point("b", 1, 0), point("c", 0, 1), point("d", 1, 0.2))
        found = await made.ids(1, 0, limit=2)
        if found != ["b", "a"]:
            raise Failed(f"the best 2 of 4: should be ['b', 'a'], were {found}")


@case(Kind.DATABASE, "contract")
async def thresholds_leave_out_what_scores_lower(subject: Subject) -> None:
    """Results that score lower than the threshold are left out."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0.1), point("b", 1, 1), point("c", 0, 1), point("d", -1, 0))
        found = await made.ids(1, 0, threshold=0.9)
        if found != ["a"]:
            raise Failed(f"with threshold 0.9: should be ['a'], were {found}")
        found = await made.ids(1, 0, threshold=-0.5)
        if found != ["a", "b", "c"]:
            raise Failed(f"with threshold -0.5: should be ['a', 'b', 'c'], were {found}")


@case(Kind.DATABASE, "contract")
async def threshold_0_bounds_nothing(subject: Subject) -> None:
    """Threshold 0 is no bound: results with negative scores are given too."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0), point("b", -1, 0))
        found = await made.ids(1, 0, threshold=0)
        if found != ["a", "b"]:
            raise Failed(f"with threshold 0, of scores 1 and -1: should be ['a', 'b'], were {found}")


@case(Kind.DATABASE, "contract")
async def filters_match_as_the_contract_says(subject: Subject) -> None:
    """A filter leaves exactly what matches it, by each of its operators."""
    async with beyond_bare(subject, "filter"), subject.running() as instance, collection(instance) as made:
        await made.upsert(*(point(name, 1, 0, **metadata) for name, metadata in DOCUMENTS.items()))
        for where, wanted in FILTERS:
            found = "".join(sorted(await made.ids(1, 0, where=where)))
            if found != wanted:
                raise Failed(f"filter {where}: should match {list(wanted)}, matched {list(found)}")


@case(Kind.DATABASE, "contract")
async def filters_come_before_limits(subject: Subject) -> None:
    """The limit counts results that match the filter, however many nearer ones do not."""
    async with beyond_bare(subject, "filter"), subject.running() as instance, collection(instance) as made:
        near = [point(f"near{number}", 1, number / 1000) for number in range(200)]
        await made.upsert(*near, point("a", -1, 0.2, kind="x"), point("b", -1, 0.1, kind="x"))
        found = sorted(await made.ids(1, 0, limit=2, where={"kind": "x"}))
        if found != ["a", "b"]:
            raise Failed(f"the 2 of 202 that match the filter, with limit 2: should be ['a', 'b'], were {found}")


@case(Kind.DATABASE, "contract")
async def exact_searches_miss_nothing(subject: Subject) -> None:
    """A search that asks to be exact finds the very nearest of many, whatever index there is."""
    points = {f"v{n}": (math.cos(n), math.sin(n * n), n % 7 - 3.0) for n in range(500)}
    async with subject.running() as instance, collection(instance, 3) as made:
        await made.upsert(*(point(name, *floats) for name, floats in points.items()))
        for query in list(points.values())[:20]:
            best = sorted(points, key=lambda name: -_cosine(points[name], query))[:5]
            scores = [result.score for result in await made.search(*query, limit=5, exact=True)]
            wanted = [_cosine(points[name], query) for name in best]
            if len(scores) != 5 or any(abs(one - other) > TOLERANCE for one, other in zip(scores, wanted, strict=True)):
                raise Failed(f"the 5 best scores of an exact search: should be {wanted}, were {scores}")


@case(Kind.DATABASE, "statuses")
async def bad_searches_are_invalid(subject: Subject) -> None:
    """SearchVectors with another dimension, floats that are not finite or a limit below 1 is INVALID_ARGUMENT."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0))
        bad = {
            "a vector that is too short": {"vector": [1], "limit": 1},
            "a vector that is too long": {"vector": [1, 0, 0], "limit": 1},
            "no vector": {"limit": 1},
            "a NaN": {"vector": [float("nan"), 0], "limit": 1},
            "limit 0": {"vector": [1, 0], "limit": 0},
            "limit -1": {"vector": [1, 0], "limit": -1},
        }
        for what, fields in bad.items():
            call = instance.stubs.database.SearchVectors(SearchVectorsRequest(collection=made.name, **fields))  # type: ignore[arg-type]
            await refusal(subject, call, StatusCode.INVALID_ARGUMENT, f"SearchVectors with {what}")


@case(Kind.DATABASE, "statuses")
async def bad_filters_are_invalid(subject: Subject) -> None:
    """A filter with an unknown operator, or an operand that cannot be meant, is INVALID_ARGUMENT, never ignored."""
    async with beyond_bare(subject, "filter"), subject.running() as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0, n=1))
        stub = instance.stubs.database
        for where in BAD_FILTERS:
            search = SearchVectorsRequest(collection=made.name, vector=[1, 0], limit=1)
            search.filter.update(where)
            await refusal(subject, stub.SearchVectors(search), StatusCode.INVALID_ARGUMENT, f"the filter {where}")


@case(Kind.DATABASE, "statuses", requires=("DeleteVectors",))
async def bad_filters_delete_nothing(subject: Subject) -> None:
    """DeleteVectors with a filter that cannot be understood is INVALID_ARGUMENT and deletes nothing."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0, n=1))
        for where in BAD_FILTERS:
            request = DeleteVectorsRequest(collection=made.name)
            request.filter.update(where)
            call = made.stub.DeleteVectors(request)
            await refusal(subject, call, StatusCode.INVALID_ARGUMENT, f"DeleteVectors with the filter {where}")
            if await made.ids(1, 0) != ["a"]:
                raise Failed(f"DeleteVectors with the filter {where}: deletes what is there")


@case(Kind.DATABASE, "huge input")
async def a_huge_limit_finds_all(subject: Subject) -> None:
    """A limit beyond all there is finds all there is."""
    async with subject.running() as instance, collection(instance) as made:
        await made.upsert(point("a", 1, 0), point("b", 0, 1))
        found = await made.ids(1, 0, limit=2**31 - 1)
        if found != ["a", "b"]:
            raise Failed(f"with limit {2**31 - 1}: should be ['a', 'b'], were {found}")
