"""A collection as searches see it: vectors, ids and metadata in memory, all changed together or not at all.

Every vector lives in a slot; a deleted one leaves its slot to the next that comes. Readers share a latch and see each
batch whole; a writer holds it only to copy a batch in, when the batch is on disk already.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hector_faiss_database.columns import Columns
from hector_faiss_database.filters import Condition
from hector_faiss_database.flat import Flat
from hector_faiss_database.latch import Latch
from hector_faiss_database.records import Batch, Hit, Settings

FREE = -1  # as a key: nobody lives in this slot


class Collection:
    """Safe to read from any thread; one thread writes."""

    def __init__(self, number: int, settings: Settings) -> None:
        self.number = number
        self.settings = settings
        self._latch = Latch()
        self._flat = Flat(settings)
        self._columns = Columns()
        self._ids: list[str] = []
        self._keys = np.empty(0, dtype=np.int64)
        self._slots: dict[str, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._slots)

    def key(self, vector_id: str) -> int | None:
        """The key under which the vector is stored; for the writing thread."""
        slot = self._slots.get(vector_id)
        return None if slot is None else int(self._keys[slot])

    def put(self, keys: Sequence[int], batch: Batch) -> None:
        """Add the vectors or replace those of the same id."""
        vectors = self._flat.prepared(batch.vectors)
        with self._latch.exclusive():
            slots = np.fromiter(map(self._slot, batch.ids), dtype=np.int64, count=len(batch.ids))
            self._keys = np.append(self._keys, np.full(len(self._ids) - len(self._keys), FREE, dtype=np.int64))
            self._keys[slots] = keys
            self._flat.put(slots, vectors)
            for slot, metadata in zip(slots.tolist(), batch.metadata, strict=True):
                self._columns.put(slot, metadata)

    def remove(self, ids: Sequence[str]) -> None:
        """Forget these vectors, each of which is there."""
        with self._latch.exclusive():
            for vector_id in ids:
                slot = self._slots.pop(vector_id)
                self._columns.put(slot, b"")
                self._ids[slot] = ""
                self._keys[slot] = FREE
                self._free.append(slot)

    def search(
        self, vector: NDArray[np.float32], limit: int, threshold: float | None, condition: Condition | None
    ) -> list[Hit]:
        """The best vectors, best first, equal scores in the order of storing; `vector` has shape (dimension,)."""
        prepared = self._flat.prepared(vector.reshape(1, -1))
        with self._latch.shared():
            found = zip(*self._flat.search(prepared, limit, self._mask(condition)), strict=True)
            best = sorted(found, key=lambda hit: (-hit[1], self._keys[hit[0]]))
            return [
                Hit(self._ids[slot], score, self._columns[slot])
                for slot, score in best
                if threshold is None or score >= threshold
            ]

    def matching(self, condition: Condition) -> list[str]:
        """The ids of the vectors whose metadata the condition holds for."""
        with self._latch.shared():
            return [self._ids[slot] for slot in np.flatnonzero(self._living() & condition.mask(self._columns)).tolist()]

    def page(self, ids: Sequence[str], condition: Condition | None, after: int, limit: int) -> list[int]:
        """The next keys in the order of storing: at most limit, after `after`, of these ids (none given: of all)."""
        with self._latch.shared():
            mask = self._living()
            if ids:
                chosen = np.zeros_like(mask)
                chosen[[self._slots[vector_id] for vector_id in ids if vector_id in self._slots]] = True
                mask &= chosen
            if condition is not None:
                mask &= condition.mask(self._columns)
            keys = self._keys[mask]
        later = np.sort(keys[keys > after])
        return [int(key) for key in later[:limit]]

    def _slot(self, vector_id: str) -> int:
        """The slot in which the id lives from now on: its own, a free one or a new one."""
        slot = self._slots.get(vector_id)
        if slot is None:
            if self._free:
                slot = self._free.pop()
                self._ids[slot] = vector_id
            else:
                slot = len(self._ids)
                self._ids.append(vector_id)
            self._slots[vector_id] = slot
        return slot

    def _mask(self, condition: Condition | None) -> NDArray[np.bool_] | None:
        if condition is not None:
            return self._living() & condition.mask(self._columns)
        return self._living() if self._free else None

    def _living(self) -> NDArray[np.bool_]:
        living: NDArray[np.bool_] = self._keys != FREE
        return living
