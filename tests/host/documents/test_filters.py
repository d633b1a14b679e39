"""The host judges metadata by the contract's filter language, and names what it does not understand."""

from __future__ import annotations

import pytest

from hector_host.documents.filters import FilterError, condition

PAGE = {"path": "docs/a.md", "line": 3, "tags": ["fruit", "green"], "draft": False, "sizes": [0, 5]}

OPERATORS = "$eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists, $and, $or, $not"


@pytest.mark.parametrize(
    ("filter_", "matches"),
    [
        ({}, True),
        ({"path": "docs/a.md"}, True),
        ({"path": "docs/b.md"}, False),
        ({"path": "docs/a.md", "line": 4}, False),
        ({"line": 3.0}, True),
        ({"line": "3"}, False),
        ({"draft": False}, True),
        ({"draft": 0}, False),
        ({"tags": "fruit"}, True),
        ({"tags": ["fruit", "green"]}, True),
        ({"tags": "blue"}, False),
        ({"gone": None}, False),
        ({"line": {"$eq": 3}}, True),
        ({"line": {"$ne": 3}}, False),
        ({"gone": {"$ne": 3}}, True),
        ({"line": {"$in": [1, 3]}}, True),
        ({"line": {"$nin": [1, 3]}}, False),
        ({"gone": {"$nin": [1]}}, True),
        ({"line": {"$gt": 3}}, False),
        ({"line": {"$gte": 3, "$lt": 4}}, True),
        ({"sizes": {"$gt": 1, "$lt": 3}}, False),
        ({"sizes": {"$gt": 1}}, True),
        ({"path": {"$gte": "docs/", "$lt": "docs0"}}, True),
        ({"path": {"$gt": 1}}, False),
        ({"draft": {"$lt": 1}}, False),
        ({"gone": {"$lt": 1}}, False),
        ({"line": {"$exists": True}}, True),
        ({"gone": {"$exists": False}}, True),
        ({"$or": [{"line": 4}, {"tags": "green"}]}, True),
        ({"$and": [{"line": 3}, {"tags": "blue"}]}, False),
        ({"$not": {"line": 3}}, False),
        ({"line": {"$not": {"$gt": 3}}}, True),
        ({"line": {"$or": [{"$lt": 1}, {"$gt": 2}]}}, True),
    ],
)
def test_what_matches(filter_, matches):
    assert condition(filter_)(PAGE) is matches


@pytest.mark.parametrize(
    ("filter_", "words"),
    [
        ({"line": {"$near": 3}}, f"filter.line.$near: unknown operator; there are {OPERATORS}"),
        (
            {"$eq": 3},
            "filter.$eq: unknown operator; a filter itself combines with $and, $or, $not",
        ),
        ({"line": {"$in": 3}}, "filter.line.$in: needs a list"),
        ({"line": {"$gt": None}}, "filter.line.$gt: needs a number or a text"),
        ({"line": {"$gt": True}}, "filter.line.$gt: needs a number or a text"),
        ({"line": {"$exists": 1}}, "filter.line.$exists: needs true or false"),
        ({"$or": []}, "filter.$or: needs a list of at least one object"),
        ({"$or": [{"a": 1}, 2]}, "filter.$or[1]: needs an object"),
        ({"$not": []}, "filter.$not: needs an object"),
        ({"line": {"$not": {}}}, "filter.line.$not: is empty: name an operator"),
        ({"a\nb": {"$gt": []}}, "filter.a b.$gt: needs a number or a text"),
    ],
)
def test_what_cannot_be_understood_is_named(filter_, words):
    with pytest.raises(FilterError) as error:
        condition(filter_)
    assert str(error.value) == words


def test_no_filter_is_too_deep_to_be_refused():
    filter_ = {"line": 3}
    for _ in range(10_000):
        filter_ = {"$not": filter_}
    with pytest.raises(FilterError) as error:
        condition(filter_)
    assert str(error.value) == f"filter{'.$not' * 18}.$no …: is nested deeper than 20"
