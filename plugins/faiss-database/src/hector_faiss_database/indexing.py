"""Approximate indexes are loaded or built behind the calls, in a thread of their own: building takes minutes.

It begins when logs and segments have come to rest, because a merged segment needs another index. Until an index is
there its segment is searched exactly. Its file can always be made again, so that nothing about it is an error.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from hector_faiss_database import approximate
from hector_faiss_database.refusals import quoted
from hector_faiss_database.segment import Segment

if TYPE_CHECKING:
    from hector_faiss_database.collection import Collection
    from hector_faiss_database.engine import Engine

log = logging.getLogger(__name__)

AGAIN = 30.0
"""Seconds before what failed is tried again."""


class Indexing:
    """Works until `stop`, where the options want an index."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._due = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if engine.options.index != "flat":
            self._thread = threading.Thread(target=self._run, name="indexing", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Segments have come to rest."""
        self._due.set()

    def stop(self) -> None:
        """End soon; an index that was being built is gone."""
        self._stop.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def lacks(self, collection: Collection) -> list[Segment]:
        """The segments of a collection that are to get an index."""
        options = self._engine.options
        if options.index == "flat" or collection.damage:
            return []
        segments = (part.block for part in collection.parts if part.count >= options.index_from)
        return [each for each in segments if isinstance(each, Segment) and each.index is None]

    def _run(self) -> None:
        wait: float | None = None
        while not self._stop.is_set():
            self._due.wait(wait)
            self._due.clear()
            wait = None
            try:
                while not self._stop.is_set() and self._step():
                    pass
            except approximate.Stopped:
                pass
            except Exception:
                log.exception("no index can be made in %s; searches are exact meanwhile", self._engine.folder)
                wait = AGAIN

    def _step(self) -> bool:
        """Give one segment its index; False: all have theirs."""
        for collection in list(self._engine.collections.values()):
            for segment in self.lacks(collection):
                self._give(collection, segment)
                return True
        return False

    def _give(self, collection: Collection, segment: Segment) -> None:
        options = self._engine.options
        wanted = approximate.recipe(options, collection.settings.metric, len(segment))
        path = segment.path.with_name(f"index-{segment.path.name.partition('-')[2]}")
        name, started = quoted(collection.settings.name), time.monotonic()
        index = approximate.load(path, wanted, options)
        if index is None:
            log.info("building the %s index of %d vectors of collection %s", wanted.kind, len(segment), name)
            gone = _Unless(self._stop, collection, segment)
            threads = max(1, len(os.sched_getaffinity(0)) - 1)  # searches go on
            index = approximate.build(wanted, segment.vectors, options, gone, threads)
            index.save(path)
            if gone.is_set():
                path.unlink(missing_ok=True)
        segment.index = index
        seconds = time.monotonic() - started
        log.info(
            "the %s index of collection %s is ready after %.1f s, recall %.3f", wanted.kind, name, seconds, index.recall
        )


class _Unless(threading.Event):
    """Set once the plugin stops, or the segment is in its collection no more."""

    def __init__(self, stop: threading.Event, collection: Collection, segment: Segment) -> None:
        super().__init__()
        self._stop = stop
        self._collection = collection
        self._segment = segment

    def is_set(self) -> bool:
        return self._stop.is_set() or not any(part.block is self._segment for part in self._collection.parts)
