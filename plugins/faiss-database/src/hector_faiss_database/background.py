"""What is done behind the calls, in one thread: logs become segments, segments are merged, their bulk is verified.

It writes files aside, and takes them over in its turn with the writer, which never waits for the writing. Whatever
fails is told and tried again later: until then the logs keep everything.
"""

from __future__ import annotations

import logging
import math
import threading
from itertools import groupby
from typing import TYPE_CHECKING

from hector_faiss_database import manifest, opening
from hector_faiss_database.log import Damage
from hector_faiss_database.manifest import Listed, Manifest, Sealed
from hector_faiss_database.segment import Segment, write
from hector_sdk import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from hector_faiss_database.collection import Collection, Part
    from hector_faiss_database.columns import Rows
    from hector_faiss_database.engine import Engine
    from hector_faiss_database.tail import Tail

log = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds before what failed is tried again."""
FAN = 4
"""So many segments of like size become one."""
DEAD = 0.3
"""The share of dead rows from which on a segment is written anew."""


class Stopped(Exception):  # noqa: N818 - it says what happened
    """The plugin ends; what was begun is left undone."""


class Background:
    """Works until `stop`.

    Attributes:
        failed: Why the last attempt failed; empty after one that did not.
    """

    def __init__(self, engine: Engine) -> None:
        self.failed = ""
        self._engine = engine
        self._saved: dict[Segment, tuple[NDArray[np.bool_] | None, str]] = {}
        self._verified: set[Segment] = set()
        self._unpublished = False
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)
        self._due.set()
        self._thread.start()

    def wake(self) -> None:
        """There may be something to do."""
        self._due.set()

    def stop(self) -> None:
        """End soon; files that were being written are gone."""
        self._stopping.set()
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._due.wait(AGAIN if self.failed else None)
            self._due.clear()
            try:
                while not self._stopping.is_set() and self._step():
                    self.failed = ""
                    self._engine.wake()
                self.failed = ""
                self._engine.indexing.wake()
            except Stopped:
                return
            except (OSError, Status) as error:
                self.failed = getattr(error, "strerror", None) or str(error)
                log.warning("cannot tidy %s: %s; nothing is lost, it is tried again", self._engine.folder, self.failed)
            except Exception:
                self.failed = "a bug, which the log tells"
                log.exception("cannot tidy %s; nothing is lost, it is tried again", self._engine.folder)
            self._engine.wake()

    def _step(self) -> bool:
        """Do one thing; False: there was nothing to do."""
        if self._unpublished:
            with self._engine.turn:
                self.publish()
        return self._seal() or self._merge() or self._verify()

    def _seal(self) -> bool:
        """Make segments of the oldest log's rows."""
        engine = self._engine
        if not engine.frozen:
            return False
        oldest = engine.frozen[0]
        made: list[tuple[Collection, Tail, Segment | None, Rows]] = []
        try:
            for collection, tail in oldest.tails:
                rows = next(part.rows() for part in collection.parts if part.block is tail)
                made.append((collection, tail, self._written(collection, [(tail, rows)], self._going_on), rows))
        except BaseException:
            _unlink([segment for _, _, segment, _ in made])
            raise
        with engine.turn:
            for collection, tail, segment, rows in made:
                collection.exchange([tail], segment, [rows])
            engine.frozen.popleft()
            oldest.log.close()
            self._take_over([segment for _, _, segment, _ in made])
        return True

    def _merge(self) -> bool:
        """Make one segment of several, or of one that is largely dead."""
        engine = self._engine
        for collection in list(engine.collections.values()):
            parts = [] if collection.damage else _due(collection)
            if parts:
                kept, blocks = [part.rows() for part in parts], [part.block for part in parts]
                try:
                    for block in blocks:
                        if isinstance(block, Segment):
                            block.verify()  # a new checksum over damaged bytes would hide them
                except Damage as damage:
                    self._damaged(collection, damage)
                    return True
                segment = self._written(collection, list(zip(blocks, kept, strict=True)), self._sealing)
                with engine.turn:
                    collection.exchange(blocks, segment, kept)
                    self._take_over([segment])
                return True
        return False

    def _verify(self) -> bool:
        """Read the bulk of one segment that was not read when it was opened."""
        for collection in list(self._engine.collections.values()):
            for block in (part.block for part in collection.parts):
                if isinstance(block, Segment) and block not in self._verified:
                    self._verified.add(block)
                    if block.bytes > opening.VERIFIED:
                        self._read(collection, block)
                    return True
        return False

    def _read(self, collection: Collection, segment: Segment) -> None:
        for offset, fits in segment.pieces():
            if self._stopping.is_set():
                return
            if not fits:
                self._damaged(collection, Damage(segment.path, offset, "the checksum from there on does not fit"))
                return

    def _damaged(self, collection: Collection, damage: Damage) -> None:
        """From now on the collection refuses to answer, rather than answer wrongly."""
        collection.damage = f"{damage}; {opening.advice(self._engine.folder)}"
        log.error("%s", collection.damage)

    def _going_on(self) -> None:
        if self._stopping.is_set():
            raise Stopped

    def _sealing(self) -> None:
        """A merge takes long, and changes wait when too many logs do."""
        self._going_on()
        while self._seal():
            self._engine.wake()

    def _written(
        self, collection: Collection, sources: list[tuple[Tail | Segment, Rows]], between: Callable[[], None]
    ) -> Segment | None:
        """A new segment with these rows; None where there are none."""
        if not sum(len(rows) for _, rows in sources):
            return None
        engine = self._engine
        with engine.turn:
            number, engine.counters.file = engine.counters.file, engine.counters.file + 1
        path = engine.folder / f"segment-{number}"
        write(path, collection.settings.dimension, sources, between)
        segment = Segment(path)
        self._verified.add(segment)
        return segment

    def _take_over(self, made: list[Segment | None]) -> None:
        """Publish new segments; those of a collection that was dropped meanwhile are gone."""
        known = self.publish()
        _unlink([each for each in made if each is not None and each.path.name not in known.files])

    def publish(self) -> Manifest:
        """Write the manifest of what is in memory, and remove what that names no more. In the writer's turn."""
        engine, self._unpublished = self._engine, True
        before = manifest.read(engine.folder) or Manifest()
        listed = [
            Listed(
                each.number,
                each.settings.name,
                each.settings.dimension,
                int(each.settings.metric),
                [self._listed(part.block, part.alive) for part in each.parts if isinstance(part.block, Segment)],
            )
            for each in engine.collections.values()
        ]
        first = engine.frozen[0].log.number if engine.frozen else engine.log.number
        counters = engine.counters
        known = Manifest(first, counters.file, counters.collection, counters.key, listed)
        manifest.write(engine.folder, known)
        self._unpublished = False
        _remove(engine.folder, before, known)
        return known

    def _listed(self, segment: Segment, mask: NDArray[np.bool_] | None) -> Sealed:
        alive, name = self._saved.get(segment, (None, ""))
        if mask is not None and mask is not alive:
            number = segment.path.name.partition("-")[2]
            counters = self._engine.counters
            name, counters.file = f"dead-{number}-{counters.file}", counters.file + 1
            manifest.write_dead(self._engine.folder / name, mask)
            self._saved[segment] = (mask, name)
        return Sealed(segment.path.name, name)


def _due(collection: Collection) -> list[Part]:
    """The parts of which one segment should be made. Empty: none."""
    sealed = [part for part in collection.parts if isinstance(part.block, Segment)]
    worn = [part for part in sealed if part.count - part.living > DEAD * part.count]
    if worn:
        return worn[:1]
    for _, tier in groupby(sorted(sealed, key=_tier), key=_tier):
        alike = list(tier)
        if len(alike) >= FAN:
            return alike
    return []


def _tier(part: Part) -> int:
    """Segments of one tier are less than FAN times as large as each other, so that a row is rarely copied."""
    return int(math.log(max(part.living, 1), FAN))


def _remove(folder: Path, before: Manifest, now: Manifest) -> None:
    """What one manifest named, and the next does not. Whatever else is there may be about to be named."""
    for name in before.files - now.files:
        (folder / name).unlink(missing_ok=True)
        (folder / name.replace("segment", "index", 1)).unlink(missing_ok=True)
    for number in range(before.log, now.log):
        opening.log_path(folder, number).unlink(missing_ok=True)


def _unlink(segments: Sequence[Segment | None]) -> None:
    for segment in segments:
        if segment is not None:
            segment.path.unlink(missing_ok=True)
