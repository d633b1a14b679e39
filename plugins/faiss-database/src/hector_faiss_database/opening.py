"""A directory is opened: manifest, segments, and the logs read again. What a crash left half done is undone.

A log's last record may be torn: it was never answered, and is cut off. Everything else that is not as it was written is
damage, and refused with its place.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hector_faiss_database import disk, log, manifest
from hector_faiss_database.collection import Collection, Part
from hector_faiss_database.log import Damage, Kind, Log
from hector_faiss_database.manifest import Manifest
from hector_faiss_database.records import Ids, Settings
from hector_faiss_database.refusals import quoted
from hector_faiss_database.segment import Segment

if TYPE_CHECKING:
    from pathlib import Path

    from hector_faiss_database.tail import Tail

logger = logging.getLogger(__name__)

VERIFIED = 64 << 20
"""Bytes of a segment that is verified whole when it is opened; larger ones are verified behind the calls."""


@dataclass
class Counters:
    """What the next collection, key and file are numbered."""

    collection: int = 1
    key: int = 1
    file: int = 1


@dataclass
class Opened:
    """A directory's collections by name, its counters, its logs that are done with, and the one that goes on."""

    collections: dict[str, Collection]
    counters: Counters
    log: Log
    frozen: list[tuple[Log, list[tuple[Collection, Tail]]]] = field(default_factory=list)

    def close(self) -> None:
        """Leave the logs."""
        for each in (*(frozen for frozen, _ in self.frozen), self.log):
            each.close()


def opened(folder: Path) -> Opened:
    """Everything in a folder. Status FAILED_PRECONDITION when it is damaged, or cannot be read or written."""
    started = time.monotonic()
    try:
        with disk.room(folder):
            known = manifest.read(folder) or _begun(folder)
            found = _replayed(folder, known, _sealed(folder, known))
            sweep(folder, known)
    except Damage as error:
        raise error.refusal(advice(folder)) from error
    for collection in found.collections.values():
        seconds = time.monotonic() - started
        name = quoted(collection.settings.name)
        logger.info("opened %d vectors of collection %s after %.2f s", len(collection), name, seconds)
    return found


def advice(folder: Path) -> str:
    """What helps against damage."""
    return f"stop this plugin and run: python -m hector_faiss_database repair {folder}"


def sweep(folder: Path, known: Manifest) -> None:
    """Remove the files of changes that did not come to their end."""
    kept = known.files
    for path in folder.iterdir():
        if not manifest.OURS.fullmatch(path.name) or path.name in kept:
            continue
        kind, _, rest = path.name.partition("-")
        number = rest.partition("-")[0]
        if kind == "log" and "." not in rest and int(number) >= known.log:
            continue
        if kind == "index" and f"segment-{number}" in kept and "." not in path.name:
            continue
        path.unlink(missing_ok=True)


def log_path(folder: Path, number: int) -> Path:
    """Where a log is."""
    return folder / f"log-{number}"


def log_numbers(folder: Path, known: Manifest) -> list[int]:
    """The logs whose records are not in segments."""
    numbers = (int(path.name[4:]) for path in folder.glob("log-*") if path.name[4:].isdigit())
    return sorted(number for number in numbers if number >= known.log)


def _begun(folder: Path) -> Manifest:
    """The manifest of a new directory."""
    strays = sorted(
        path.name for path in folder.iterdir() if manifest.OURS.fullmatch(path.name) and "." not in path.name
    )
    if strays:
        raise Damage(folder / manifest.FILE, 0, f"it is missing, and {strays[0]} is there")
    first = Manifest()
    manifest.write(folder, first)
    return first


def _sealed(folder: Path, known: Manifest) -> dict[int, Collection]:
    """The collections by number, as the manifest has them."""
    return {
        listed.number: Collection(listed.number, listed.settings, [_part(folder, sealed) for sealed in listed.segments])
        for listed in known.collections
    }


def _part(folder: Path, sealed: manifest.Sealed) -> Part:
    try:
        segment = Segment(folder / sealed.segment)
        alive = manifest.read_dead(folder / sealed.dead, len(segment)) if sealed.dead else None
    except FileNotFoundError as error:
        raise Damage(folder / error.filename, 0, "it is missing") from None
    if segment.bytes <= VERIFIED:
        segment.verify()
    return Part(segment, len(segment), alive)


def _replayed(folder: Path, known: Manifest, collections: dict[int, Collection]) -> Opened:
    counters = Counters(known.collection, known.key, known.file)
    there = log_numbers(folder, known)
    numbers = there or [known.log]
    frozen: list[tuple[Log, list[tuple[Collection, Tail]]]] = []
    for number in range(known.log, numbers[-1] + 1):
        last = number == numbers[-1]
        path = log_path(folder, number)
        if not last and number not in there:
            raise Damage(path, 0, "it is missing")
        end = _read(path, collections, counters, last=last)
        current = Log(path, number, end)
        if not last:
            frozen.append((current, [(each, tail) for each in collections.values() if (tail := each.freeze())]))
    disk.sync_folder(folder)
    named = {each.settings.name: each for each in collections.values()}
    return Opened(named, counters, current, frozen)


def _read(path: Path, collections: dict[int, Collection], counters: Counters, *, last: bool) -> int:
    """Read a log again; the offset behind its last record."""
    end = 0
    if not path.exists():
        return end
    try:
        for end, record in log.read(path):  # noqa: B007 - it is returned
            _again(record, collections, counters)
    except Damage as damage:
        if not last or log.synced(path.read_bytes(), damage.offset):
            raise
        size = path.stat().st_size
        logger.warning(
            "%s: cut off the last %d bytes, from byte %d on: %s; that change was never answered",
            path,
            size - end,
            end,
            damage.problem,
        )
        with path.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())
    return end


def _again(record: log.Record, collections: dict[int, Collection], counters: Counters) -> None:
    """Make a change in memory that is on the disk already."""
    if record.kind is Kind.CREATE:
        settings = Settings(**(record.settings or {}))
        collections.setdefault(record.collection, Collection(record.collection, settings))
        counters.collection = max(counters.collection, record.collection + 1)
    elif record.kind is Kind.DROP:
        collections.pop(record.collection, None)
    elif (collection := collections.get(record.collection)) is None:
        return  # it was dropped later, and the manifest knows
    elif record.batch is None or record.keys is None:
        collection.remove(Ids(record.ids))
    else:
        collection.put(record.keys, record.batch)
        if len(record.keys):
            counters.key = max(counters.key, int(record.keys.max()) + 1)
