"""What the system says of processes, and the one way to kill any of them: by what it is, not by its number alone.

The warden runs this too, where nothing of the host can be imported. On Linux alone; elsewhere there is nobody.
"""

import _signal  # type: ignore[import-not-found]  # `signal` takes half as long to import as Python to boot
import os

_PF_EXITING = 4


class Status:
    """What /proc says of a process; `X` when there is none.

    Attributes:
        started: When it began, in ticks since the machine did: with its number this means it and no later process.
        ticks: Of processor time, those of its ended and awaited children included.
        pages: Resident.
    """

    __slots__ = ("flags", "pages", "parent", "pid", "session", "started", "state", "threads", "ticks")

    def __init__(self, pid: int) -> None:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 (read for every process: a Path would cost more)
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            fields = [b"X", *[b"0"] * 21]
        self.pid = pid
        self.state = fields[0].decode()
        self.parent, self.session, self.flags = int(fields[1]), int(fields[3]), int(fields[6])
        self.threads, self.started, self.pages = int(fields[17]), int(fields[19]), int(fields[21])
        self.ticks = sum(map(int, fields[11:15]))

    @property
    def lives(self) -> bool:
        """A process whose first thread has ended looks dead while the others go on."""
        return self.state not in "ZX" or self.threads > 1

    @property
    def ending(self) -> bool:
        """Its sockets may be closed a moment before it can be waited for."""
        return bool(self.flags & _PF_EXITING)


def census() -> dict[int, Status]:
    """Every process that can be seen."""
    try:
        return {int(entry): Status(int(entry)) for entry in os.listdir("/proc") if entry.isdigit()}  # noqa: PTH208 (as above)
    except OSError:
        return {}


def environment(pid: int) -> list[bytes]:
    """What a process was started with, as `NAME=VALUE`; empty for one that this user may not look into."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 (as above)
            return file.read().split(b"\0")
    except OSError:
        return []


def below(root: int, everyone: dict[int, Status]) -> list[int]:
    """The descendants of a process, parents before their children."""
    children: dict[int, list[int]] = {}
    for pid, status in everyone.items():
        children.setdefault(status.parent, []).append(pid)
    found = list(children.get(root, ()))
    for pid in found:  # grows meanwhile
        found += children.get(pid, ())
    return found


def strike(pid: int, started: int) -> None:
    """SIGKILL to that process, and to no later one of its number."""
    descriptor = descriptor_of(pid)
    if descriptor >= 0:
        try:
            if Status(pid).started == started:
                _signal.pidfd_send_signal(descriptor, _signal.SIGKILL)
        except OSError:  # it has ended, or became another user's
            pass
        finally:
            os.close(descriptor)


def descriptor_of(pid: int) -> int:
    """A descriptor that means this process and no later one of its number; -1 where the system has none to give."""
    try:
        return os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    except OSError:
        return -1
