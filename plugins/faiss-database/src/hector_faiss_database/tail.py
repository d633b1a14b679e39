"""The rows of one log in memory: appended to by the writer, read by anybody up to the count that they were told.

Arrays grow by being copied to larger ones, so that who holds an old one reads on undisturbed.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hector.plugin.v1.database_pb2 import METRIC_COSINE
from hector_faiss_database import flat
from hector_faiss_database.approximate import Approximate
from hector_faiss_database.columns import Columns
from hector_faiss_database.records import Batch, Ids, Settings, hashed

FIRST = 1024
"""Rows that there is room for at first; each time it is used up, twice as many."""


class Tail:
    """A block of rows that grows.

    Attributes:
        vectors: As searched, shape (room, dimension): only the rows below a count told by the writer mean anything.
        keys: Where a row stands in the order of storing, shape (room,).
        norms: The lengths that were divided by, shape (room,).
        ids: By row.
        metadata: By row.
        originals: By row, what was given, where `vectors` times `norms` does not restore it to the bit.
    """

    index: Approximate | None = None  # never: it grows

    def __init__(self, settings: Settings) -> None:
        self._cosine = settings.metric == METRIC_COSINE
        self.vectors = np.empty((FIRST, settings.dimension), dtype=np.float32)
        self.keys = np.empty(FIRST, dtype=np.int64)
        self.norms = np.empty(FIRST)
        self.ids: list[str] = []
        self.metadata: list[bytes] = []
        self.originals: dict[int, bytes] = {}
        self.columns = Columns(self.metadata)
        self._held = 0
        self._rows: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def hold(self, batches: Sequence[tuple[NDArray[np.int64], Batch]]) -> None:
        """Do what is long of appending these next, each with its keys; nothing of it is seen before they are."""
        self._held, at = 0, len(self.ids)
        self._have_room(at + sum(len(batch.ids) for _, batch in batches))
        for keys, batch in batches:
            self._copy(at, keys, batch)
            at += len(batch.ids)
        self._held = at

    def append(self, keys: NDArray[np.int64], batch: Batch) -> None:
        """Add rows behind the last one; ids that are there stand for the new rows from now on."""
        begin, end = len(self.ids), len(self.ids) + len(batch.ids)
        if end > self._held:
            self._have_room(end)
            self._copy(begin, keys, batch)
        self.metadata += batch.metadata
        self.ids += batch.ids
        self._rows.update(zip(batch.ids, range(begin, end), strict=True))

    def find(self, ids: Ids) -> NDArray[np.int64]:
        """The latest row of each id, -1 where there is none."""
        rows = self._rows
        return np.fromiter((rows.get(each, -1) for each in ids), dtype=np.int64, count=len(ids))

    def id(self, row: int) -> str:
        """The id of a row."""
        return self.ids[row]

    def texts(self, name: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """The `ids` or the `metadata` of rows: their lengths, and all of them one behind the other."""
        if name == "ids":
            texts = [self.ids[row].encode() for row in rows.tolist()]
        else:
            texts = [self.metadata[row] for row in rows.tolist()]
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        return lengths, np.frombuffer(b"".join(texts), dtype=np.uint8)

    def hashes(self, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The hashes of the ids of rows."""
        return hashed([self.ids[row].encode() for row in rows.tolist()])

    def kept(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The places in `rows` whose vectors were kept as they were given, and those vectors."""
        places = [place for place, row in enumerate(rows.tolist()) if row in self.originals] if self.originals else []
        data = b"".join(self.originals[int(rows[place])] for place in places)
        vectors = np.frombuffer(data, dtype=np.float32).reshape(-1, self.vectors.shape[1])
        return np.array(places, dtype=np.int64), vectors

    def original(self, row: int) -> NDArray[np.float32]:
        """The vector of a row as it was given."""
        kept = self.originals.get(row)
        if kept is not None:
            return np.frombuffer(kept, dtype=np.float32)
        vector: NDArray[np.float32] = restored(self.vectors[row : row + 1], self.norms[row : row + 1])[0]
        return vector

    def _copy(self, begin: int, keys: NDArray[np.int64], batch: Batch) -> None:
        end = begin + len(batch.ids)
        length = flat.lengths(batch.vectors) if self._cosine else np.ones(len(batch.ids))
        vectors = flat.unit(batch.vectors, length)
        self.vectors[begin:end] = vectors
        self.norms[begin:end] = length
        self.keys[begin:end] = keys
        if vectors is not batch.vectors:
            lost = (restored(vectors, length) != batch.vectors).any(axis=1)
            for row in np.flatnonzero(lost).tolist():
                self.originals[begin + row] = batch.vectors[row].tobytes()

    def _have_room(self, needed: int) -> None:
        if needed <= len(self.keys):
            return
        room = max(needed, 2 * len(self.keys))
        for name in ("vectors", "keys", "norms"):
            old = getattr(self, name)
            new = np.empty((room, *old.shape[1:]), dtype=old.dtype)
            new[: len(self.ids)] = old[: len(self.ids)]
            setattr(self, name, new)


def restored(vectors: NDArray[np.float32], length: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows of length 1 as long as they were."""
    if (length == 1).all():
        return vectors
    return (vectors * length[:, None]).astype(np.float32)
