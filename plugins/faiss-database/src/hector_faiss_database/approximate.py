"""Approximate nearest neighbours in one segment: an index of FAISS over 8-bit copies of its rows.

It only proposes: what it finds is compared again with the rows themselves, so that scores are exact and recall is that
of more candidates. HNSW is Malkov and Yashunin 2016; IVF is an inverted file over k-means clusters. With the inner
product as metric (no distance) graphs may be less good; the recall that was measured says how good.

A file is FAISS's own, with a description and a checksum behind it: it is never read unless it is what was written.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import struct
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from hector.plugin.v1.database_pb2 import METRIC_L2, Metric
from hector_faiss_database import disk, flat

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from numpy.typing import NDArray

    from hector_faiss_database.options import Options

SLICE = 2000
"""Rows that are added at a time: between two slices it can be told to stop."""
WIDER = 2
"""Candidates for each result: 8 bits put neighbours in a slightly wrong order."""
MOST = 1000
"""Results from which on comparing with every row is as good."""
FEW = 20
"""A filter that keeps less than one row of so many is answered by comparing those."""
SAMPLE = 64
"""Rows whose ten nearest are looked for to measure recall."""
NEAREST = 10
TRAILER = struct.Struct("<QQ4s")
MAGIC = b"HVI1"


class Stopped(Exception):  # noqa: N818 - it says what happened
    """It is not wanted any more."""


@dataclass(frozen=True)
class Recipe:
    """What an index is made by; another recipe, another index."""

    kind: str
    metric: int
    rows: int
    m: int = 0
    ef_construction: int = 0
    lists: int = 0


class Approximate:
    """An index over the rows of one segment.

    Attributes:
        recall: The share of the ten nearest that it finds, as measured.
    """

    def __init__(self, index: Any, recipe: Recipe, options: Options, recall: float = 0.0) -> None:
        self.recipe = recipe
        self.recall = recall
        self._index = index
        self._ef = options.hnsw_ef_search
        self._probes = options.ivf_probes or max(1, recipe.lists // 16)

    def search(
        self,
        query: NDArray[np.float32],
        limit: int,
        alive: NDArray[np.bool_] | None,
        rows: NDArray[np.int64] | None,
    ) -> NDArray[np.int64] | None:
        """Rows worth to be compared, more than `limit` where there are; None: every row that may be found is.

        Args:
            query: As `flat.search` takes it.
            alive: As there, as are `rows`.
        """
        if limit > MOST or (rows is not None and len(rows) * FEW < self.recipe.rows):
            return None
        wanted = min(WIDER * limit + NEAREST, self.recipe.rows)
        share, selector = 1.0, None
        if rows is not None or alive is not None:
            mask = np.ones(self.recipe.rows, dtype=np.bool_) if alive is None else alive
            if rows is not None:
                chosen = np.zeros(self.recipe.rows, dtype=np.bool_)
                chosen[rows] = True
                mask = mask & chosen
            share = max(float(np.count_nonzero(mask)) / self.recipe.rows, 1 / FEW)
            selector = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))  # type: ignore[call-arg, arg-type]
        faiss.omp_set_num_threads(1)  # of the calling thread
        _, found = self._index.search(query[None], wanted, params=self._parameters(wanted, share, selector))
        proposed: NDArray[np.int64] = found[0][found[0] >= 0]
        return proposed if len(proposed) >= limit else None

    def save(self, path: Path) -> None:
        """Write it aside and give it its name."""
        aside = path.with_name(path.name + ".new")
        try:
            faiss.write_index(self._index, str(aside))
            told = json.dumps(asdict(self.recipe) | {"recall": self.recall}).encode()
            with aside.open("r+b", buffering=0) as file:
                end = file.seek(0, os.SEEK_END) + len(told)
                file.write(told)
                file.write(TRAILER.pack(len(told), _checksum(aside, end), MAGIC))
                os.fsync(file.fileno())
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        disk.sync_folder(path.parent)

    def _parameters(self, wanted: int, share: float, selector: Any) -> Any:
        """The fewer rows may be found, the more are looked at."""
        if self.recipe.kind == "hnsw":
            effort = math.ceil(max(self._ef, 2 * wanted) / share)
            return faiss.SearchParametersHNSW(efSearch=effort, sel=selector)  # type: ignore[attr-defined]  # as above
        probes = min(self.recipe.lists, math.ceil(self._probes / share))
        return faiss.SearchParametersIVF(nprobe=probes, sel=selector)  # type: ignore[call-arg]


def recipe(options: Options, metric: Metric, rows: int) -> Recipe:
    """What an index over so many rows is made by."""
    if options.index == "hnsw":
        return Recipe("hnsw", int(metric), rows, m=options.hnsw_m, ef_construction=options.hnsw_ef_construction)
    lists = options.ivf_lists or round(4 * math.sqrt(rows))
    return Recipe("ivf", int(metric), rows, lists=max(1, min(lists, rows // 39)))  # FAISS wants 39 rows for each


def load(path: Path, wanted: Recipe, options: Options) -> Approximate | None:
    """The index of a file; None where there is none, or it is another one, or damaged."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - TRAILER.size))
            length, told, magic = TRAILER.unpack(file.read())
            end = size - TRAILER.size
            if magic != MAGIC or length > end or _checksum(path, end) != told:
                return None
            file.seek(end - length)
            description = json.loads(file.read(length))
    except (OSError, struct.error, ValueError):
        return None
    recall = float(description.pop("recall"))
    if description != asdict(wanted):
        return None
    return Approximate(faiss.read_index(str(path)), wanted, options, recall)


