"""Indexing: brings the database to what the files of a store say.

Files whose bytes and settings are those of the last run are left as they are; a run that dies is finished by the next.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hector_host.documents import files
from hector_host.documents.files import Skipped
from hector_host.documents.ledger import Ledger
from hector_host.documents.split import split
from hector_host.documents.writer import BATCH, Piece, Writer
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
        chunks: Chunks of the files done.
        seconds: Since the run began.
    """

    files: int
    total: int
    chunks: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did.

    Attributes:
        files: Files that the store now has.
        chunks: Chunks that it now has.
        vectors: Chunks that this run embedded and stored; the others were there already.
        removed: Files whose chunks were deleted, because they are gone or cannot be indexed any more.
        skipped: Files that were selected and cannot be indexed.
    """

    store: str
    files: int
    chunks: int
    vectors: int
    removed: int
    skipped: tuple[Skipped, ...]
    seconds: float


async def index(store: Store, call: Call, on_progress: Callable[[Progress], None] = lambda _: None) -> Report:
    """Indexes what changed since the last run.

    Raises:
        ConfigError: The folder is not there, its patterns select no text, or the collection has another dimension.
        HectorError: Another process is indexing.
        CallError: A plugin failed; what was done is kept, and the next run goes on from there.
    """
    with Ledger(store.ledger) as ledger, ledger.alone():
        return await _Run(store, Writer(store, ledger, call), on_progress).run(ledger)


class _Run:
    """One run over one store, with the running totals of its report."""

    def __init__(self, store: Store, writer: Writer, on_progress: Callable[[Progress], None]) -> None:
        self._store = store
        self._writer = writer
        self._on_progress = on_progress
        self._started = time.monotonic()
        self._skipped: list[Skipped] = []
        self._present: set[str] = set()
        self._total = 0
        self._done = 0
        self._chunks = 0
        self._vectors = 0

    async def run(self, ledger: Ledger) -> Report:
        paths = await asyncio.to_thread(self._find)
        if not paths and not ledger.entries(self._store.place):
            raise _empty(self._store, "no file matches", self._skipped)
        await self._writer.prepare()
        await self._index(paths)
        gone = self._writer.known.keys() - self._present
        await self._writer.remove(sorted(gone))
        if not self._chunks:
            raise _empty(self._store, "no selected file has text" if paths else "no file matches", self._skipped)
        await self._writer.leave_other_collections()
        ledger.complete(self._store.place)
        return Report(
            store=self._store.name,
            files=len(self._present),
            chunks=self._chunks,
            vectors=self._vectors,
            removed=len(gone),
            skipped=tuple(self._skipped),
            seconds=self._seconds(),
        )

    def _find(self) -> list[str]:
        config = self._store.config
        if not config.path.exists():
            raise ConfigError(
                f"{self._store.label}.path: there is no {config.path}", "Name the folder of the documents."
            )
        if config.path.is_file():
            paths = [config.path.name]
        else:
            paths, self._skipped = files.find(config.path, config.include, config.exclude)
        self._total = len(paths)
        return paths

    async def _index(self, paths: Sequence[str]) -> None:
        pending: list[Piece] = []
        for path in paths:
            piece = await self._piece(path)
            if piece:
                pending.append(piece)
            if sum(len(one.chunks) for one in pending) >= BATCH:
                await self._put(pending)
                pending = []
        await self._put(pending)

    async def _piece(self, path: str) -> Piece | None:
        """The chunks of a file. None: there is nothing to be done for it."""
        document = await asyncio.to_thread(files.read, self._store.root, path)
        if isinstance(document, Skipped):
            self._skipped.append(document)
            self._tell(files=1, chunks=0)
            return None
        self._present.add(path)
        known = self._writer.known.get(path)
        if known and known.digest == document.digest:
            self._tell(files=1, chunks=known.chunks)
            return None
        size, overlap = self._store.config.chunk_size, self._store.config.chunk_overlap
        chunks = await asyncio.to_thread(split, document.text, size=size, overlap=overlap, markdown=document.markdown)
        return Piece(document, chunks)

    async def _put(self, pieces: Sequence[Piece]) -> None:
        if not pieces:
            return
        await self._writer.put(pieces)
        stored = sum(len(piece.chunks) for piece in pieces)
        self._vectors += stored
        self._tell(files=len(pieces), chunks=stored)

    def _tell(self, *, files: int, chunks: int) -> None:
        """Adds what is done to the totals and tells of them."""
        self._done += files
        self._chunks += chunks
        self._on_progress(Progress(self._done, self._total, self._chunks, self._seconds()))

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
