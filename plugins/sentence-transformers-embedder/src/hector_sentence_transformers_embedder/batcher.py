"""Texts of concurrent calls computed together, without waiting for company.

One thread computes. Whatever has arrived while it was busy goes into its next batch, one text of each call in turn, so
a lone text starts at once and a call of thousands of texts holds nobody up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from hector_sdk import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Executor

    from hector_sentence_transformers_embedder.encoder import Embedded, Encoder


@dataclass(frozen=True)
class _Job:
    """A call's texts: `waiting` holds the indices of those not computed yet, longest last."""

    texts: Sequence[str]
    purpose: str
    waiting: list[int]
    done: dict[int, Embedded]
    result: asyncio.Future[list[Embedded]]


class Batcher:
    """Feeds one encoder. `run` does the work, for as long as `embed` is to be answered."""

    def __init__(self, encoder: Encoder, executor: Executor, batch_size: int) -> None:
        self._encoder = encoder
        self._executor = executor
        self._batch_size = batch_size
        self._jobs: deque[_Job] = deque()
        self._arrived = asyncio.Event()

    async def embed(self, texts: Sequence[str], purpose: str) -> list[Embedded]:
        """Embed texts of one purpose, in their order; whatever the encoder raises is raised here."""
        if not texts:
            return []
        by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        job = _Job(texts, purpose, by_length, {}, asyncio.get_running_loop().create_future())
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

    def _next(self) -> list[tuple[_Job, int]]:
        """One text of each job of the first one's purpose in turn; jobs whose caller has gone are dropped."""
        self._jobs = deque(job for job in self._jobs if job.waiting and not job.result.done())
        batch: list[tuple[_Job, int]] = []
        ready = deque(job for job in self._jobs if job.purpose == self._jobs[0].purpose)
        while ready and len(batch) < self._batch_size:
            job = ready.popleft()
            batch.append((job, job.waiting.pop()))
            if job.waiting:
                ready.append(job)
        self._jobs.rotate(-1)  # the other purposes have their turn too
        return batch

    async def _compute(self, batch: list[tuple[_Job, int]]) -> None:
        texts = [job.texts[index] for job, index in batch]
        loop = asyncio.get_running_loop()
        try:
            embedded = await loop.run_in_executor(self._executor, self._encoder.encode, texts, batch[0][0].purpose)
        except Exception as error:  # noqa: BLE001 - it is the callers'
            self._refuse([job for job, _ in batch], error)
            return
        for (job, index), one in zip(batch, embedded, strict=True):
            job.done[index] = one
            if len(job.done) == len(job.texts) and not job.result.done():
                job.result.set_result([job.done[each] for each in range(len(job.texts))])

    @staticmethod
    def _refuse(jobs: Iterable[_Job], error: Exception) -> None:
        for job in jobs:
            if not job.result.done():
                job.result.set_exception(error)
