"""Which process runs a run, told apart from a later one that got the same pid."""

from __future__ import annotations

import functools
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

MARK = "/"


@functools.cache
def this_process() -> str:
    """HOST/PID/START of this process."""
    return MARK.join((socket.gethostname().replace(MARK, "-"), str(os.getpid()), _start_of(os.getpid())))


def is_alive(owner: str) -> bool:
    """Whether an owner still lives. One on another machine is believed to."""
    host, pid, start = owner.split(MARK)
    if host != this_process().split(MARK)[0]:
        return True
    return _start_of(int(pid)) == start


def _start_of(pid: int) -> str:
    """When a process began, in ticks since the machine did where /proc tells; empty when there is none."""
    if sys.platform == "linux":
        # Not psutil's time: that is counted from the clock, and moves when the clock is set.
        with suppress(OSError):
            return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[19]
        return ""
    import psutil

    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.NoSuchProcess:
        return ""
