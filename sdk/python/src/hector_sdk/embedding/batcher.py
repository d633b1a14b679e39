"""Items of concurrent calls computed together, without waiting for company.

One thread computes. Whatever has arrived while it was busy goes into its next batch, one item of each call in turn, so
a lone text starts at once and a call of thousands of texts holds nobody up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic

import grpc

from hector_sdk.embedding.model import ItemT
from hector_sdk.errors import Status
from hector_sdk.vectors import Embeddings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Executor

    import numpy as np
    from numpy.typing import NDArray

    from hector_sdk.embedding.model import Encoder

MOST_CHARACTERS = 32_768
"""In a batch at most, a longer item alone: no batch keeps the others waiting for long."""


@dataclass
class _Job(Generic[ItemT]):
    """A call's items: `waiting` holds the indices of those not computed yet, longest last."""

    items: Sequence[ItemT]
    purpose: str
    waiting: list[int]
    result: asyncio.Future[Embeddings]
    missing: int
    vectors: NDArray[np.float32] | None = None
    tokens: list[int] = field(default_factory=list)
    truncated: list[bool] = field(default_factory=list)

    def take(self, indices: list[int], computed: Embeddings, rows: list[int]) -> None:
        """Keep rows of a batch as those of these items; the last ones end the call."""
        import numpy as np

        if self.vectors is None:
            many = len(self.items)
            self.vectors = np.empty((many, computed.vectors.shape[1]), dtype=np.float32)
            self.tokens, self.truncated = [0] * many, [False] * many
        self.vectors[indices] = computed.vectors[rows]
        for index, row in zip(indices, rows, strict=True):
            self.tokens[index], self.truncated[index] = computed.tokens[row], computed.truncated[row]
        self.missing -= len(indices)
        if not self.missing and not self.result.done():
            self.result.set_result(Embeddings(self.vectors, self.tokens, self.truncated))


class Batcher(Generic[ItemT]):
    """Feeds one encoder. `run` does the work, for as long as `embed` is to be answered."""

    def __init__(
        self, encoder: Encoder[ItemT], executor: Executor, batch_size: int, length: Callable[[ItemT], int]
    ) -> None:
        """Nothing runs yet.

        Args:
            encoder: It computes.
            executor: Of one thread.
            batch_size: Items in a batch at most.
            length: An item's characters.
        """
        self._encoder = encoder
        self._executor = executor
        self._batch_size = batch_size
        self._length = length
        self._jobs: deque[_Job[ItemT]] = deque()
        self._arrived = asyncio.Event()

    async def embed(self, items: Sequence[ItemT], purpose: str = "") -> Embeddings:
        """Compute items of one purpose, at least one, in their order; whatever the encoder raises is raised here."""
        by_length = sorted(range(len(items)), key=lambda index: self._length(items[index]))
        job = _Job(items, purpose, by_length, asyncio.get_running_loop().create_future(), len(items))
        self._jobs.append(job)
        self._arrived.set()
        return await job.result

    async def run(self) -> None:
        """Compute until cancelled; calls that are then under way end with UNAVAILABLE."""
        try:
            while True:
                await self._arrived.wait()
                batch = self._next()
                if batch:
                    await self._compute(batch)
                else:
                    self._arrived.clear()
        finally:
            self._refuse(self._jobs, Status(grpc.StatusCode.UNAVAILABLE, "the model is being unloaded"))

    def _next(self) -> list[tuple[_Job[ItemT], int]]:
        """One item of each job of the first one's purpose in turn; jobs whose caller has gone are dropped."""
        self._jobs = deque(job for job in self._jobs if job.waiting and not job.result.done())
        batch: list[tuple[_Job[ItemT], int]] = []
        ready = deque(job for job in self._jobs if job.purpose == self._jobs[0].purpose)
        room = MOST_CHARACTERS
        while ready and len(batch) < self._batch_size:
            job = ready.popleft()
            room -= self._length(job.items[job.waiting[-1]])
            if batch and room < 0:
                break
            batch.append((job, job.waiting.pop()))
            if job.waiting:
                ready.append(job)
        self._jobs.rotate(-1)  # the other purposes have their turn too
        return batch

    async def _compute(self, batch: list[tuple[_Job[ItemT], int]]) -> None:
        items = [job.items[index] for job, index in batch]
        rows: dict[int, list[int]] = {}
        for row, (job, _) in enumerate(batch):
            rows.setdefault(id(job), []).append(row)
        jobs = [batch[each[0]][0] for each in rows.values()]
        loop = asyncio.get_running_loop()
        try:
            computed = await loop.run_in_executor(self._executor, self._encoder.encode, items, jobs[0].purpose)
        except Exception as error:  # noqa: BLE001 - it is the callers'
            self._refuse(jobs, error)
            return
        for job, own in zip(jobs, rows.values(), strict=True):
            job.take([batch[row][1] for row in own], computed, own)

    @staticmethod
    def _refuse(jobs: Iterable[_Job[ItemT]], error: Exception) -> None:
        for job in jobs:
            if not job.result.done():
                job.result.set_exception(error)
