"""Indexes that approximate: what they find beside exact search, and what becomes of their files."""

import threading
from pathlib import Path

import numpy as np
import pytest

from hector.plugin.v1.database_pb2 import METRIC_COSINE, METRIC_DOT, METRIC_L2
from hector_faiss_database import approximate, flat
from hector_faiss_database.options import Options

ROWS, DIMENSION = 3000, 16


@pytest.fixture(scope="module")
def vectors():
    """Clusters, as meanings are."""
    random = np.random.default_rng(5)
    centres = random.standard_normal((40, DIMENSION))
    made = centres[random.integers(0, 40, ROWS)] + 0.4 * random.standard_normal((ROWS, DIMENSION))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def built(vectors, metric=METRIC_COSINE, **options):
    told = Options(**options)
    wanted = approximate.recipe(told, metric, len(vectors))
    return approximate.build(wanted, vectors, told, threading.Event(), 1)


@pytest.mark.parametrize("metric", [METRIC_COSINE, METRIC_DOT, METRIC_L2])
@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_most_of_the_nearest_are_found_and_the_recall_says_so(vectors, metric, kind):
    index = built(vectors, metric, index=kind)
    shares = []
    for query in vectors[:50] + np.float32(0.01):
        exact, _ = flat.search(vectors, query, 10, metric)
        proposed = index.search(query, 10, None, None)
        found, _ = flat.exact(vectors, query, proposed, metric)
        shares.append(len(set(exact.tolist()) & set(found[:10].tolist())) / 10)
    assert np.mean(shares) > 0.9
    assert abs(index.recall - np.mean(shares)) < 0.1
    assert index.recall <= 1


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_only_rows_that_may_be_found_are_proposed(vectors, kind):
    index = built(vectors, index=kind)
    alive = np.arange(ROWS) % 2 == 0
    rows = np.flatnonzero(np.arange(ROWS) % 3 == 0)
    proposed = index.search(vectors[1], 10, alive, rows)
    assert len(proposed) >= 10
    assert (proposed % 6 == 0).all()


@pytest.mark.parametrize(("limit", "rows"), [(approximate.MOST + 1, None), (10, np.arange(ROWS // 100)), (2000, None)])
def test_what_is_better_done_exactly_is_left_to_exact_search(vectors, limit, rows):
    assert built(vectors, index="hnsw").search(vectors[0], limit, None, rows) is None


def test_where_too_few_are_found_exact_search_goes_on(vectors):
    alive = np.zeros(ROWS, dtype=np.bool_)
    alive[7] = True
    assert built(vectors, index="hnsw").search(vectors[0], 10, alive, None) is None


def test_a_file_is_read_again_only_as_it_was_written(vectors, tmp_path: Path):
    options, path = Options(index="hnsw"), tmp_path / "index-1"
    index = built(vectors, index="hnsw")
    index.save(path)
    wanted = index.recipe
    again = approximate.load(path, wanted, options)
    assert again.recall == index.recall
    assert again.search(vectors[3], 5, None, None).tolist() == index.search(vectors[3], 5, None, None).tolist()
    assert (
        approximate.load(path, approximate.recipe(Options(index="hnsw", hnsw_m=8), METRIC_COSINE, ROWS), options)
        is None
    )
    content = bytearray(path.read_bytes())
    for at in (0, 100, len(content) // 2, len(content) - 30, len(content) - 1):
        damaged = content.copy()
        damaged[at] ^= 0xFF
        path.write_bytes(damaged)
        assert approximate.load(path, wanted, options) is None
    for size in (0, 10, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        assert approximate.load(path, wanted, options) is None
    path.unlink()
    assert approximate.load(path, wanted, options) is None


def test_it_stops_between_two_slices(vectors):
    stop = threading.Event()
    stop.set()
    options = Options(index="hnsw")
    with pytest.raises(approximate.Stopped):
        approximate.build(approximate.recipe(options, METRIC_COSINE, ROWS), vectors, options, stop, 1)
