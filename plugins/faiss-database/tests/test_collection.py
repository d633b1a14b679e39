"""A collection against plain numpy, through a long random history of changes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hector.plugin.v1.database_pb2 import METRIC_COSINE, METRIC_DOT, METRIC_L2, Metric
from hector_faiss_database.collection import Collection
from hector_faiss_database.filters import parse
from hector_faiss_database.records import Batch, Ids, Settings
from hector_sdk.values import struct

DIMENSION = 7


def scores(metric: Metric, vector: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    vector, others = vector.astype(np.float64), others.astype(np.float64)
    if metric == METRIC_L2:
        return -np.linalg.norm(others - vector, axis=1)
    if metric == METRIC_DOT:
        return others @ vector
    return others @ vector / np.linalg.norm(others, axis=1) / np.linalg.norm(vector)


@pytest.mark.parametrize("metric", [METRIC_COSINE, METRIC_DOT, METRIC_L2])
def test_it_equals_numpy_after_any_history(metric: Metric):
    random = np.random.default_rng(metric)
    collection = Collection(1, Settings("c", DIMENSION, metric))
    model: dict[str, tuple[NDArray[np.float32], int]] = {}
    next_key = 1
    for _ in range(40):
        ids = [str(each) for each in random.choice(60, size=random.integers(1, 20), replace=False)]
        if random.random() < 0.4:
            ids = [each for each in ids if each in model]
            assert collection.remove(Ids(ids)) == len(ids)
            for each in ids:
                del model[each]
            continue
        vectors = random.standard_normal((len(ids), DIMENSION)).astype(np.float32)
        groups = random.integers(0, 3, len(ids)).tolist()
        keys = collection.keys(Ids(ids))
        fresh = keys < 0
        keys[fresh] = np.arange(next_key, next_key + fresh.sum())
        next_key += len(ids)
        metadata = [struct({"group": group}).SerializeToString() for group in groups]
        collection.put(keys, Batch(Ids(ids), vectors, metadata))
        model |= {each: (vector, group) for each, vector, group in zip(ids, vectors, groups, strict=True)}
        if random.random() < 0.2:
            collection.freeze()  # what follows is in a block of its own
        agrees(collection, model, metric, random)
    assert len(collection) == len(model) > 10


def agrees(collection, model, metric, random) -> None:
    query = random.standard_normal(DIMENSION).astype(np.float32)
    for group in (None, 1):
        chosen = {each: vector for each, (vector, own) in model.items() if group in (None, own)}
        condition = None if group is None else parse(struct({"group": group}))
        hits = collection.search(query, 5, None, condition)
        expected = sorted(scores(metric, query, np.array(list(chosen.values()) or np.empty((0, DIMENSION)))))[::-1][:5]
        assert [hit.score for hit in hits] == pytest.approx(expected, abs=1e-5)
        for hit in hits:
            (own,) = scores(metric, query, chosen[hit.id][None])
            assert hit.score == pytest.approx(own, abs=1e-5)


def filled(metric: Metric, vectors: list[list[float]]) -> Collection:
    collection = Collection(1, Settings("c", len(vectors[0]), metric))
    ids = [str(index) for index in range(len(vectors))]
    batch = Batch(Ids(ids), np.array(vectors, dtype=np.float32), [b""] * len(ids))
    collection.put(np.arange(1, len(ids) + 1), batch)
    return collection


def found(collection: Collection, vector: list[float], threshold: float | None = None) -> list[tuple[str, float]]:
    return [(hit.id, hit.score) for hit in collection.search(np.array(vector, dtype=np.float32), 10, threshold, None)]


def test_the_cosine_of_equal_directions_is_never_above_one():
    collection = filled(METRIC_COSINE, [[0.1 * n, 0.7 * n, 0.3 * n] for n in range(1, 50)])
    assert max(score for _, score in found(collection, [0.1, 0.7, 0.3])) <= 1


def test_a_zero_vector_scores_zero():
    assert found(filled(METRIC_COSINE, [[0, 0], [1, 0]]), [1, 0]) == [("1", 1), ("0", 0)]


def test_lengths_that_overflow_a_float_are_still_normalised():
    ((_, score),) = found(filled(METRIC_COSINE, [[3e38, 3e38]]), [1, 1])
    assert score == pytest.approx(1)


def test_the_score_of_l2_is_minus_the_distance():
    assert found(filled(METRIC_L2, [[3, 4], [0, 1]]), [0, 0]) == [("1", -1), ("0", -5)]


def test_equal_scores_come_in_the_order_of_storing():
    assert [each for each, _ in found(filled(METRIC_DOT, [[1, 0]] * 5), [1, 0])] == ["0", "1", "2", "3", "4"]


def test_the_threshold_keeps_its_own_score():
    collection = filled(METRIC_DOT, [[0.3, 0], [0.29, 0]])
    assert [each for each, _ in found(collection, [1, 0], float(np.float32(0.3)))] == ["0"]
    l2 = filled(METRIC_L2, [[1, 0], [2, 0]])
    assert found(l2, [0, 0], -1.5) == [("0", -1)]


def test_an_empty_collection_finds_nothing():
    assert Collection(1, Settings("c", 2, METRIC_COSINE)).search(np.ones(2, dtype=np.float32), 3, None, None) == []
