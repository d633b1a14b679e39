"""Exact nearest neighbours by FAISS over numbered slots: a slot is overwritten in place, a new one is added at the end.

Scores follow the contract: cosine (vectors are normalised here, a zero vector scores 0), inner product, or minus the
Euclidean distance (FAISS gives its square). Exact with a mask too: FAISS passes over the slots that it leaves out.
"""

import faiss
import numpy as np
from numpy.typing import NDArray

from hector.plugin.v1.database_pb2 import METRIC_COSINE, METRIC_L2, Metric
from hector_faiss_database.records import Settings


class Flat:
    """The vectors of one collection. Changes need a caller that lets no reader in meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self._metric: Metric = settings.metric
        distance = faiss.METRIC_L2 if settings.metric == METRIC_L2 else faiss.METRIC_INNER_PRODUCT
        self._index = faiss.IndexFlat(settings.dimension, distance)

    def prepared(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Vectors, shape (n, dimension), as `put` and `search` take them: contiguous, for cosine of length 1."""
        if self._metric != METRIC_COSINE:
            return np.ascontiguousarray(vectors)
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)  # squares of float32 can overflow
        return np.ascontiguousarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)

    def put(self, slots: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Set the slots' vectors, shape (n, dimension), prepared. New slots follow the last one without gaps."""
        count = self._index.ntotal
        old = slots < count
        if old.any():
            kept = faiss.rev_swig_ptr(self._index.get_xb(), count * self._index.d).reshape(count, self._index.d)
            kept[slots[old]] = vectors[old]
        if not old.all():
            self._index.add(vectors[~old])

    def search(
        self, vector: NDArray[np.float32], limit: int, mask: NDArray[np.bool_] | None
    ) -> tuple[list[int], list[float]]:
        """At most limit best slots in the mask and their scores, best first; `vector` has shape (1, dimension)."""
        if not self._index.ntotal:
            return [], []  # FAISS refuses to be asked for nothing
        parameters = None
        if mask is not None:
            selector = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))  # type: ignore[call-arg, arg-type]
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # the stubs lack FAISS's wrappers
        faiss.omp_set_num_threads(
            1
        )  # of the calling thread: one vector is no work to share, waiting for others costs more
        distances, slots = self._index.search(vector, min(limit, self._index.ntotal), params=parameters)
        found = slots[0] >= 0
        return slots[0][found].tolist(), self._scores(distances[0][found]).tolist()

    def _scores(self, distances: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._metric == METRIC_COSINE:
            return np.clip(distances, -1, 1)  # rounding leaves 1.0000001
        if self._metric == METRIC_L2:
            return -np.sqrt(np.maximum(distances, 0))
        return distances
