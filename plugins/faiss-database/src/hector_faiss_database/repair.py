"""A damaged directory is made usable again: what can be read is kept, the rest is named and put aside.

Nothing is deleted: damaged files go into a folder `damaged-N` beside the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from hector_faiss_database import disk, log, manifest, opening, snapshot
from hector_faiss_database.log import Damage
from hector_faiss_database.manifest import FILE, Listed, Sealed
from hector_faiss_database.refusals import quoted
from hector_faiss_database.segment import Segment, write

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SHOWN = 20
"""Ids that a report names of those that are lost."""


@dataclass
class Report:
    """What was found.

    Attributes:
        lost: A line for each thing that cannot be read, with its file and place.
        aside: Where the damaged files are now. None: nothing was damaged.
        vectors: How many can be searched again.
    """

    lost: list[str] = field(default_factory=list)
    aside: Path | None = None
    vectors: int = 0


class Repair:
    """Of a directory that nobody has open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._report = Report()
        self._file = 0

    def run(self) -> Report:
        """Mend what is damaged. Status: the directory cannot be written, or its manifest cannot be read."""
        try:
            known = manifest.read(self._folder)
        except Damage as damage:
            raise damage.refusal("put back a snapshot: without it nobody knows which segments count") from damage
        if known is None:
            raise Damage(self._folder / FILE, 0, "it is missing").refusal("put back a snapshot")
        self._file = known.file
        with disk.room(self._folder):
            for number in sorted(opening.log_numbers(self._folder, known)):
                self._mend_log(opening.log_path(self._folder, number))
            listed = [
                replace(each, segments=[kept for one in each.segments for kept in self._mended(each, one)])
                for each in known.collections
            ]
            manifest.write(self._folder, replace(known, collections=listed, file=self._file))
        self._report.vectors = snapshot.verify(self._folder)
        return self._report

    def _mended(self, listed: Listed, sealed: Sealed) -> list[Sealed]:
        """The segment as it can be used: itself, a new one, or none."""
        path = self._folder / sealed.segment
        try:
            segment = Segment(path, lenient=True)
        except FileNotFoundError:
            self._lose(Damage(path, 0, "it is missing"), f"a part of collection {quoted(listed.name)}")
            return []
        except Damage as damage:
            self._lose(damage, f"a part of collection {quoted(listed.name)}")
            self._put_aside(path)
            return []
        alive = self._alive(sealed, len(segment))
        damaged = [offset for offset, fits in segment.pieces() if not fits]
        if not damaged and alive is not None:
            return [sealed]
        lost = np.unique(np.concatenate([segment.rows_in(offset) for offset in damaged] or [np.empty(0, np.int64)]))
        for offset in damaged:
            self._lose(Damage(path, offset, "its checksum does not fit"), _named(segment, segment.rows_in(offset)))
        kept = np.setdiff1d(np.arange(len(segment)) if alive is None else np.flatnonzero(alive), lost)
        name, self._file = f"segment-{self._file}", self._file + 1
        if len(kept):
            write(self._folder / name, listed.dimension, [(segment, kept)], lambda: None)
        self._put_aside(path)
        return [Sealed(name)] if len(kept) else []

    def _alive(self, sealed: Sealed, count: int) -> NDArray[np.bool_] | None:
        """Which rows are; None where that cannot be read."""
        if not sealed.dead:
            return np.ones(count, dtype=np.bool_)
        path = self._folder / sealed.dead
        try:
            return manifest.read_dead(path, count)
        except (OSError, Damage):
            self._lose(Damage(path, 0, "it cannot be read"), "which vectors were deleted: some are there again")
            return None

    def _mend_log(self, path: Path) -> None:
        """Keep the whole records; what stands between them is put aside with the file."""
        data = path.read_bytes()
        view = memoryview(data)
        parts: list[memoryview] = []
        at = 0
        while at < len(data):
            problem, end = log.whole(view, at)
            if problem:
                following = log.next_whole(data, at + 1)
                if following is None:
                    break  # the end of a write that was torn: the next start cuts it off
                self._lose(Damage(path, at, problem), f"changes in {following - at:,} bytes")
                end = following
            else:
                parts.append(view[at:end])
            at = end
        if sum(map(len, parts)) < at:
            whole = [bytes(part) for part in parts]
            self._put_aside(path)
            disk.replace(path, whole)

    def _lose(self, damage: Damage, what: str) -> None:
        self._report.lost.append(f"{damage}; lost: {what}")

    def _put_aside(self, path: Path) -> None:
        if self._report.aside is None:
            number = 1
            while (aside := self._folder / f"damaged-{number}").exists():
                number += 1
            aside.mkdir()
            self._report.aside = aside
        path.rename(self._report.aside / path.name)


def _named(segment: Segment, rows: NDArray[np.int64]) -> str:
    """How many vectors, and which."""
    ids = []
    for row in rows[:SHOWN].tolist():
        try:
            ids.append(quoted(segment.id(row)))
        except (UnicodeDecodeError, ValueError):
            continue
    more = ", and others" if len(rows) > len(ids) else ""
    return f"{len(rows):,} vectors" + (f": {', '.join(ids)}{more}" if ids else "")
