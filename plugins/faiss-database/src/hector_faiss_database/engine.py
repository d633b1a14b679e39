"""The collections of one directory, and the one thread that changes them.

Rule: a change is in the log and synced before anybody can see it, and can be seen before it is answered. Whatever
waits while the disk syncs shares the next sync (group commit). Searches never wait for it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np

from hector.plugin.v1.database_pb2 import Metric
from hector_faiss_database import disk, opening
from hector_faiss_database.background import Background
from hector_faiss_database.collection import Collection
from hector_faiss_database.indexing import Indexing
from hector_faiss_database.log import Kind, Log, Record
from hector_faiss_database.owner import Owner
from hector_faiss_database.records import Ids
from hector_faiss_database.refusals import no_collection, no_room, quoted
from hector_sdk import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hector_faiss_database.options import Options
    from hector_faiss_database.records import Batch, Settings
    from hector_faiss_database.tail import Tail

log = logging.getLogger(__name__)

LOG_BYTES = 64 << 20
"""Of a log: then its rows become segments, and the next log begins."""
GROUP_BYTES = 32 << 20
"""Of vectors in one group at most, unless a single batch has more."""
MOST_LOGS = 4
"""Logs that wait to become segments; their rows are in memory, so that changes wait beyond."""


@dataclass(frozen=True)
class Change:
    """What somebody waits for: batches share a sync with their neighbours, other work has it for itself."""

    answer: Future[Any]
    work: Callable[[], Any] | None = None
    collection: Collection | None = None
    batch: Batch | None = None


Written = tuple[Change, Collection, Record]
"""A batch, and the record of it."""


@dataclass(frozen=True)
class Frozen:
    """A log that gets no more records, and the blocks that hold its rows."""

    log: Log
    tails: list[tuple[Collection, Tail]]


class Engine:
    """Everything in the directory, which is made when absent.

    Raises Status FAILED_PRECONDITION when another process owns it, or it or one of its files cannot be used.

    Attributes:
        folder: The directory.
        collections: By name.
        counters: What the next collection, key and file are numbered.
        frozen: Logs that wait to become segments, the oldest first.
        turn: Held by whoever changes any of that.
    """

    def __init__(self, folder: Path, options: Options) -> None:
        self.folder = folder
        self.options = options
        self.turn = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._owner = Owner(folder)
        except OSError as error:
            words = f"cannot use {folder}: {error.strerror}"
            raise Status(grpc.StatusCode.FAILED_PRECONDITION, words) from error
        try:
            opened = opening.opened(folder)
        except BaseException:
            self._owner.release()
            raise
        self.collections: dict[str, Collection] = opened.collections
        self.counters = opened.counters
        self.frozen = deque(Frozen(each, tails) for each, tails in opened.frozen)
        self.log = opened.log
        self._waiting: deque[Change] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()
        self.indexing = Indexing(self)
        self.background = Background(self)

    def close(self) -> None:
        """Finish what was begun, and leave the directory to the next process."""
        self.background.stop()
        self.indexing.stop()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        for each in (*(frozen.log for frozen in self.frozen), self.log):
            each.close()
        self._owner.release()

    def collection(self, name: str) -> Collection:
        """The collection of this name. Status NOT_FOUND says which there are."""
        try:
            return self.collections[name]
        except KeyError:
            raise no_collection(name, list(self.collections)) from None

    def create(self, settings: Settings) -> Future[None]:
        """Make sure that it exists with these settings. Status ALREADY_EXISTS when it has others."""
        return self.do(lambda: self._create(settings))

    def drop(self, name: str) -> Future[None]:
        """Make sure that it does not exist."""
        return self.do(lambda: self._drop(name))

    def put(self, collection: Collection, batch: Batch) -> Future[None]:
        """Store vectors, in place of those of the same ids."""
        return self._queued(Change(Future(), collection=collection, batch=batch))

    def remove(self, collection: Collection, ids: Callable[[], list[str]]) -> Future[int]:
        """Delete vectors, which `ids` names, each once, when it is their turn; how many were there."""
        return self.do(lambda: self._remove(collection, ids()))

    def do(self, work: Callable[[], Any]) -> Future[Any]:
        """Have the writer do something between two groups of changes, in its turn."""
        return self._queued(Change(Future(), work))

    def wake(self) -> None:
        """What changes wait for may have come: a log has become segments, or that failed."""
        with self._changed:
            self._changed.notify_all()

    def _queued(self, change: Change) -> Future[Any]:
        with self._changed:
            if self._closing:
                raise Status(grpc.StatusCode.UNAVAILABLE, "the database is being closed")
            self._waiting.append(change)
            self._changed.notify_all()
        return change.answer

    def _run(self) -> None:
        while group := self._next():
            self._have_room()
            with self.turn:
                if group[0].work is not None:
                    _answer(group[0], group[0].work)
                else:
                    self._put_or_stop(group)
                if self.log.end > LOG_BYTES and not self.log.broken:
                    self._rotate()
            del group  # whoever waits for the next one holds nothing of this one

    def _next(self) -> list[Change]:
        """A run of batches, or one change of another kind. Empty: there will be none."""
        group: list[Change] = []
        with self._changed:
            while not group:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    break
                self._fill(group)
        return group

    def _fill(self, group: list[Change]) -> None:
        """Take what waits into a group. Whoever was cancelled meanwhile is left out; from now on nobody can be."""
        size = 0
        while self._waiting:
            following = self._waiting[0]
            size += 0 if following.batch is None else following.batch.vectors.nbytes
            if group and (following.batch is None or group[0].batch is None or size > GROUP_BYTES):
                break
            self._waiting.popleft()
            if following.answer.set_running_or_notify_cancel():
                group.append(following)

    def _have_room(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self.frozen) < MOST_LOGS or self.background.failed or self._closing)

    def _put_or_stop(self, group: list[Change]) -> None:
        """Put a group. After what nobody foresaw, what is in memory may be half of it, and nothing more is written."""
        try:
            self._put(group)
        except Exception as error:  # noqa: BLE001 - everyone in the group waits for an answer
            self.log.broken = self.log.broken or f"a batch could not be stored: {type(error).__name__}"
            for change in group:
                if not change.answer.done():
                    change.answer.set_exception(error)

    def _put(self, group: list[Change]) -> None:
        """Write the batches of a group together, then show them."""
        records: list[Written] = []
        for change in group:
            if change.collection is None or change.batch is None:
                raise AssertionError
            try:
                self._still_there(change.collection)
                records.append((change, change.collection, self._record(change.collection, change.batch)))
            except Status as error:
                change.answer.set_exception(error)
        try:
            self._append([record for _, _, record in records], lambda: _hold(records))
        except Status as error:
            for change, _, _ in records:
                change.answer.set_exception(error)
            return
        for change, collection, record in records:
            _answer(change, partial(_shown, collection, record))

    def _record(self, collection: Collection, batch: Batch) -> Record:
        keys = collection.keys(batch.ids)
        fresh = keys < 0
        count = int(np.count_nonzero(fresh))
        keys[fresh] = np.arange(self.counters.key, self.counters.key + count)
        self.counters.key += count
        return Record(Kind.UPSERT, collection.number, batch=batch, keys=keys)

    def _append(self, records: Sequence[Record], meanwhile: Callable[[], None] | None = None) -> None:
        """Have records on the disk, together; `meanwhile` is done while that syncs."""
        if not records:
            return
        if self.log.broken:
            words = f"{self.log.broken}; nothing more is written there: mend the disk and start this plugin again"
            raise Status(grpc.StatusCode.FAILED_PRECONDITION, words)
        if len(self.frozen) >= MOST_LOGS and self.background.failed:
            raise no_room(str(self.folder), self.background.failed)
        with disk.room(self.folder):
            self.log.append(records, meanwhile)

    def _create(self, settings: Settings) -> None:
        existing = self.collections.get(settings.name)
        if existing is not None:
            if existing.settings == settings:
                return
            raise Status(
                grpc.StatusCode.ALREADY_EXISTS,
                f"collection {quoted(settings.name)} exists with {_shape(existing.settings)}, not {_shape(settings)}",
            )
        number = self.counters.collection
        self._append([Record(Kind.CREATE, number, settings=asdict(settings))])
        self.counters.collection += 1
        self.collections = self.collections | {settings.name: Collection(number, settings)}

    def _drop(self, name: str) -> None:
        collection = self.collections.get(name)
        if collection is not None:
            self._append([Record(Kind.DROP, collection.number)])
            self.collections = {name: each for name, each in self.collections.items() if each is not collection}

    def _remove(self, collection: Collection, ids: list[str]) -> int:
        self._still_there(collection)
        keys = collection.keys(Ids(ids)).tolist()
        there = Ids(each for each, key in zip(ids, keys, strict=True) if key >= 0)
        if not there:
            return 0
        self._append([Record(Kind.DELETE, collection.number, ids=there)])
        return collection.remove(there)

    def _still_there(self, collection: Collection) -> None:
        if self.collections.get(collection.settings.name) is not collection:
            raise no_collection(collection.settings.name, list(self.collections))

    def _rotate(self) -> None:
        """Begin a new log; the rows of the present one are for the background."""
        try:
            following = Log(opening.log_path(self.folder, self.log.number + 1), self.log.number + 1)
            disk.sync_folder(self.folder)
        except OSError as error:
            log.warning("no new log can be begun in %s: %s; the present one goes on", self.folder, error.strerror)
            return
        tails = [(each, tail) for each in self.collections.values() if (tail := each.freeze()) is not None]
        self.frozen.append(Frozen(self.log, tails))
        self.log = following
        self.background.wake()


def _hold(records: Sequence[Written]) -> None:
    """Have the rows copied; where there is no memory for that, whoever puts them is told."""
    for collection in {collection for _, collection, _ in records}:
        with contextlib.suppress(MemoryError):
            collection.hold([_batch(record) for _, own, record in records if own is collection])


def _batch(record: Record) -> tuple[NDArray[np.int64], Batch]:
    if record.batch is None or record.keys is None:
        raise AssertionError
    return record.keys, record.batch


def _shown(collection: Collection, record: Record) -> None:
    collection.put(*_batch(record))


def _answer(change: Change, work: Callable[[], Any]) -> None:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - it is the caller's
        change.answer.set_exception(error)
    else:
        change.answer.set_result(result)


def _shape(settings: Settings) -> str:
    metric = Metric.Name(settings.metric).removeprefix("METRIC_").lower()
    return f"dimension {settings.dimension} and metric {metric}"
