import pytest

from hector_faiss_database.columns import Columns
from hector_faiss_database.filters import parse
from hector_sdk import Status
from hector_sdk.values import struct

THERE = "there are $and, $eq, $exists, $gt, $gte, $in, $lt, $lte, $ne, $nin, $not, $or here"
SHELF = [
    {"kind": "book", "pages": 100, "tags": ["red", "old"], "lent": True},
    {"kind": "book", "pages": 300, "tags": ["blue"], "lent": False},
    {"kind": "map", "pages": 1, "tags": []},
    {"kind": "film", "length": 1.5, "by": {"name": "Ann"}, "lent": None},
    {"kind": ["book", "film"], "pages": "many"},
    {},
]


@pytest.fixture(scope="module")
def columns() -> Columns:
    return Columns([struct(metadata).SerializeToString() for metadata in SHELF])


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({"kind": "book"}, [0, 1, 4]),
        ({"kind": "book", "pages": 100}, [0]),
        ({"kind": {"$eq": "film"}}, [3, 4]),
        ({"kind": {"$ne": "book"}}, [2, 3, 5]),
        ({"kind": {"$in": ["map", "film"]}}, [2, 3, 4]),
        ({"kind": {"$in": []}}, []),
        ({"kind": {"$nin": ["book", "map"]}}, [3, 5]),
        ({"pages": {"$gt": 1}}, [0, 1]),
        ({"pages": {"$gte": 1}}, [0, 1, 2]),
        ({"pages": {"$lt": 100}}, [2]),
        ({"pages": {"$lte": 100}}, [0, 2]),
        ({"pages": {"$gt": "a"}}, [4]),
        ({"pages": {"$gt": 1, "$lt": 300}}, [0]),
        ({"pages": {"$gt": 1, "$gte": 1, "$lte": 300, "$lt": 300}}, [0]),
        ({"pages": {"$gt": 1, "$lt": "z"}}, []),
        ({"pages": {"$gte": 100, "$ne": 300}}, [0]),
        ({"length": {"$gt": 1.4999}}, [3]),
        ({"lent": True}, [0]),
        ({"lent": 1}, []),
        ({"lent": None}, [3]),
        ({"lent": {"$exists": True}}, [0, 1, 3]),
        ({"lent": {"$exists": False}}, [2, 4, 5]),
        ({"tags": "old"}, [0]),
        ({"tags": ["red", "old"]}, [0]),
        ({"tags": ["old", "red"]}, []),
        ({"tags": []}, [2]),
        ({"by": {"name": "Ann"}}, [3]),
        ({"by": {"name": "Bob"}}, []),
        ({"by": {}}, []),
        ({"nobody": {"$ne": 1}}, [0, 1, 2, 3, 4, 5]),
        ({"$and": [{"kind": "book"}, {"pages": {"$lt": 200}}]}, [0]),
        ({"$or": [{"kind": "map"}, {"tags": "blue"}]}, [1, 2]),
        ({"$not": {"kind": "book"}}, [2, 3, 5]),
        ({"$not": {"$or": [{"kind": "book"}, {"kind": "film"}]}, "pages": 1}, [2]),
        ({"pages": {"$not": {"$gt": 50}}}, [2, 3, 4, 5]),
        ({"pages": {"$or": [{"$lt": 10}, {"$gt": 200}]}}, [1, 2]),
        ({"pages": {"$and": [{"$gt": 10}, {"$lt": 200}]}}, [0]),
    ],
)
def test_a_filter_matches(columns: Columns, question: dict[str, object], expected: list[int]):
    assert parse(struct(question)).rows(columns, len(SHELF)).tolist() == expected


def test_one_element_of_a_list_must_lie_between_both_bounds():
    columns = Columns([struct({"year": years}).SerializeToString() for years in ([1900, 2000], [1900, 1950], 1950)])
    between = parse(struct({"year": {"$gt": 1940, "$lt": 1960}}))
    assert between.rows(columns, 3).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"$near": 1}, 'filter.$near: unknown operator "$near": there are $and, $not, $or here'),
        ({"$gt": 1}, 'filter.$gt: unknown operator "$gt": there are $and, $not, $or here'),
        ({"a": {"$regex": "x"}}, f'filter.a.$regex: unknown operator "$regex": {THERE}'),
        ({"a": {"$gt": 1, "b": 2}}, f'filter.a.b: unknown operator "b": {THERE}'),
        ({"a": {"$gt": True}}, "filter.a.$gt: needs a number or a text"),
        ({"a": {"$lte": None}}, "filter.a.$lte: needs a number or a text"),
        ({"a": {"$in": "x"}}, "filter.a.$in: needs a list"),
        ({"a": {"$nin": {"b": 1}}}, "filter.a.$nin: needs a list"),
        ({"a": {"$exists": 1}}, "filter.a.$exists: needs true or false"),
        ({"$and": {"a": 1}}, "filter.$and: needs a list of at least one object"),
        ({"$or": []}, "filter.$or: needs a list of at least one object"),
        ({"$or": [{"a": 1}, 2]}, "filter.$or[1]: needs an object"),
        ({"$not": [{"a": 1}]}, "filter.$not: needs an object"),
        ({"$and": [{}]}, "filter.$and[0]: is empty and would match everything: leave it out or name a key"),
        ({"a": {"$not": {}}}, "filter.a.$not: is empty: name an operator"),
        (
            {"$or": [{"a": 1}, {"b": {"$between": [1, 2]}}]},
            f'filter.$or[1].b.$between: unknown operator "$between": {THERE}',
        ),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(question: dict[str, object], message: str):
    with pytest.raises(Status) as caught:
        parse(struct(question))
    assert caught.value.code.name == "INVALID_ARGUMENT"
    assert str(caught.value) == message
