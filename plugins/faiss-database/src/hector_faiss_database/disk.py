"""What every file here is written by: whole or not at all, and on the disk before anybody relies on it."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import grpc
import xxhash

from hector_faiss_database.refusals import no_room
from hector_sdk import Status

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The file system, a quota or a limit on the size of files takes nothing more."""

MOST_BUFFERS = 512
"""Buffers that one system call takes; the kernel's own bound is 1,024."""


def checksum(*parts: bytes | memoryview) -> int:
    """XXH3 (64 bits) over all parts, one after the other."""
    total = xxhash.xxh3_64()
    for part in parts:
        total.update(part)
    return total.intdigest()


def write_at(descriptor: int, parts: Sequence[bytes | memoryview], offset: int) -> int:
    """Write all parts, however often the kernel stops in between; returns the offset behind them."""
    waiting = [view for view in (memoryview(part).cast("B") for part in parts) if len(view)]
    while waiting:
        written = os.pwritev(descriptor, waiting[:MOST_BUFFERS], offset)
        offset += written
        while waiting and written >= len(waiting[0]):
            written -= len(waiting.pop(0))
        if written:
            waiting[0] = waiting[0][written:]
    return offset


def sync_folder(folder: Path) -> None:
    """The names of its files are as durable as their bytes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, parts: Sequence[bytes | memoryview]) -> None:
    """Put a file in the place of another in one step, durably."""
    aside = path.with_name(path.name + ".new")
    try:
        with aside.open("wb", buffering=0) as file:
            write_at(file.fileno(), parts, 0)
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """Turns a full disk into Status RESOURCE_EXHAUSTED, and what else fails there into UNAVAILABLE."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise no_room(str(folder), error.strerror or "it is full") from error
        words = f"cannot write to {folder}: {error.strerror}; what was answered before is safe"
        raise Status(grpc.StatusCode.UNAVAILABLE, words) from error
