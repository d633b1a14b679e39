"""Indexing: brings the database to what the files of a store say.

Files that are as they were in the last run are left as they are, and so are the chunks of a changed file that it still
has; a run that dies is finished by the next.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hector_host.documents import files
from hector_host.documents.files import Found, Skipped, Stamp
from hector_host.documents.ledger import Ledger
from hector_host.documents.pipeline import Pipeline
from hector_host.documents.writer import Writer
from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hector_host.documents.store import Store
    from hector_host.providers.call import Call


SHOWN = 5
"""Unreadable files that an error names."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        files: Files done, of `total`.
        chunks: Chunks that are in place.
        embedded: Chunks that were embedded for it.
        bytes: Of the files done, of `size`.
        seconds: Since the run began.
    """

    files: int
    total: int
    chunks: int
    embedded: int
    bytes: int
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did.

    Attributes:
        files: Files that the store now has.
        chunks: Chunks that it now has.
        vectors: Chunks that this run embedded; the vectors of the others were there already.
        removed: Files whose chunks were deleted, because they are gone or cannot be indexed any more.
        skipped: Files that were selected and cannot be indexed.
        embedding_seconds: Of these, those in which the embedder had something to do.
    """

    store: str
    files: int
    chunks: int
    vectors: int
    removed: int
    skipped: tuple[Skipped, ...]
    seconds: float
    embedding_seconds: float


async def index(store: Store, call: Call, on_progress: Callable[[Progress], None] = lambda _: None) -> Report:
    """Indexes what changed since the last run.

    Raises:
        ConfigError: The folder is not there, its patterns select no text, or the collection has another dimension.
        HectorError: Another process is indexing.
        CallError: A plugin failed; what was done is kept, and the next run goes on from there.
    """
    with (
        Ledger(store.ledger) as ledger,
        ledger.alone(),
        ThreadPoolExecutor(1, thread_name_prefix="ledger") as thread,
    ):
        return await _Run(store, Writer(store, ledger, thread, call), call, on_progress).run(ledger)


class _Run:
    """One run over one store, with the running totals of its report."""

    def __init__(self, store: Store, writer: Writer, call: Call, on_progress: Callable[[Progress], None]) -> None:
        self._store = store
        self._writer = writer
        self._on_progress = on_progress
        self._pipeline = Pipeline(store, writer, call, self._tell)
        self._started = time.monotonic()
        self._total = 0
        self._size = 0
        self._done = 0
        self._bytes = 0
        self._chunks = 0

    async def run(self, ledger: Ledger) -> Report:
        found, skipped = await asyncio.to_thread(self._find)
        if not found and not await asyncio.to_thread(ledger.entries, self._store.place):
            raise _empty(self._store, "no file matches", skipped)
        self._tell([], 0)
        await self._writer.prepare()
        await self._pipeline.run(found)
        skipped += self._pipeline.skipped
        gone = self._writer.known.keys() - self._pipeline.known
        await self._writer.remove(sorted(gone))
        if not self._chunks:
            raise _empty(self._store, "no selected file has text" if found else "no file matches", skipped)
        await self._writer.leave_other_collections()
        await asyncio.to_thread(ledger.complete, self._store.place)
        return Report(
            store=self._store.name,
            files=len(self._pipeline.present),
            chunks=self._chunks,
            vectors=self._pipeline.embedded,
            removed=sum(self._writer.known[path].chunks > 0 for path in gone) + self._pipeline.emptied,
            skipped=tuple(skipped),
            seconds=self._seconds(),
            embedding_seconds=self._pipeline.embedding_seconds,
        )

    def _find(self) -> tuple[list[Found], list[Skipped]]:
        config = self._store.config
        if not config.path.exists():
            raise ConfigError(
                f"{self._store.label}.path: there is no {config.path}", "Name the folder of the documents."
            )
        if config.path.is_file():
            found, skipped = [Found(config.path.name, Stamp.of(config.path.stat()))], list[Skipped]()
        else:
            found, skipped = files.find(
                config.path,
                config.include,
                config.exclude,
                gitignore=config.gitignore,
                limit=config.max_file_size,
            )
        self._total = len(found)
        self._size = sum(one.stamp.size for one in found)
        return found, skipped

    def _tell(self, files: Sequence[Found], chunks: int) -> None:
        """Adds what is done to the totals and tells of them."""
        self._done += len(files)
        self._bytes += sum(one.stamp.size for one in files)
        self._chunks += chunks
        self._on_progress(
            Progress(
                self._done, self._total, self._chunks, self._pipeline.embedded, self._bytes, self._size, self._seconds()
            )
        )

    def _seconds(self) -> float:
        return time.monotonic() - self._started


def _empty(store: Store, what: str, skipped: Sequence[Skipped]) -> ConfigError:
    config = store.config
    patterns = f"include {_listed(config.include)}, exclude {_listed(config.exclude)}"
    step = "Name the folder that holds the files, or patterns that match some of them."
    if skipped:
        step += "\n" + "\n".join(map(str, skipped[:SHOWN]))
    return ConfigError(f"{store.label}: is empty: {what} in {config.path} ({patterns})", step)


def _listed(patterns: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{pattern}"' for pattern in patterns) + "]"
