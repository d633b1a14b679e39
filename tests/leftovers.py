"""The proof that nothing of Hector is left behind: no process of a plugin, no warden, no socket, no folder of them."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil


def living(folder: Path) -> list[psutil.Process]:
    """Processes, dead ones included, that were started over a configuration in `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HECTOR_PLUGIN_DATA_DIR", "").startswith(str(folder)):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def wardens(sockets: Path) -> list[psutil.Process]:
    """Those of hosts that have their folders in `sockets`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "hector-warden" in (words := process.cmdline()) and words[-1].startswith(str(sockets)):
                found.append(process)
    return found


def zombies() -> list[psutil.Process]:
    """Children of this process that have ended and that nobody has waited for."""
    return [child for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE]


def descriptors(*folders: Path) -> list[str]:
    """What this process has open of files in the folders, pipes and processes; gRPC keeps sockets for itself."""
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            links.append(str(descriptor.readlink()))
    wanted = ("pipe:", "anon_inode:[pidfd]", *map(str, folders))
    return sorted(link for link in links if link.startswith(wanted))


def remains(folder: Path, sockets: Path) -> list[str]:
    """What there is of hosts over `folder` that have their sockets in `sockets`, in words."""
    processes = living(folder) + wardens(sockets)
    return [
        *(f"process {process.pid}" for process in processes),
        *sorted(str(path.relative_to(sockets)) for path in sockets.rglob("*")),
    ]


@contextmanager
def none(folder: Path) -> Iterator[Path]:
    """Gives a folder for sockets to be $XDG_RUNTIME_DIR; at the end nothing may be left of what ran over `folder`.

    What is left nevertheless is ended and removed, so that one failure stays one.
    """
    sockets = Path(tempfile.mkdtemp(prefix="hr"))  # short: the path of a socket holds about a hundred bytes
    try:
        yield sockets
        left = remains(folder, sockets)
        promised = time.monotonic() + 1  # after a host was killed, nothing is left within a second
        while left and time.monotonic() < promised:
            left = remains(folder, sockets)
    finally:
        for process in living(folder):
            process.kill()
        shutil.rmtree(sockets)
    assert left == []
    assert zombies() == []
