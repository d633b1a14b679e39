"""Commands for a directory that no plugin has open: copy it, put it back, look whether it is whole, mend it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from hector_faiss_database import snapshot
from hector_faiss_database.engine import Engine
from hector_faiss_database.manifest import FILE
from hector_faiss_database.options import Options
from hector_faiss_database.owner import Owner
from hector_faiss_database.repair import Repair
from hector_sdk import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

USAGE = """\
usage: python -m hector_faiss_database COMMAND
  snapshot DIR FOLDER   copy a database directory into a new folder
  restore FOLDER DIR    copy a snapshot, verified, into a new directory
  verify DIR            read every byte of a directory
  repair DIR            keep what can be read, and say what is lost
No plugin may have the directory open; a running one is asked by CreateSnapshot."""

COMMANDS = {"snapshot": 2, "restore": 2, "verify": 1, "repair": 1}
"""How many paths each takes."""


def main(arguments: list[str]) -> int:
    """Do it; the exit code."""
    command, *given = arguments
    if COMMANDS.get(command) != len(given):
        sys.stderr.write(USAGE + "\n")
        return 2
    paths = [Path(each).absolute() for each in given]
    try:
        sys.stdout.write(_done(command, paths) + "\n")
    except Status as error:
        sys.stderr.write(f"faiss-database: {error}\n")
        return 1
    return 0


def _done(command: str, paths: list[Path]) -> str:
    folder = paths[0]
    if not folder.is_dir():
        raise Status(grpc.StatusCode.NOT_FOUND, f"there is no folder {folder}")
    if command != "repair" and not (folder / FILE).is_file():
        words = f"{folder} is no database directory: it has no {FILE}"
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, words)
    if command == "snapshot":
        vectors, size = _copied(*paths)
        return f"copied {folder} to {paths[1]}: {vectors:,} vectors, {size:,} bytes"
    with _owned(folder):
        if command == "restore":
            return f"restored {paths[1]} from {folder}: {snapshot.restore(*paths):,} bytes"
        if command == "verify":
            return f"{folder} is whole: {snapshot.verify(folder):,} vectors"
        report = Repair(folder).run()
    lines = [*report.lost, f"{folder} has {report.vectors:,} vectors"]
    if report.aside is not None:
        lines.append(f"the damaged files are in {report.aside}")
    return "\n".join(lines)


def _copied(folder: Path, target: Path) -> tuple[int, int]:
    engine = Engine(folder, Options())
    try:
        vectors, size = engine.do(lambda: snapshot.take(engine, target)).result()
        return vectors, size
    finally:
        engine.close()


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    owner = Owner(folder)
    try:
        yield
    finally:
        owner.release()
