"""Indexes are made behind the calls, told, kept beside their segments, and made again when they do not fit."""

import time
from pathlib import Path

import numpy as np
import pytest

from hector.plugin.v1 import database_pb2 as pb
from hector_faiss_database.engine import Engine
from hector_faiss_database.options import Options
from hector_faiss_database.records import Batch, Ids, Settings
from hector_faiss_database.service import Service
from hector_sdk.vectors import SearchRequest

DIMENSION, ROWS = 16, 3000
HNSW = Options(index="hnsw", index_from=1000)


@pytest.fixture(scope="module")
def vectors():
    return np.random.default_rng(2).standard_normal((ROWS, DIMENSION)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path, vectors) -> Path:
    """A directory with one segment and some rows in the log."""
    engine = Engine(tmp_path, Options())
    engine.create(Settings("c", DIMENSION, pb.METRIC_COSINE)).result()
    collection = engine.collection("c")
    engine.put(collection, Batch(Ids(map(str, range(2900))), vectors[:2900], [b""] * 2900)).result()
    with engine.turn:
        engine._rotate()
    engine.put(collection, Batch(Ids(map(str, range(2900, ROWS))), vectors[2900:], [b""] * 100)).result()
    _until(lambda: bool(collection.segments))
    engine.close()
    return tmp_path


def _until(done) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ready(folder: Path, options: Options) -> Service:
    """The database, once nothing is built any more."""
    service = Service(folder, options)
    _until(lambda: service.collections().collections[0].index.state == pb.INDEX_STATE_READY)
    return service


def nearest(service: Service, vector, *, exact: bool) -> list[str]:
    request = pb.SearchVectorsRequest(collection="c", vector=vector, limit=10, exact=exact)
    return [vector_id for vector_id, _, _ in service.search(SearchRequest(request.SerializeToString())).results]


@pytest.mark.parametrize("options", [HNSW, Options(index="ivf", index_from=1000, ivf_lists=20, ivf_probes=15)])
def test_it_finds_most_and_exact_search_finds_all(folder: Path, vectors, options: Options):
    service = ready(folder, options)
    told = service.collections().collections[0].index
    assert (told.kind, told.vectors) == (options.index, 2900)
    assert 0.8 < told.recall <= 1
    lengths = np.linalg.norm(vectors, axis=1)
    shares = []
    for row in range(2880, 2920):
        expected = {str(each) for each in np.argsort(-(vectors @ vectors[row]) / lengths)[:10]}
        assert set(nearest(service, vectors[row], exact=True)) == expected
        shares.append(len(expected & set(nearest(service, vectors[row], exact=False))) / 10)
    service.close()
    assert np.mean(shares) > 0.8


def test_its_file_serves_the_next_start_as_long_as_it_fits(folder: Path):
    ready(folder, HNSW).close()
    (path,) = folder.glob("index-*")
    first = path.stat().st_ino, path.read_bytes()
    ready(folder, HNSW).close()
    assert path.stat().st_ino == first[0]
    path.write_bytes(first[1][:-100])
    ready(folder, HNSW).close()
    assert len(path.read_bytes()) == len(first[1])
    service = ready(folder, Options(index="ivf", index_from=1000))
    assert service.collections().collections[0].index.kind == "ivf"
    service.close()


def test_a_snapshot_takes_it_along(folder: Path, tmp_path: Path):
    service = ready(folder, HNSW)
    copy = tmp_path / "copy"
    service.snapshot(pb.CreateSnapshotRequest(folder=str(copy))).result()
    service.close()
    (path,) = copy.glob("index-*")
    inode = path.stat().st_ino
    ready(copy, HNSW).close()
    assert path.stat().st_ino == inode


def test_what_is_deleted_is_not_found(folder: Path, vectors):
    service = ready(folder, HNSW)
    gone = nearest(service, vectors[5], exact=True)
    service.remove(pb.DeleteVectorsRequest(collection="c", ids=gone)).result()
    assert not set(gone) & set(nearest(service, vectors[5], exact=False))
    service.close()
