"""A collection as searches see it: parts, each a block of rows of which some are dead, all replaced in one step.

One thread changes it. It never changes what a reader may hold: a block only grows behind the count that its part
names, and a mask of living rows is copied before it changes. So readers wait for nobody and see each batch whole or not
at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hector.plugin.v1.database_pb2 import METRIC_COSINE
from hector_faiss_database import flat
from hector_faiss_database.columns import Rows
from hector_faiss_database.filters import Condition
from hector_faiss_database.records import Batch, Hit, Ids, Settings, Stored
from hector_faiss_database.segment import Segment
from hector_faiss_database.tail import Tail


@dataclass(frozen=True)
class Part:
    """The first `count` rows of a block, of which those are there that are alive (None: all)."""

    block: Tail | Segment
    count: int
    alive: NDArray[np.bool_] | None = None

    @property
    def living(self) -> int:
        """How many rows are there."""
        return self.count if self.alive is None else int(np.count_nonzero(self.alive))

    def rows(self, condition: Condition | None = None) -> Rows:
        """The rows that are there, and fulfil a condition."""
        if condition is None:
            return np.arange(self.count) if self.alive is None else np.flatnonzero(self.alive)
        rows = condition.rows(self.block.columns, self.count)
        return rows if self.alive is None else rows[self.alive[rows]]

    def find(self, ids: Ids) -> NDArray[np.int64]:
        """The row of each id, -1 where it is not there, -2 where it is among rows that came later."""
        rows = self.block.find(ids)
        rows[rows >= self.count] = -2
        if self.alive is not None:
            known = rows >= 0
            rows[known] = np.where(self.alive[rows[known]], rows[known], -1)
        return rows

    def without(self, rows: NDArray[np.int64]) -> "Part":
        """The same part, these rows dead."""
        alive = np.ones(self.count, dtype=np.bool_) if self.alive is None else self.alive.copy()
        alive[rows] = False
        return replace(self, alive=alive)

    def search(
        self, query: NDArray[np.float32], limit: int, settings: Settings, condition: Condition | None, *, exact: bool
    ) -> flat.Found:
        """The best rows and their scores."""
        rows = None if condition is None else condition.rows(self.block.columns, self.count)
        index = None if exact else self.block.index
        if index is not None:
            found = index.search(query, limit, self.alive, rows)
            if found is not None:
                order, scores = flat.exact(self.block.vectors, query, found, settings.metric)
                return order[:limit], scores[:limit]
        return flat.search(self.block.vectors[: self.count], query, limit, settings.metric, self.alive, rows)


class Collection:
    """Safe to read from any thread; one thread writes.

    Attributes:
        parts: Never changed, only replaced.
        size: How many vectors are there.
        damage: What is wrong with its files; empty while nothing is known to be.
    """

    def __init__(self, number: int, settings: Settings, parts: Sequence[Part] = ()) -> None:
        self.number = number
        self.settings = settings
        self.parts = tuple(parts)
        self.size = sum(part.living for part in parts)
        self.damage = ""
        self._tail: Tail | None = None

    def __len__(self) -> int:
        return self.size

    @property
    def segments(self) -> list[Segment]:
        """The blocks that are files."""
        return [part.block for part in self.parts if isinstance(part.block, Segment)]

    def keys(self, ids: Ids) -> NDArray[np.int64]:
        """Where each id stands in the order of storing, -1 where it is not there. For the writer."""
        keys = np.full(len(ids), -1, dtype=np.int64)
        for part in self.parts:
            rows = part.find(ids)
            known = rows >= 0
            keys[known] = part.block.keys[rows[known]]
        return keys

    def hold(self, batches: Sequence[tuple[NDArray[np.int64], Batch]]) -> None:
        """Do what is long of putting these next, one after the other; nothing of it is seen. For the writer."""
        self._growing().hold(batches)

    def put(self, keys: NDArray[np.int64], batch: Batch) -> None:
        """Add the vectors, in place of those of the same ids. For the writer."""
        tail = self._growing()
        parts, killed = self._killed(batch.ids)
        last = next(index for index, part in enumerate(parts) if part.block is tail)
        tail.append(keys, batch)
        alive = parts[last].alive
        if alive is not None:
            alive = np.concatenate([alive, np.ones(len(batch.ids), dtype=np.bool_)])
        parts[last] = Part(tail, len(tail), alive)
        self.parts, self.size = tuple(parts), self.size + len(batch.ids) - killed

    def remove(self, ids: Ids) -> int:
        """Forget vectors; returns how many were there. For the writer."""
        parts, killed = self._killed(ids)
        self.parts, self.size = tuple(parts), self.size - killed
        return killed

    def freeze(self) -> Tail | None:
        """What comes next goes into a new block; returns the present one, if it has any rows. For the writer."""
        tail, self._tail = self._tail, None
        return tail

    def exchange(self, old: Sequence[Tail | Segment], new: Segment | None, kept: Sequence[Rows]) -> None:
        """Put one block in the place of others. For the writer.

        Args:
            kept: Of each old block the rows that the new one has, in its order.
        """
        alive: list[NDArray[np.bool_]] = []
        for block, rows in zip(old, kept, strict=True):
            part = next(each for each in self.parts if each.block is block)
            alive.append(np.ones(len(rows), dtype=np.bool_) if part.alive is None else part.alive[rows])
        others = [part for part in self.parts if not any(part.block is block for block in old)]
        if new is not None:
            mask = np.concatenate(alive)
            others.insert(0, Part(new, len(new), None if mask.all() else mask))
        self.parts = tuple(others)

    def search(
        self,
        vector: NDArray[np.float32],
        limit: int,
        threshold: float | None,
        condition: Condition | None,
        *,
        exact: bool = False,
    ) -> list[Hit]:
        """The best vectors, best first, equal scores in the order of storing; `vector` has shape (dimension,)."""
        if self.settings.metric == METRIC_COSINE:
            vector = flat.unit(vector[None], flat.lengths(vector[None]))[0]
        parts = self.parts
        found = [part.search(vector, limit, self.settings, condition, exact=exact) for part in parts if part.count]
        scores = np.concatenate([scores for _, scores in found] or [np.empty(0, dtype=np.float32)])
        parts = tuple(part for part in parts if part.count)
        keys = np.concatenate(
            [part.block.keys[rows] for part, (rows, _) in zip(parts, found, strict=True)]
            or [np.empty(0, dtype=np.int64)]
        )
        places = [(part, row) for part, (rows, _) in zip(parts, found, strict=True) for row in rows.tolist()]
        best = np.lexsort((keys, -scores))[:limit]
        if threshold is not None:
            best = best[scores[best] >= threshold]
        return [
            Hit(part.block.id(row), score, part.block.metadata[row])
            for (part, row), score in zip((places[at] for at in best.tolist()), scores[best].tolist(), strict=True)
        ]

    def matching(self, condition: Condition) -> list[str]:
        """The ids of the vectors whose metadata the condition holds for."""
        return [part.block.id(row) for part in self.parts for row in part.rows(condition).tolist()]

    def page(
        self, ids: Sequence[str], condition: Condition | None, after: int, limit: int
    ) -> Iterator[tuple[int, Stored]]:
        """The next vectors with their keys, in the order of storing.

        Args:
            ids: Only these. Empty: all.
            after: Only later keys.
            limit: At most so many.
        """
        chosen = (
            self._located(Ids(dict.fromkeys(ids))) if ids else [(part, part.rows(condition)) for part in self.parts]
        )
        keys = np.concatenate([part.block.keys[rows] for part, rows in chosen] or [np.empty(0, dtype=np.int64)])
        owners = np.concatenate([np.full(len(rows), at) for at, (_, rows) in enumerate(chosen)] or [keys])
        rows = np.concatenate([rows for _, rows in chosen] or [keys])
        later = np.flatnonzero(keys > after)
        if limit < len(later):
            later = later[np.argpartition(keys[later], limit)[:limit]]
        for at in later[np.argsort(keys[later])].tolist():
            block, row = chosen[owners[at]][0].block, int(rows[at])
            yield int(keys[at]), Stored(block.id(row), block.original(row), block.metadata[row])

    def _located(self, ids: Ids) -> list[tuple[Part, Rows]]:
        while True:
            parts = self.parts
            found = [(part, part.find(ids)) for part in parts]
            if not any((rows == -2).any() for _, rows in found):
                return [(part, rows[rows >= 0]) for part, rows in found]
            # Overwritten since the parts were looked up: they are looked up again.

    def _growing(self) -> Tail:
        if self._tail is None:
            self._tail = Tail(self.settings)
            self.parts = (*self.parts, Part(self._tail, 0))
        return self._tail

    def _killed(self, ids: Ids) -> tuple[list[Part], int]:
        """The parts without these ids, and how many that were."""
        parts, killed = list(self.parts), 0
        for index, part in enumerate(parts):
            rows = part.find(ids)
            rows = rows[rows >= 0]
            if len(rows):
                parts[index] = part.without(rows)
                killed += len(rows)
        return parts, killed
