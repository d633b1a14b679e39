"""Copies of a directory: taken while it changes, and put back.

A snapshot is a data directory itself. What never changes is linked where the file system can, else copied; what may
still grow is copied as far as it was answered.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc

from hector_faiss_database import disk, manifest, opening
from hector_faiss_database.log import Damage
from hector_faiss_database.manifest import FILE
from hector_sdk import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hector_faiss_database.engine import Engine

SEPARATE = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EACCES}
"""Why two names cannot be one file: then it is copied."""
PIECE = 1 << 22
"""Bytes that are copied at a time."""


def take(engine: Engine, folder: Path) -> tuple[int, int]:
    """Copy an open directory into a folder that is not there or empty; vectors and bytes. In the writer's turn.

    Raises:
        Status: ALREADY_EXISTS where something is; RESOURCE_EXHAUSTED where it does not fit, and nothing is left.
    """
    made = _new(folder)
    with _whole(folder, made=made):
        known = engine.background.publish()
        for name in sorted(known.files | {FILE}):
            _link(engine.folder / name, folder / name)
        for path in sorted(engine.folder.glob("index-*")):
            if path.name.replace("index", "segment", 1) in known.files:
                _link(path, folder / path.name)
        logs = [*(frozen.log for frozen in engine.frozen), engine.log]
        for log in logs:
            _copy(log.path, folder / log.path.name, log.end)
        disk.sync_folder(folder)
        size = sum(path.stat().st_size for path in folder.iterdir())
    return sum(len(each) for each in engine.collections.values()), size


def restore(source: Path, folder: Path) -> int:
    """Copy a snapshot that nobody has open into a directory that is not there or empty, once every byte is verified.

    Raises:
        Status: As `take`; FAILED_PRECONDITION where the snapshot is damaged.
    """
    verify(source)
    made = _new(folder)
    with _whole(folder, made=made):
        for path in sorted(source.iterdir()):
            if path.name == FILE or manifest.OURS.fullmatch(path.name):
                _copy(path, folder / path.name, path.stat().st_size)
        disk.sync_folder(folder)
    return sum(path.stat().st_size for path in folder.iterdir())


def verify(folder: Path) -> int:
    """Read every byte of a directory that nobody has open; how many vectors it has.

    Raises:
        Status: FAILED_PRECONDITION, with the file and the place, where something is not as it was written.
    """
    opened = opening.opened(folder)
    opened.close()
    try:
        for collection in opened.collections.values():
            for segment in collection.segments:
                segment.verify()
    except Damage as damage:
        raise damage.refusal(opening.advice(folder)) from damage
    return sum(len(collection) for collection in opened.collections.values())


@contextmanager
def _whole(folder: Path, *, made: bool) -> Iterator[None]:
    """Leaves nothing of a copy that does not come to its end."""
    try:
        with disk.room(folder):
            yield
    except BaseException:
        for path in folder.iterdir():
            path.unlink()
        if made:
            folder.rmdir()
        raise


def _new(folder: Path) -> bool:
    """Make sure that a folder is there and empty; whether it was made."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if folder.is_dir() and not any(folder.iterdir()):
            return False
        words = f"{folder} is in use: name a folder that is not there yet, or an empty one"
        raise Status(grpc.StatusCode.ALREADY_EXISTS, words) from None
    except OSError as error:
        words = f"cannot make {folder}: {error.strerror}"
        raise Status(grpc.StatusCode.INVALID_ARGUMENT, words) from error
    return True


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in SEPARATE:
            raise
        _copy(source, target, source.stat().st_size)


def _copy(source: Path, target: Path, size: int) -> None:
    """The first bytes of a file, durably."""
    with source.open("rb") as old, target.open("xb") as new:
        left = size
        while left and (piece := old.read(min(left, PIECE))):
            new.write(piece)
            left -= len(piece)
        new.flush()
        os.fsync(new.fileno())
