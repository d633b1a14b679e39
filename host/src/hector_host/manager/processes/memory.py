"""Whether the kernel killed a process for want of memory, by the kernel's own count of such kills.

An out-of-memory kill looks like any other SIGKILL. It is taken for one when the host did not send that signal and the
count of the process's control group rose since a snapshot. The group may hold other processes, one of which may have
been hit in the same moment while somebody else's SIGKILL ended this one: the shorter ago the snapshot, the smaller that
doubt, so whoever watches a process takes a new one at each of its health checks. Without groups the count is that of
the whole machine, and the doubt larger.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class _Mount:
    """A mounted hierarchy of control groups.

    Attributes:
        root: The group that is seen at `point`; a container sees but its own.
        kind: "cgroup" or "cgroup2".
    """

    root: str
    point: str
    kind: str
    options: frozenset[str]


class OomCounter:
    """The out-of-memory kills in the control group of one process, and in the groups below it where they count there.

    The kernel counts before it kills, so a count that is read after a death includes it. It counts each process of a
    group that it kills as a whole, too.

    Args:
        pid: Whose group; it must live, and is looked up once. Default: this process, whose group its children share
            unless somebody puts them elsewhere.
        proc: The system's /proc.
    """

    def __init__(self, pid: int | None = None, proc: Path = PROC) -> None:
        self._file = _counting_file("self" if pid is None else str(pid), proc) if sys.platform == "linux" else None

    def read(self) -> int:
        """Kills so far; 0 where nobody counts them. Costs one small file."""
        return 0 if self._file is None else _count(self._file) or 0

    def rose_since(self, snapshot: int) -> bool:
        """Whether there were any since `read` gave `snapshot`."""
        return self.read() > snapshot


def _counting_file(process: str, proc: Path) -> Path | None:
    for file in (*_group_files(process, proc), proc / "vmstat"):
        if _count(file) is not None:
            return file
    return None


def _group_files(process: str, proc: Path) -> list[Path]:
    """The files that count for the group of a process: of version 2, which counts the groups below too, then of 1."""
    groups = {}
    for line in _lines(proc / process / "cgroup"):
        _, controllers, group = line.split(":", 2)
        groups.update(dict.fromkeys(controllers.split(","), group))  # version 2 has one hierarchy, without a name
    mounts = [_mount(line) for line in _lines(proc / "self" / "mountinfo")]
    second = [
        _inside(mount, groups[""]) / "memory.events" for mount in mounts if mount.kind == "cgroup2" and "" in groups
    ]
    first = [
        _inside(mount, groups["memory"]) / "memory.oom_control"
        for mount in mounts
        if mount.kind == "cgroup" and "memory" in mount.options and "memory" in groups
    ]
    return second + first


def _inside(mount: _Mount, group: str) -> Path:
    """Where a group is seen; the top of the mount when it is not below that."""
    seen = PurePosixPath(group)
    return Path(mount.point) / (seen.relative_to(mount.root) if seen.is_relative_to(mount.root) else "")


def _mount(line: str) -> _Mount:
    """A line of mountinfo: `id parent device root point options [tags] - type source options`."""
    place, _, kind = line.partition(" - ")
    _, _, _, root, point, *_ = place.split(" ")
    return _Mount(root, point, kind.split(" ")[0], frozenset(kind.split(" ")[-1].split(",")))


def _count(file: Path) -> int | None:
    """The number beside `oom_kill`; None where that is not counted."""
    for line in _lines(file):
        name, _, number = line.partition(" ")
        if name == "oom_kill" and number.isdigit():
            return int(number)
    return None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", "backslashreplace").splitlines()
    except OSError:
        return []
