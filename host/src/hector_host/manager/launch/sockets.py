"""The check that the socket which a plugin announces is its own.

A host dials where a plugin tells it to. A plugin that announces a symlink would make the host talk to another plugin's
server in its name, so the very inode that was checked is the one that is dialled.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from hector_host.manager.failure import Failure

if TYPE_CHECKING:
    from pathlib import Path


def checked(path: Path) -> tuple[str, int | None]:
    """What gRPC dials to reach the socket at `path`, and the descriptor that holds it, to be closed by the caller.

    On Linux the descriptor is what is dialled, whatever the path becomes. Elsewhere the path is, and there is none.

    Raises:
        Failure: There is no socket of this user, or a link to one.
    """
    descriptor: int | None = None
    try:
        if sys.platform == "linux":
            descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
            status = os.fstat(descriptor)
        else:
            status = path.lstat()
    except OSError as error:
        raise _not_own(f"a socket that cannot be opened: {path}: {error.strerror}") from None
    problem = _problem(status)
    if problem:
        if descriptor is not None:
            os.close(descriptor)
        raise _not_own(f"{path}, which is {problem}")
    return f"unix:{path}" if descriptor is None else f"unix:/proc/self/fd/{descriptor}", descriptor


def _problem(status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return "a symbolic link"
    if not stat.S_ISSOCK(status.st_mode):
        return "not a socket"
    if status.st_uid != os.getuid():
        return f"owned by user {status.st_uid}, not by {os.getuid()}"
    return ""


def _not_own(what: str) -> Failure:
    return Failure("handshake", f"announces {what}", "A plugin announces a socket of its own.")


def remove(path: Path) -> None:
    """Takes a socket away that its plugin left behind. Anything else at that path stays."""
    with suppress(OSError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
