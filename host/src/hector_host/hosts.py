"""Which hosts live, and where they can be reached: records that are believed for as long as they are locked.

A host writes one record into its storage folder and one into a folder of its user, and holds a lock on both. The system
takes the locks from a process that ends, however it ends, so the record of a killed host is dead at once; nobody asks
whether a process of some number lives. Whoever has the lock on the storage folder's record is its only host.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hector_host.errors import HectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "host.json"
"""The record in a storage folder."""
SUFFIX = ".json"
SIZE_LIMIT = 64 << 10
"""Bytes of a record."""
ATTEMPTS = 20
PAUSE = 0.01
"""Seconds between attempts: who looks at a record holds its lock for a moment."""


@dataclass(frozen=True, slots=True)
class Record:
    """One host.

    Attributes:
        address: As gRPC clients take it. Empty: it does not listen yet.
        pid: Its process, for people: it may be one of another machine or container.
        config_file: Absolute.
        storage_path: Absolute.
        started: Seconds of Unix time.
    """

    address: str
    pid: int
    version: str
    config_file: str
    storage_path: str
    started: float


def of(place: Path) -> Record | None:
    """The live host of a configuration file, or of a storage folder."""
    if place.is_dir():
        return _live(place / NAME)
    wanted = os.path.realpath(place)
    return next((record for record in all_live() if os.path.realpath(record.config_file) == wanted), None)


def all_live() -> list[Record]:
    """This user's hosts that take calls, the oldest first."""
    paths = [path for folder in _folders() if _is_own(folder) for path in folder.glob(f"*{SUFFIX}")]
    return sorted(filter(None, map(_live, paths)), key=lambda record: record.started)


class Presence:
    """That a host lives, told by two locked files; a context manager, which removes them.

    Attributes:
        record: What they say.

    Args:
        record: The host before it listens; its storage folder is made.
        notice: Told when the user's folder cannot be used.

    Raises:
        HectorError: Another host has the storage folder, or it cannot be locked.
    """

    def __init__(self, record: Record, notice: Callable[[str], None]) -> None:
        self.record = record
        self._notice = notice
        self._held: dict[Path, int] = {}

    def __enter__(self) -> Self:
        storage = Path(self.record.storage_path)
        try:
            storage.mkdir(mode=0o700, parents=True, exist_ok=True)
            held = self._hold(storage / NAME)
        except OSError as error:
            raise HectorError(
                f"{storage}: cannot be locked: {error.strerror}",
                "Mend the folder, or give this configuration another storage.path, on a file system that has locks.",
            ) from None
        if not held:
            raise HectorError(
                f"{storage}: {_who(_record_at(storage / NAME))} has this storage folder",
                "Use or end that host, or give this configuration another storage.path.",
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def _release(self) -> None:
        for path, descriptor in self._held.items():
            _remove(path, descriptor)
            os.close(descriptor)
        self._held.clear()
        for folder in _folders():
            with suppress(OSError):  # not there, or others are in it
                folder.rmdir()

    def announce(self, address: str) -> None:
        """The host takes calls at this address: from now on it is found."""
        self.record = replace(self.record, address=address)
        for descriptor in self._held.values():
            _write(descriptor, self.record)
        for folder in _folders():
            _sweep(folder)
        folder = _folders()[0]
        try:
            self._join(folder)
        except OSError as error:
            self._notice(f"{folder}: {error.strerror}: commands that name no host do not find this one by themselves")

    def _join(self, folder: Path) -> None:
        """Puts the record into the user's folder, which is made when it is missing."""
        path = folder / f"{os.urandom(8).hex()}{SUFFIX}"
        for _ in range(ATTEMPTS):
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            if not _is_own(folder):
                raise PermissionError(0, "not a folder that only this user can enter")
            with suppress(FileNotFoundError):  # a host that has ended took the empty folder away
                if self._hold(path):
                    return
        raise FileNotFoundError(0, "taken away again and again")

    def _hold(self, path: Path) -> bool:
        """Writes the record to a file and keeps its lock; False when another process has it."""
        descriptor = _lock(path)
        if descriptor is None:
            return False
        self._held[path] = descriptor
        try:
            _write(descriptor, self.record)
        except OSError:
            self._release()
            raise
        return True


def _folders() -> list[Path]:
    """Where records of this user may be; new ones go into the first."""
    own = Path(tempfile.gettempdir(), f"hector-hosts-{os.geteuid()}")
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    return [Path(base, "hector-hosts"), own] if base and os.access(base, os.W_OK) else [own]


def _is_own(folder: Path) -> bool:
    """Nobody else could have put anything into it."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _lock(path: Path) -> int | None:
    """A descriptor that holds the lock of the file; None when another process has it."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        except OSError:
            os.close(descriptor)
            raise
        if _is_at(path, descriptor):
            return descriptor
        os.close(descriptor)  # it was removed between opening and locking
    return None


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is still the one at the path."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False


def _remove(path: Path, descriptor: int) -> None:
    if _is_at(path, descriptor):
        with suppress(OSError):
            path.unlink()


def _sweep(folder: Path) -> None:
    """Removes the records of dead hosts."""
    for path in folder.glob(f"*{SUFFIX}") if _is_own(folder) else ():
        for descriptor in _opened(path):
            if not _is_locked(descriptor):
                _remove(path, descriptor)


def _live(path: Path) -> Record | None:
    """The host of a record, if it takes calls."""
    record = _record_at(path)
    return record if record is not None and record.address else None


def _record_at(path: Path) -> Record | None:
    """A locked record; None when nobody holds it, or nothing is in it yet."""
    for descriptor in _opened(path):
        if _is_locked(descriptor):
            with suppress(ValueError, TypeError, KeyError):  # another version's, or one that is being written
                told = json.loads(os.pread(descriptor, SIZE_LIMIT, 0))
                return Record(**{name: told[name] for name in Record.__slots__})
    return None


def _opened(path: Path) -> Iterator[int]:
    """The descriptor of a file of this user; none when there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
            yield descriptor
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    """Whether another process has the lock; if not, this one has it until the descriptor is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # a file system without locks: nothing can be known
    return False


def _write(descriptor: int, record: Record) -> None:
    text = json.dumps(asdict(record)).encode()
    os.pwrite(descriptor, text, 0)
    os.ftruncate(descriptor, len(text))


def _who(record: Record | None) -> str:
    if record is None:
        return "another host"
    where = f" at {record.address}" if record.address else ""
    return f"the host{where} (process {record.pid}, {record.config_file})"
