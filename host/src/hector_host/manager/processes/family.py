"""Every process that belongs to one start of a plugin, wherever it has gone, and the end of all of them.

What belongs: the process that was spawned, all below it while it lives, its session, and everything that inherited the
marker in its environment, which a daemon that forked twice into a session of its own still has. What has left session,
environment and tree ends with the host at the latest: on Linux the warden is the subreaper of all of them. The host is
one too, for the case that somebody kills the warden.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from hector_host.manager.launch.environment import MARKER
from hector_host.manager.processes import census

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SET_CHILD_SUBREAPER = 36
_GET_CHILD_SUBREAPER = 37


_holders: set[object] = set()
"""Who wants this process to be a subreaper: the system has one such setting for all of a process."""


@contextmanager
def subreaper() -> Iterator[None]:
    """While anybody has entered it, orphaned descendants become children of this process (Linux).

    A process that was one before, for reasons of its own, stays one.
    """
    if sys.platform != "linux" or (not _holders and _is_subreaper()):
        yield
        return
    holder = object()
    _holders.add(holder)
    _be_subreaper(wanted=True)
    try:
        yield
    finally:
        _holders.discard(holder)
        _be_subreaper(wanted=bool(_holders))


def _is_subreaper() -> bool:
    import ctypes

    answer = ctypes.c_int(0)
    ctypes.CDLL(None).prctl(_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0)
    return bool(answer.value)


def _be_subreaper(*, wanted: bool) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, ctypes.c_ulong(wanted), 0, 0, 0)


def members(leader: int, instance: str) -> dict[int, census.Status]:
    """The living processes of a start, by their numbers (Linux).

    Args:
        leader: The spawned process. It must not have been reaped, so that its number still means it. 0 when nobody
            knows it.
        instance: The marker's value.
    """
    everyone = census.census()
    tree = {leader, *census.below(leader, everyone)} if leader else set()
    marker = f"{MARKER}={instance}".encode()
    return {
        pid: status
        for pid, status in everyone.items()
        if status.lives and (pid in tree or (status.session == leader != 0) or marker in census.environment(pid))
    }


def strike_all(variable: str, folder: Path) -> bool:
    """SIGKILL to every process whose environment names something in that folder; whether there was one (Linux)."""
    begin = os.fsencode(f"{variable}={folder}/")
    found = [
        (pid, status.started)
        for pid, status in census.census().items()
        if status.lives and any(entry.startswith(begin) for entry in census.environment(pid))
    ]
    for pid, started in found:
        census.strike(pid, started)
    return bool(found)


def strike(leader: int, instance: str) -> set[int]:
    """SIGKILL to every member; who was hit. Members may fork meanwhile, so strike until nobody is."""
    if sys.platform != "linux":
        return _strike_tree(leader)
    found = members(leader, instance)
    for pid, status in found.items():
        census.strike(pid, status.started)
    return set(found)


def bury(struck: set[int], warden: int) -> set[int]:
    """Those who are not gone yet: they still end, or are dead and still to be reaped.

    The warden reaps them, or the host if it has adopted them. The dead child of anybody else is not waited for.

    Args:
        struck: Who was hit.
        warden: The number of the warden's process.
    """
    return {pid for pid in struck if not _gone(pid, {warden, os.getpid()})}


def dying(pid: int) -> bool:
    """Whether a process is on its way out, or dead: its sockets may be closed before anybody hears of it (Linux)."""
    return census.Status(pid).ending


def reap_orphans() -> None:
    """Reaps dead processes that the host adopted.

    A child that the host spawned itself has the host's session or leads its own. A dead child in any third session was
    spawned by somebody else, so nobody waits for it. An orphan that led a session of its own cannot be told from a
    child that somebody in this process still waits for: it stays until the host ends.
    """
    own, session = os.getpid(), os.getsid(0)
    for pid, status in census.census().items():
        if not status.lives and status.parent == own and status.session not in {session, pid}:
            _reap(pid)


def _gone(pid: int, parents: set[int]) -> bool:
    _reap(pid)
    status = census.Status(pid)
    return status.state == "X" or (not status.lives and status.parent not in parents)


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):  # somebody else's
        os.waitpid(pid, os.WNOHANG)


def _strike_tree(leader: int) -> set[int]:
    """As far as that goes without /proc: psutil looks whether a number still means the same process."""
    import psutil

    hit = set()
    with suppress(psutil.Error):
        process = psutil.Process(leader)
        for each in [*process.children(recursive=True), process]:
            with suppress(psutil.Error):
                if each.status() != psutil.STATUS_ZOMBIE:
                    each.kill()
                    hit.add(each.pid)
    return hit