def build(
    wanted: Recipe, vectors: NDArray[np.float32], options: Options, stop: threading.Event, threads: int
) -> Approximate:
    """Make an index over all rows; one slice of them takes part of a second.

    Args:
        wanted: For so many rows as there are.
        vectors: Shape (rows, dimension), as searched.
        stop: Raises Stopped once it is set.
        threads: That work on it.
    """
    dimension = vectors.shape[1]
    metric = faiss.METRIC_L2 if wanted.metric == METRIC_L2 else faiss.METRIC_INNER_PRODUCT
    faiss.omp_set_num_threads(threads)  # of the calling thread
    if wanted.kind == "hnsw":
        index: Any = faiss.IndexHNSWSQ(dimension, faiss.ScalarQuantizer.QT_8bit, wanted.m, metric)  # type: ignore[arg-type]
        index.hnsw.efConstruction = wanted.ef_construction
    else:
        coarse = faiss.IndexFlat(dimension, metric)
        index = faiss.IndexIVFScalarQuantizer(coarse, dimension, wanted.lists, faiss.ScalarQuantizer.QT_8bit, metric)
    index.train(_sample(vectors, max(256, 40 * wanted.lists)))
    for begin in range(0, len(vectors), SLICE):
        if stop.is_set():
            raise Stopped
        index.add(np.ascontiguousarray(vectors[begin : begin + SLICE]))
    made = Approximate(index, wanted, options)
    made.recall = _recall(made, vectors)
    return made


def _sample(vectors: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    if len(vectors) <= most:
        return np.ascontiguousarray(vectors)
    rows = np.random.default_rng(0).choice(len(vectors), most, replace=False)
    return vectors[np.sort(rows)]


def _recall(index: Approximate, vectors: NDArray[np.float32]) -> float:
    """Of some rows, the share of their ten nearest others that is found."""
    metric: Metric = index.recipe.metric  # type: ignore[assignment]
    count = min(SAMPLE, len(vectors))
    nearest = min(NEAREST, len(vectors) - 1)
    hits = 0
    for row in np.random.default_rng(1).choice(len(vectors), count, replace=False).tolist():
        query = np.ascontiguousarray(vectors[row])
        exact, _ = flat.search(vectors, query, nearest + 1, metric)
        proposed = index.search(query, nearest + 1, None, None)
        found = exact if proposed is None else flat.exact(vectors, query, proposed, metric)[0][: nearest + 1]
        hits += len(np.intersect1d(exact[exact != row][:nearest], found[found != row]))
    return hits / max(1, count * nearest)


def _checksum(path: Path, size: int) -> int:
    """Of the first `size` bytes of a file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as data:
        view = memoryview(data)
        try:
            return disk.checksum(view)
        finally:
            view.release()
