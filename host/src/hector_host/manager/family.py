"""Every process that belongs to one start of a plugin, wherever it has gone, and the end of all of them.

What belongs: the process that the host spawned, its session, and everything that inherited the marker in its
environment, which a daemon that forked twice into a session of its own still has. On Linux the host is the subreaper
of its descendants, so orphans become its children and can be reaped. A process that has both left the session and
emptied its environment is not found; only a namespace holds such a one.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

from hector_host.manager.environment import MARKER

_SET_CHILD_SUBREAPER = 36
_GET_CHILD_SUBREAPER = 37
_PF_EXITING = 4


@contextmanager
def subreaper() -> Iterator[None]:
    """While it is entered, orphaned descendants become children of this process (Linux)."""
    if sys.platform != "linux":
        yield
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    before = ctypes.c_int(0)
    libc.prctl(_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0)
    libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_SET_CHILD_SUBREAPER, before.value, 0, 0, 0)


def members(leader: int, instance: str) -> set[int]:
    """The living processes of a start.

    Args:
        leader: The spawned process. It must not have been reaped, so that its number still means it.
        instance: The marker's value.
    """
    if sys.platform != "linux":
        return _descendants(leader)
    numbers = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())  # noqa: PTH208 (a Path each would cost more)
    return {pid for pid in numbers if _belongs(pid, leader, instance)}


def strike(leader: int, instance: str) -> set[int]:
    """SIGKILL to every member; who was hit. Members may fork meanwhile, so strike until nobody is."""
    found = members(leader, instance)
    for pid in found:
        _kill(pid, leader, instance)
    return found


def bury(dying: set[int]) -> set[int]:
    """Reaps those that the host adopted; those that cannot be reaped yet, because their threads still end."""
    return {pid for pid in dying if not _reap(pid)}


def dying(pid: int) -> bool:
    """Whether a process is on its way out: its sockets may be closed a moment before it can be waited for (Linux)."""
    return bool(_status(pid).flags & _PF_EXITING)


def reap_orphans() -> None:
    """Reaps dead processes that the host adopted.

    A child that the host spawned itself has the host's session or leads its own. A dead child in any third session was
    spawned by somebody else, so nobody waits for it. An orphan that led a session of its own cannot be told from a
    child that somebody in this process still waits for: it stays until the host ends.
    """
    if sys.platform != "linux":
        return
    own, session = os.getpid(), os.getsid(0)
    for entry in os.listdir("/proc"):  # noqa: PTH208 (as above)
        if entry.isdigit():
            status = _status(int(entry))
            if not status.lives and status.parent == own and status.session not in {session, int(entry)}:
                _reap(int(entry))


def descriptor(pid: int) -> int:
    """A descriptor that means this process and no later one of its number; -1 where the system has none to give."""
    try:
        return os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    except OSError:
        return -1


def _kill(pid: int, leader: int, instance: str) -> None:
    """A number may pass to a stranger between the look and the signal; a descriptor of the process may not."""
    held = descriptor(pid)
    try:
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "linux" and not _belongs(pid, leader, instance):
                return
            if held >= 0:
                signal.pidfd_send_signal(held, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGKILL)
    finally:
        if held >= 0:
            os.close(held)


def _belongs(pid: int, leader: int, instance: str) -> bool:
    status = _status(pid)
    return status.lives and (status.session == leader or f"{MARKER}={instance}".encode() in _environment(pid))


def _reap(pid: int) -> bool:
    """False for a child of this process that has not ended."""
    try:
        return os.waitpid(pid, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return True


@dataclass(frozen=True, slots=True)
class _Status:
    """What /proc says of a process; `X` when there is none."""

    state: str = "X"
    parent: int = 0
    session: int = 0
    flags: int = 0
    threads: int = 0

    @property
    def lives(self) -> bool:
        """A process whose first thread has ended looks dead while the others go on."""
        return self.state not in "ZX" or self.threads > 1


def _status(pid: int) -> _Status:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 (read for every process: a Path would cost more)
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return _Status()
    return _Status(fields[0].decode(), int(fields[1]), int(fields[3]), int(fields[6]), int(fields[17]))


def _environment(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 (as above)
            return file.read().split(b"\0")
    except OSError:
        return []


def _descendants(leader: int) -> set[int]:
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(leader)
        living = [process, *process.children(recursive=True)]
        return {each.pid for each in living if each.status() != psutil.STATUS_ZOMBIE}
    return set()
