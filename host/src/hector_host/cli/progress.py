"""How far indexing is: a bar on a terminal, plain lines elsewhere. On stderr."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hector.host.v1.index_pb2 import IndexProgress

INTERVAL = 5.0
"""Seconds between two plain lines."""


@contextlib.contextmanager
def showing(store: str) -> Iterator[Callable[[IndexProgress], None]]:
    """Gives the function to be told of progress."""
    if not sys.stderr.isatty():
        yield _Lines(store)
        return
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.TextColumn("{task.fields[told]}"),
        rich_progress.TimeRemainingColumn(compact=True),
        rich_progress.TextColumn("left"),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(store, total=None, told="")

        def tell(now: IndexProgress) -> None:
            # Files are read at the speed of their chunks: bytes tell the time that is left, numbers of files do not.
            begun = now.files or now.chunks
            bar.update(
                task,
                description=store if begun else f"{store}: plugins start",
                completed=now.bytes,
                total=now.total_bytes,
                told=_told(now),
            )

        yield tell


class _Lines:
    """A line now and then."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._next = 0.0

    def __call__(self, progress: IndexProgress) -> None:
        if progress.seconds < self._next or (
            progress.seconds < INTERVAL and not progress.files and not progress.chunks
        ):
            return
        self._next = progress.seconds + INTERVAL
        print(f"{self._store}: {_told(progress)}", file=sys.stderr)


def _told(now: IndexProgress) -> str:
    speed = now.embedded / now.seconds if now.seconds else 0.0
    return f"{now.files} of {now.total_files} files, {now.chunks} chunks, {speed:.0f}/s"
