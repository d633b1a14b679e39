"""Exact nearest neighbours in a matrix that somebody else owns: rows in, the best of them and their scores out. Pure.

Scores follow the contract: cosine (of rows and a query of length 1), inner product, or minus the Euclidean distance.
What may be found is said by a mask of living rows, and by a sorted array of those that a filter keeps: few are gathered
and compared alone, so that a filter costs what it keeps; many are selected by FAISS while it passes over all.
"""

import faiss
import numpy as np
from numpy.typing import NDArray

from hector.plugin.v1.database_pb2 import METRIC_COSINE, METRIC_L2, Metric

FEW = 32
"""Rows are gathered where they are less than one of so many: copying one costs as much as passing over that many."""

UNIT = 4e-6
"""By which the squared length of a vector may differ from 1 and count as 1: what float32 leaves of normalising."""

Found = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Rows, best first, and their scores."""


def lengths(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """The lengths of rows, shape (n,); exactly 1 for those that are 1 but for rounding."""
    squares = np.einsum("ij,ij->i", vectors, vectors)
    exact = np.abs(squares - 1) > UNIT
    result = np.ones(len(vectors))
    if exact.any():  # float64, because the squares of float32 can overflow
        result[exact] = np.linalg.norm(vectors[exact].astype(np.float64), axis=1)
    return result


def unit(vectors: NDArray[np.float32], length: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows made as long as 1, with their lengths given; zeros stay."""
    if (length == 1).all():
        return vectors
    return (vectors / np.where(length == 0, 1, length)[:, None]).astype(np.float32)


def search(  # noqa: PLR0913, PLR0917 - what a search is
    vectors: NDArray[np.float32],
    query: NDArray[np.float32],
    limit: int,
    metric: Metric,
    alive: NDArray[np.bool_] | None = None,
    rows: NDArray[np.int64] | None = None,
) -> Found:
    """At most `limit` best rows.

    Args:
        vectors: Shape (n, dimension), contiguous; of length 1 for cosine.
        query: Shape (dimension,), of length 1 for cosine.
        alive: Which rows may be found, shape (n,). None: all.
        rows: Only these, rising. None: all.
    """
    if rows is not None and alive is not None:
        rows = rows[alive[rows]]
    if rows is not None and len(rows) * FEW < len(vectors):
        found, scores = _best(_compared(vectors[rows], query, metric), limit)
        return rows[found], scores
    if rows is not None:
        mask = np.zeros(len(vectors), dtype=np.bool_)
        mask[rows] = True
        return _selected(vectors, query, min(limit, len(rows)), metric, mask)
    scores = _compared(vectors, query, metric)
    if alive is not None:
        scores[~alive] = -np.inf
    found, best = _best(scores, limit if alive is None else min(limit, int(np.count_nonzero(alive))))
    return found, best


def exact(vectors: NDArray[np.float32], query: NDArray[np.float32], rows: NDArray[np.int64], metric: Metric) -> Found:
    """These rows, best first, with their exact scores."""
    order, scores = _best(_compared(vectors[rows], query, metric), len(rows))
    return rows[order], scores


def _compared(vectors: NDArray[np.float32], query: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    if metric == METRIC_L2:
        distances = np.empty(len(vectors), dtype=np.float32)
        if len(vectors):
            _each_distance(vectors, query, distances)
        return np.negative(np.sqrt(distances))
    scores: NDArray[np.float32] = vectors @ query
    return np.clip(scores, -1, 1, out=scores) if metric == METRIC_COSINE else scores


def _each_distance(vectors: NDArray[np.float32], query: NDArray[np.float32], distances: NDArray[np.float32]) -> None:
    """Squared distances by FAISS: the shorter way by inner products loses what is small beside the lengths."""
    pointers = (faiss.swig_ptr(array) for array in (distances, query, vectors))
    faiss.fvec_L2sqr_ny(*pointers, vectors.shape[1], len(vectors))  # type: ignore[attr-defined]  # the stubs lack it


def _best(scores: NDArray[np.float32], limit: int) -> Found:
    """The places of the highest scores, highest first, the first of equals first."""
    if limit < len(scores):
        bound = scores[np.argpartition(scores, len(scores) - limit)[len(scores) - limit :]].min() if limit else np.inf
        places = np.flatnonzero(scores >= bound)
    else:
        places = np.arange(len(scores))
    places = places[np.argsort(-scores[places], kind="stable")][:limit]
    return places, scores[places]


def _selected(
    vectors: NDArray[np.float32], query: NDArray[np.float32], limit: int, metric: Metric, mask: NDArray[np.bool_]
) -> Found:
    """By FAISS, which passes over what the mask leaves out."""
    if not limit:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    found, scores = np.empty(limit, dtype=np.int64), np.empty(limit, dtype=np.float32)
    bitmap = np.packbits(mask, bitorder="little")
    selector = faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type]  # the stubs lack FAISS's wrappers
    compare = faiss.knn_L2sqr if metric == METRIC_L2 else faiss.knn_inner_product
    faiss.omp_set_num_threads(1)  # of the calling thread: one query is no work to share
    point = faiss.swig_ptr
    compare(
        point(query),
        point(vectors),
        vectors.shape[1],
        1,
        len(vectors),
        limit,
        point(scores),
        point(found),
        *((None, selector) if metric == METRIC_L2 else (selector,)),
    )
    if metric == METRIC_L2:
        scores = np.negative(np.sqrt(scores))
    elif metric == METRIC_COSINE:
        np.clip(scores, -1, 1, out=scores)
    return found, scores
