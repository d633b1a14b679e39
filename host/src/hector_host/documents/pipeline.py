"""Files on their way into a store: every stage works while the others do, and none runs far ahead.

    read, split ── plan ── embed ── upsert ── settle
     in threads    promises        side by side      in the ledger

Files are read ahead in threads. What they need is planned and promised a portion at a time, and cut into batches over
the bounds of files; of these a few are under way, so that the embedder always has the next one before it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from grpc import StatusCode

from hector_host.documents.files import Skipped
from hector_host.documents.ledger import Entry
from hector_host.documents.plan import plan
from hector_host.documents.reading.reader import Reader
from hector_host.documents.split import split
from hector_host.errors import CallError, printable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from hector_host.documents.files import Found
    from hector_host.documents.plan import Item, Work
    from hector_host.documents.split import Chunk
    from hector_host.documents.store import Store
    from hector_host.documents.writer import Writer
    from hector_host.providers.call import Call

BATCH = 64
"""Chunks that are embedded and stored in one call."""
READ_AHEAD = 8
"""Files that are read and split before they are needed."""
PORTION = 4 * BATCH
"""Chunks that are planned and promised together."""
FILES = 64
"""Files that are planned together at most."""
EMBEDDING = 3
"""Batches that are at the embedder: it computes one and has the next."""
STORING = 2
"""Batches that are at the database."""
UNDER_WAY = EMBEDDING + 2 * STORING
"""Batches that have left their portion and are not settled."""
RACY = 2_000_000_000
"""Nanoseconds: a file that was written this shortly before it was read may be written again with the same stamp."""

Task = tuple["Work", "Item"]


@dataclass(frozen=True, slots=True)
class Read:
    """A file that has changed.

    Attributes:
        entry: What the ledger is to say of it in the end, but for the number of chunks.
        title: As it calls itself.
    """

    entry: Entry
    title: str
    chunks: list[Chunk]


class Pipeline:
    """Brings files into a store.

    Args:
        tell: Told of every step: files that are done now, and chunks that are in place now.

    Attributes:
        skipped: Files that cannot be indexed.
        present: Paths of the others.
        known: Paths of both that the ledger has rows of.
        emptied: Files that had chunks, and cannot be indexed any more.
        embedded: Chunks that were embedded.
        embedding_seconds: While the embedder had something to do.
    """

    def __init__(self, store: Store, writer: Writer, call: Call, tell: Callable[[Sequence[Found], int], None]) -> None:
        self._store = store
        self._writer = writer
        self._call = call
        self._tell = tell
        self.skipped: list[Skipped] = []
        self.present: set[str] = set()
        self.known: set[str] = set()
        self.emptied = 0
        self.embedded = 0
        self.embedding_seconds = 0.0
        self._reader = Reader(store.root, store.config.max_file_size)
        self._at_embedder = 0
        self._since = 0.0
        self._under_way = asyncio.Semaphore(UNDER_WAY)
        self._embedding = asyncio.Semaphore(EMBEDDING)
        self._storing = asyncio.Semaphore(STORING)
        self._settling = asyncio.Lock()
        self._found: dict[str, Found] = {}
        self._seen: list[Entry] = []

    async def run(self, found: Sequence[Found]) -> None:
        """Reads these files, and stores what is new.

        Raises:
            CallError: A plugin failed; what was done is kept.
        """
        self._found = {one.path: one for one in found}
        try:
            async with self._reader, asyncio.TaskGroup() as group:
                async for works in self._portions(group, found):
                    await self._start(group, works)
                await self._writer.seen(self._seen)
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _portions(self, group: asyncio.TaskGroup, found: Sequence[Found]) -> AsyncIterator[list[Work]]:
        """What is to be done, for some files at a time."""
        portion: list[Read] = []
        async for read in self._documents(group, found):
            portion.append(read)
            if len(portion) >= FILES or sum(len(one.chunks) for one in portion) >= PORTION:
                yield await self._planned(portion)
                portion = []
        if portion:
            yield await self._planned(portion)

    async def _documents(self, group: asyncio.TaskGroup, found: Sequence[Found]) -> AsyncIterator[Read]:
        """The files that have changed, with their chunks."""
        ahead: deque[asyncio.Task[Read | None]] = deque()
        for one in found:
            if self._is_unchanged(one):
                continue
            ahead.append(group.create_task(self._document(one)))
            if len(ahead) >= READ_AHEAD and (read := await ahead.popleft()):
                yield read
        while ahead:
            if read := await ahead.popleft():
                yield read

    def _is_unchanged(self, found: Found) -> bool:
        """Whether the file is as it was, by its stamp."""
        known = self._writer.known.get(found.path)
        if known is None or known.digest is None or known.stamp != found.stamp:
            return False
        self._pass(found, known)
        return True

    async def _document(self, found: Found) -> Read | None:
        """A file and its chunks. None: there is nothing to be done for it."""
        contents = await self._reader.contents(found.path)
        if isinstance(contents, Skipped):
            self._skip(found, contents)
            return None
        entry = _entry(found, contents.digest)
        known = self._writer.known.get(found.path)
        if known and known.digest == contents.digest:
            entry = replace(entry, chunks=known.chunks, reason=known.reason)
            self._seen.append(entry)
            self._pass(found, entry)
            return None
        document = await self._reader.document(contents)
        if isinstance(document, Skipped):
            if document.lasting:
                return Read(replace(entry, reason=document.reason), "", [])
            self._skip(found, document)
            return None
        size, overlap = self._store.config.chunk_size, self._store.config.chunk_overlap
        return Read(entry, document.title, await asyncio.to_thread(split, document, size=size, overlap=overlap))

    async def _planned(self, portion: Sequence[Read]) -> list[Work]:
        held = await self._writer.held([read.entry.path for read in portion])
        works = [
            plan(self._store, read.entry, read.title, read.chunks, has) for read, has in zip(portion, held, strict=True)
        ]
        await self._writer.promise(works)
        return works

    async def _start(self, group: asyncio.TaskGroup, works: Sequence[Work]) -> None:
        """Has batches of chunks go their way, as soon as there is room for them."""
        tasks = [(work, item) for work in works for item in work.items]
        await self._settle([], [work for work in works if not work.items])
        for start in range(0, len(tasks), BATCH):
            await self._under_way.acquire()
            group.create_task(self._batch(tasks[start : start + BATCH]))

    async def _batch(self, tasks: Sequence[Task]) -> None:
        try:
            vectors = await self._vectors(tasks)
            stored = [(task, vector) for task, vector in zip(tasks, vectors, strict=True) if vector is not None]
            async with self._storing:
                if stored:
                    await self._writer.upsert([item for (_, item), _ in stored], [vector for _, vector in stored])
            await self._settle(tasks, [])
        finally:
            self._under_way.release()

    async def _vectors(self, tasks: Sequence[Task]) -> list[bytes | None]:
        """The vectors of these chunks. None: of a file that the embedder refuses."""
        kept = [item.id for _, item in tasks if item.kept]
        has = await self._writer.kept(kept) if kept else {}
        new = [task for task in tasks if task[1].id not in has]
        async with self._embedding:
            embedded = await self._embed(new)
        by_id = has | {item.id: vector for (_, item), vector in zip(new, embedded, strict=True) if vector is not None}
        return [by_id.get(item.id) for _, item in tasks]

    async def _embed(self, tasks: Sequence[Task]) -> Sequence[bytes | None]:
        if not tasks:
            return []
        try:
            with self._busy():
                vectors = await self._store.embedder.embed([item.text for _, item in tasks], call=self._call)
        except CallError as error:
            if error.code is not StatusCode.INVALID_ARGUMENT:
                raise
            return await self._embed_apart(tasks, error)
        self.embedded += len(tasks)
        return vectors

    async def _embed_apart(self, tasks: Sequence[Task], error: CallError) -> Sequence[bytes | None]:
        """The vectors of a batch that was refused: one file's chunks do not cost another file its own."""
        works = list(dict.fromkeys(work for work, _ in tasks))
        if len(works) == 1:
            works[0].refused = f"embedders.{self._store.config.embedder} refuses it: {printable(error.detail)}"
            return [None] * len(tasks)
        vectors: list[bytes | None] = []
        for work in works:
            vectors += await self._embed([task for task in tasks if task[0] is work])
        return vectors

    @contextmanager
    def _busy(self) -> Iterator[None]:
        if not self._at_embedder:
            self._since = time.monotonic()
        self._at_embedder += 1
        try:
            yield
        finally:
            self._at_embedder -= 1
            if not self._at_embedder:
                self.embedding_seconds += time.monotonic() - self._since

    async def _settle(self, tasks: Sequence[Task], empty: Sequence[Work]) -> None:
        """Has the ledger know what is stored, and tells of it.

        One at a time: a file is done in the ledger when all of its chunks are, whichever batch they were in.
        """
        if not tasks and not empty:
            return
        async with self._settling:
            for work, _ in tasks:
                work.waiting -= 1
            done = [work for work in dict.fromkeys(work for work, _ in tasks) if not work.waiting] + list(empty)
            await self._writer.settle(tasks, done)
        more = sum([self._finish(work) for work in done])
        self._tell([self._found[work.path] for work in done], len(tasks) + more)

    def _finish(self, work: Work) -> int:
        """Notes what became of a file; how many of its chunks are in place besides those that were stored."""
        if work.refused:
            self.skipped.append(Skipped(printable(work.path), work.refused))
            return -len(work.items)
        before = self._writer.known.get(work.path)
        self.emptied += bool(work.done.reason and before and before.chunks)
        self._note(work.done)
        return work.done.chunks - len(work.items)

    def _pass(self, found: Found, entry: Entry) -> None:
        self._note(entry)
        self._tell([found], entry.chunks)

    def _note(self, entry: Entry) -> None:
        self.known.add(entry.path)
        if entry.reason:
            self.skipped.append(Skipped(printable(entry.path), entry.reason, lasting=True))
        else:
            self.present.add(entry.path)

    def _skip(self, found: Found, skipped: Skipped) -> None:
        self.skipped.append(skipped)
        self._tell([found], 0)


def _entry(found: Found, digest: str) -> Entry:
    """What the ledger is to say of a file, but for its chunks."""
    racy = time.time_ns() - found.stamp.mtime_ns < RACY
    return Entry(found.path, digest, None if racy else found.stamp)
