"""Signs that the files of a store have changed, as the operating system gives them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from watchfiles import Change

QUIET = 0.5
"""Seconds without a further change, after which a burst of them is told as one."""
AGAIN = 5.0
"""Seconds until a folder that cannot be watched, because it is not there, is tried again."""


class Changes:
    """Watches a folder, or the file of a store that is one. A context manager: the watch ends with it.

    Args:
        without: A folder whose changes are not told: indexing itself writes there.
    """

    def __init__(self, path: Path, without: Path) -> None:
        self._path = self._folder = path
        self._without = without.resolve()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def wait(self, seconds: float) -> None:
        """Until something has changed since the last wait ended, or until that time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    async def _watch(self) -> None:
        from watchfiles import awatch

        while True:
            single = self._path.is_file()
            # Signs come with the names that were watched, so a way over links would not be known again.
            self._folder = (self._path.parent if single else self._path).resolve()
            with suppress(Exception):  # it is gone, or the system's watches are used up
                async for _ in awatch(
                    self._folder, watch_filter=self._counts, debounce=int(1000 * QUIET), recursive=not single
                ):
                    self._changed.set()
            await asyncio.sleep(AGAIN)
            self._changed.set()

    def _counts(self, _: Change, path: str) -> bool:
        changed = Path(path)
        if changed.is_relative_to(self._without) or not changed.is_relative_to(self._folder):
            return False
        # Of what is hidden, only what says which files are left out has a say.
        inside = changed.relative_to(self._folder).parts
        return not any(part.startswith(".") and part != ".gitignore" for part in inside)
