"""What must not be there: anything of a host or a plugin that is dead, and damaged files. Each is told in words."""

import sqlite3
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import closing, suppress

import leftovers
import psutil

from chaos.world import World

CACHE = "torchinductor_"
"""What PyTorch keeps in $TMPDIR from one process to the next."""


def of_a_host(place: World, family: Collection[psutil.Process]) -> list[str]:
    """What there is of a host that has ended.

    Args:
        family: All that ran below it. What was started in its last moment is found by its environment.
    """
    running = [process for process in family if _runs(process)]
    found = {process.pid: process for process in (*running, *leftovers.living(place.folder))}
    return [*map(str, found.values()), *map(str, place.sockets.iterdir())]


def of_plugins(place: World, alive: Collection[int]) -> Iterator[str]:
    """What there is of dead plugins while others are alive."""
    for process in leftovers.living(place.folder):
        if not {process.pid, *(parent.pid for parent in process.parents())} & set(alive):
            yield f"beside the plugins there runs {process}"
    folders = [path for path in place.sockets.glob("*/*") if path.is_dir()]
    if len(folders) != len(alive):
        yield f"{len(alive)} plugins have {len(folders)} folders of sockets"


def in_files(place: World) -> Iterator[str]:
    """What a whole run left in the folders of temporary files and of the storage."""
    for path in sorted(place.temporary.iterdir()):
        if not path.name.startswith(CACHE):
            yield f"{path} is left"
    for file in sorted((place.folder / ".hector").rglob("*.db")):
        with closing(sqlite3.connect(file)) as connection:
            words = ", ".join(row[0] for row in connection.execute("PRAGMA integrity_check"))
        if words != "ok":
            yield f"{file} is damaged: {words}"
    for file in sorted((place.folder / ".hector").rglob("manifest.json")):
        command = [sys.executable, "-m", "hector_faiss_database", "verify", file.parent]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        if told.returncode:
            yield told.stderr.strip()


def _runs(process: psutil.Process) -> bool:
    """One that has ended and waits to be reaped does not."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
