"""The private folder in which one host's plugins put their sockets, gone with the host or swept by a later one.

It holds a file that the host and its warden keep locked for as long as either lives. A folder whose lock can be taken
is therefore nobody's any more; whoever takes it kills what still runs with a folder in it, if host and warden were
killed at once, and removes it. A folder of that name without such a file is somebody else's and stays.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

from hector_host.manager.failure import Failure
from hector_host.manager.launch.environment import MARKER
from hector_host.manager.processes import family

PREFIX = "hector-"
LOCK = ".hector-runtime-lock"
"""No other program has a file of that name: what has it may be removed."""
PATH_LIMIT = 100
"""Bytes of a socket's path; systems allow 104 or 108."""
LONGEST_NAME = len("/plugin4294967295")
"""go-plugin names a socket `plugin` and a random number of 32 bits."""
LONGEST_START = len("/12345")
"""Starts are counted in hexadecimal digits."""
STRIKES = 10
"""Processes may fork while they are killed; each time fewer are left."""


class RuntimeFolder:
    """One host's folder, locked.

    Attributes:
        path: Only this user can enter it.
        lock: The descriptor that holds the lock; -1 once the folder is removed.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.lock = lock
        self._numbers = itertools.count(1)

    @classmethod
    def make(cls) -> Self:
        """A new one; removes those that dead hosts have left beside it.

        Raises:
            Failure: Its path leaves no room for a socket's name.
            OSError: It cannot be made.
        """
        parent = _parent()
        while True:
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            try:
                lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:
                path.rmdir()
                raise
            if _locked(lock) and _is(lock, path / LOCK):  # else somebody swept it in between
                sweep(parent)
                return cls(path, lock)
            os.close(lock)

    def new(self) -> Path:
        """A folder in it, for one start of a plugin.

        Raises:
            OSError: It cannot be made.
        """
        path = self.path / f"{next(self._numbers):x}"
        path.mkdir(mode=0o700)
        return path

    def remove(self) -> None:
        """Removes it with all that is in it. May be called again."""
        if self.lock >= 0:
            _remove(self.path)
            os.close(self.lock)
            self.lock = -1


def sweep(parent: Path) -> None:
    """Removes the folders of dead hosts of this user."""
    with suppress(OSError):
        for path in parent.glob(f"{PREFIX}*"):
            with suppress(OSError):
                _sweep(path)


def _sweep(path: Path) -> None:
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        return
    lock = os.open(path / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if _locked(lock) and _is(lock, path / LOCK):
            for _ in range(STRIKES):
                if not family.strike_all(MARKER, path):
                    break
            _remove(path)
    finally:
        os.close(lock)


def _parent() -> Path:
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    parent = base if base and os.access(base, os.W_OK) else tempfile.gettempdir()
    length = len(os.fsencode(parent)) + len(f"/{PREFIX}12345678") + LONGEST_START + LONGEST_NAME
    if length >= PATH_LIMIT:
        raise Failure(
            "exec",
            f"the path of its socket would have {length} bytes, and a socket's path has less than {PATH_LIMIT}",
            f"Set XDG_RUNTIME_DIR or TMPDIR to a folder with a shorter path than {parent}",
        )
    return Path(parent)


def _locked(descriptor: int) -> bool:
    """Whether nobody else holds the lock, now that this descriptor does."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is(descriptor: int, path: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    return False


def _remove(folder: Path) -> None:
    """The lock's file goes last: what is left of an interrupted removal is swept, too."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name != LOCK:
                _remove_tree(path)
        (folder / LOCK).unlink(missing_ok=True)
        folder.rmdir()


def _remove_tree(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
