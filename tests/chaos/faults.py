"""What is done to a plugin: a table of functions, each of which does it to one process and returns."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

POUR_LIMIT = 30.0
"""Seconds in which a host has to take what is poured into a pipe, a busy machine counted in."""
MEGABYTE = 1 << 20

GARBAGE: tuple[Callable[[Random], bytes], ...] = (
    lambda chance: chance.randbytes(chance.randrange(1, MEGABYTE)),
    lambda _: b"1|1|unix|/tmp/elsewhere.sock|grpc\n",  # as if it were a second start
    lambda chance: b"x" * chance.randrange(1, 4 * MEGABYTE),  # a line without an end
    lambda _: b'{"@level": "error", "@message": "half\n{"@level": 7, "@message": [[[\n' + b"[" * 100_000 + b"\n",
    lambda _: b"\x00\xff\xfe\x1b[2J\x1b]0;title\x07\r\n" * 1000,
    lambda _: b"\n" * 100_000,
)


class GoneError(Exception):
    """The process has ended, or never was one of this run's, before anything was done to it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Attributes:
        strike: Does it to the process of a number, which lives as long as the descriptor is open.
        deaths: The reasons that the host may give for the end of the process; none: it must live.
    """

    strike: Callable[[int, int, Random], None]
    deaths: frozenset[str] = frozenset()


def inflict(kind: str, pid: int, data: Path, chance: Random) -> None:
    """Does it to a plugin. Blocks for as long as the host takes to drain what is poured.

    Args:
        data: The plugin's data directory, by which the process is known to be that plugin.

    Raises:
        GoneError: It is not there any more.
    """
    try:
        with _held(pid) as descriptor:
            _known(pid, data)
            FAULTS[kind].strike(pid, descriptor, chance)
    except (ProcessLookupError, FileNotFoundError, BrokenPipeError) as error:
        raise GoneError from error


@contextmanager
def _held(pid: int) -> Iterator[int]:
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _known(pid: int, data: Path) -> None:
    """Asked with the process held: from then on the number is nobody else's."""
    wanted = b"HECTOR_PLUGIN_DATA_DIR=" + os.fsencode(data)
    if wanted not in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
        raise GoneError


def _kill(_: int, descriptor: int, __: Random) -> None:
    signal.pidfd_send_signal(descriptor, signal.SIGKILL)


def _stop(_: int, descriptor: int, __: Random) -> None:
    signal.pidfd_send_signal(descriptor, signal.SIGSTOP)


def _remove_socket(pid: int, _: int, __: Random) -> None:
    """The connection that there is goes on; there cannot be another one."""
    for path in _listening(pid):
        path.unlink(missing_ok=True)


def _listening(pid: int) -> list[Path]:
    """The files of the sockets that a process has made."""
    own = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [row.split() for row in Path(f"/proc/{pid}/net/unix").read_text().splitlines()[1:]]
    return sorted({Path(row[7]) for row in rows if len(row) > 7 and f"socket:[{row[6]}]" in own and row[7][0] == "/"})


def _write_garbage(pid: int, _: int, chance: Random) -> None:
    _pour(pid, 1, chance.choice(GARBAGE)(chance))


def _flood(pid: int, _: int, chance: Random) -> None:
    line = b"E" * chance.randrange(20, 500) + b"\n"
    _pour(pid, 2, line * (chance.randrange(1, 16) * MEGABYTE // len(line)))


def _pour(pid: int, target: int, content: bytes) -> None:
    """Writes into a process's own pipe, as if it had written that."""
    pipe = os.open(f"/proc/{pid}/fd/{target}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        left, deadline = memoryview(content), time.monotonic() + POUR_LIMIT
        while left:
            _, writable, _ = select.select((), (pipe,), (), max(0.0, deadline - time.monotonic()))
            if not writable:
                raise TimeoutError(f"nobody reads output {target} of process {pid}: {len(left)} bytes are left")
            left = left[os.write(pipe, left) :]
    finally:
        os.close(pipe)


FAULTS = {
    "kill": Fault(_kill, frozenset({"signal:9"})),
    "stop": Fault(_stop, frozenset({"health", "unresponsive"})),
    "socket": Fault(_remove_socket),
    "garbage": Fault(_write_garbage),
    "flood": Fault(_flood),
}
