"""Every process that belongs to one start of a plugin, wherever it has gone, and the end of all of them.

What belongs: the process that the host spawned, its session, and everything that inherited the marker in its environment,
which a daemon that forked twice into a session of its own still has. On Linux the host is the subreaper of its
descendants, so orphans become its children and can be reaped. A process that has both left the session and emptied its
environment is not found; only a namespace holds such a one.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

from hector_host.manager.environment import MARKER

_SET_CHILD_SUBREAPER = 36
_GET_CHILD_SUBREAPER = 37


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


def bury(dead: set[int]) -> None:
    """Reaps those of the dead that the host adopted, and every other orphan that nobody waits for."""
    for pid in dead:
        _reap(pid)
    reap_orphans()


def reap_orphans() -> None:
    """Reaps dead processes that the host adopted.

    A child that the host spawned itself has the host's session or leads its own. A dead child in any third session was
    spawned by somebody else, so nobody waits for it.
    """
    if sys.platform != "linux":
        return
    own, session = os.getpid(), os.getsid(0)
    for entry in os.listdir("/proc"):  # noqa: PTH208 (as above)
        if entry.isdigit():
            state, parent, its_session = _status(int(entry))
            if state == "Z" and parent == own and its_session not in {session, int(entry)}:
                _reap(int(entry))


def _kill(pid: int, leader: int, instance: str) -> None:
    """A number may pass to a stranger between the look and the signal; a descriptor of the process may not."""
    with suppress(ProcessLookupError, PermissionError):
        if not hasattr(os, "pidfd_open"):
            os.kill(pid, signal.SIGKILL)
            return
        descriptor = os.pidfd_open(pid)
        try:
            if _belongs(pid, leader, instance):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


def _belongs(pid: int, leader: int, instance: str) -> bool:
    state, _, session = _status(pid)
    return state not in "ZX" and (session == leader or f"{MARKER}={instance}".encode() in _environment(pid))


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _status(pid: int) -> tuple[str, int, int]:
    """State letter, parent and session of a process; `X` when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 (as above)
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return "X", 0, 0
    return fields[0].decode(), int(fields[1]), int(fields[3])


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
