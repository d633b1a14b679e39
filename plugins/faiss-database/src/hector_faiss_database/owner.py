"""One process owns a directory: vectors in memory and on disk stay equal only while nobody else writes there.

The lock is the kernel's (flock), so it ends with its holder however that dies; the file's text only says who holds it.
"""

import fcntl
import os
from pathlib import Path

import grpc

from hector_sdk import Status

LOCK = "faiss-database.lock"


class Owner:
    """Holds the directory from its making until `release`."""

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise Status(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"{directory} is in use by process {holder or 'unknown'}: a database directory has one owner at a time",
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode("ascii"), 0)

    def release(self) -> None:
        """Let the next process have the directory."""
        os.close(self._file)
