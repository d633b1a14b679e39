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
        self._path = path
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
            folder = self._path.parent if self._path.is_file() else self._path
            with suppress(OSError, RuntimeError):  # gone, or the system's watches are used up
                async for _ in awatch(
                    folder, watch_filter=self._counts, debounce=int(1000 * QUIET), recursive=folder == self._path
                ):
                    self._changed.set()
            await asyncio.sleep(AGAIN)
            self._changed.set()

    def _counts(self, _: Change, path: str) -> bool:
        changed = Path(path)
        with suppress(ValueError):
            inside = changed.relative_to(self._path.resolve() if self._path.is_dir() else self._path.parent.resolve())
            # Of what is hidden, only what says which files are left out has a say.
            if any(part.startswith(".") and part != ".gitignore" for part in inside.parts):
                return False
        return not changed.is_relative_to(self._without)
