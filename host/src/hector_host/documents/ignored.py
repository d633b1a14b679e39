"""What files `.gitignore` leave out, each for the folder that it is in: the deepest that has a say decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pathspec import GitIgnoreSpec

NAME = ".gitignore"
SIZE_LIMIT = 1 << 20
"""Bytes of one."""


class Ignored:
    """The paths that are left out below a folder, asked from above to below: of what is left out nothing is asked."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._specs: dict[str, GitIgnoreSpec | None] = {}

    def __contains__(self, path: str) -> bool:
        """Whether a path is left out; that of a folder ends with a slash."""
        end = len(path) - path.endswith("/")
        while True:
            end = path.rfind("/", 0, end)
            folder = path[: end + 1]
            spec = self._spec(folder)
            if spec is not None and (said := spec.check_file(path[end + 1 :]).include) is not None:
                return said
            if end < 0:
                return False

    def _spec(self, folder: str) -> GitIgnoreSpec | None:
        if folder not in self._specs:
            self._specs[folder] = _read(self._root / folder / NAME)
        return self._specs[folder]


def _read(file: Path) -> GitIgnoreSpec | None:
    """What one says. What cannot be read says nothing, as for git."""
    from pathspec import GitIgnoreSpec

    if not file.is_file():  # nor a pipe, to which nobody writes
        return None
    try:
        with file.open("rb") as opened:
            data = opened.read(SIZE_LIMIT)
        return GitIgnoreSpec.from_lines(data.decode("utf-8", "surrogateescape").splitlines())
    except (OSError, ValueError):
        return None
