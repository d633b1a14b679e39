"""One process owns a directory: vectors in memory and on disk stay equal only while nobody else writes there.

The lock is the kernel's (flock), so it ends with its holder however that dies; the file's text only says who holds it.
A holder whose host was killed takes a moment to notice, so a newcomer is patient for a moment.
"""

import fcntl
import os
import time
from pathlib import Path

import grpc

from hector_sdk import Status

LOCK = "faiss-database.lock"
PATIENCE = 3.0
"""Seconds; orphans are gone within one."""
INTERVAL = 0.05


class Owner:
    """Holds the directory from its making until `release`. Status FAILED_PRECONDITION when another keeps it."""

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock(directory)
        except BaseException:
            os.close(self._file)
            raise
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode("ascii"), 0)

    def release(self) -> None:
        """Let the next process have the directory."""
        os.close(self._file)

    def _lock(self, directory: Path) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._taken():
            if time.monotonic() > deadline:
                holder = os.pread(self._file, 32, 0).decode("ascii", "replace") or "unknown"
                raise Status(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    f"{directory} is in use by process {holder}: a database directory has one owner at a time",
                )
            time.sleep(INTERVAL)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
