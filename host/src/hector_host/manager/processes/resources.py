"""What plugins use of the machine: memory, processor time, processes, threads and open files of whole families.

A family here is the spawned process, its session, its descendants, and the orphans that its own parent adopted and that
carry its marker. One pass over /proc serves any number of families, so that it may be made once a second.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hector_host.manager.launch.environment import MARKER
from hector_host.manager.processes.census import census, environment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hector_host.manager.processes.census import Status


@dataclass(frozen=True, slots=True)
class Resources:
    """What a family uses at one moment.

    Attributes:
        memory: Bytes resident, the sum over its processes. What they share is counted in each of them: telling that
            apart costs the kernel a walk through all their pages.
        cpu: Seconds of processor time, those of its ended and awaited children included.
        processes: That live.
        threads: Of all of them.
        files: Open descriptors of those that this user may look into.
    """

    memory: int
    cpu: float
    processes: int
    threads: int
    files: int


def measure(leader: int) -> Resources | None:
    """What the family of one spawned process uses; None when nothing of it lives."""
    return measure_all((leader,)).get(leader)


def measure_all(leaders: Iterable[int]) -> dict[int, Resources]:
    """The same of many families at once; those of which nothing lives are missing.

    Args:
        leaders: Spawned processes that have not been reaped, so that their numbers still mean them.
    """
    wanted = frozenset(leaders)
    if sys.platform != "linux":
        return {leader: used for leader in wanted if (used := _measured_elsewhere(leader)) is not None}
    families = _Census(wanted).families().items()
    return {leader: _sum(members) for leader, members in families if any(each.lives for each in members)}


class _Census:
    """All processes of one moment, and to which family each belongs."""

    def __init__(self, leaders: frozenset[int]) -> None:
        self._leaders = leaders
        self._processes = census()
        self._families: dict[int, int] = {}
        self._guardians = {process.parent for process in self._processes.values() if process.pid in leaders}

    def families(self) -> dict[int, list[Status]]:
        """The members of each family."""
        found: dict[int, list[Status]] = {leader: [] for leader in self._leaders}
        for process in self._processes.values():
            family = self._family(process)
            if family:
                found[family].append(process)
        return found

    def _family(self, process: Status) -> int:
        """The leader; 0 for a stranger. Each process is asked for once, with all of its ancestors."""
        line: list[int] = []
        family: int | None = None
        ancestor: Status | None = process
        while family is None and ancestor is not None:
            family = self._families[ancestor.pid] if ancestor.pid in self._families else self._own_family(ancestor)
            self._families[ancestor.pid] = 0  # the lines of /proc come from many moments: they might lead in a circle
            line.append(ancestor.pid)
            ancestor = self._processes.get(ancestor.parent)
        self._families.update(dict.fromkeys(line, family or 0))
        return family or 0

    def _own_family(self, process: Status) -> int | None:
        """The leader, as far as that does not follow from the parent."""
        if process.pid in self._leaders:
            return process.pid
        if process.session in self._leaders:
            return process.session
        if process.parent in self._guardians and process.lives:
            return self._leaders_by_marker.get(_marker(process.pid))
        return None

    @cached_property
    def _leaders_by_marker(self) -> dict[bytes, int]:
        markers = {_marker(leader): leader for leader in self._leaders}
        markers.pop(b"", None)
        return markers


def _marker(pid: int) -> bytes:
    """The family's marker in the environment of a process; empty when there is none."""
    return next((entry for entry in environment(pid) if entry.startswith(f"{MARKER}=".encode())), b"")


def _sum(members: list[Status]) -> Resources:
    living = [each for each in members if each.lives]
    return Resources(
        memory=sum(each.pages for each in living) * os.sysconf("SC_PAGE_SIZE"),
        cpu=sum(each.ticks for each in members) / os.sysconf("SC_CLK_TCK"),
        processes=len(living),
        threads=sum(each.threads for each in living),
        files=sum(_open_files(each.pid) for each in living),
    )


def _open_files(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 (as above)
    except OSError:
        return 0


def _measured_elsewhere(leader: int) -> Resources | None:
    """By psutil, which knows descendants alone."""
    import psutil

    used = []
    with suppress(psutil.Error):
        process = psutil.Process(leader)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error), each.oneshot():
                if each.status() != psutil.STATUS_ZOMBIE:
                    files = each.num_fds() if hasattr(each, "num_fds") else 0
                    cpu = sum(each.cpu_times()[:2])
                    used.append(Resources(each.memory_info().rss, cpu, 1, each.num_threads(), files))
    if not used:
        return None
    return Resources(
        memory=sum(each.memory for each in used),
        cpu=sum(each.cpu for each in used),
        processes=len(used),
        threads=sum(each.threads for each in used),
        files=sum(each.files for each in used),
    )
