"""The working directory, and the rule of every path in it: nothing outside is ever opened.

A path is walked name by name from an open directory, and no name is followed through a link. So a link that appears
between a look and a use leads nowhere: the look is the use.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from hector_sdk import Failure
from hector_shell_tools.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Non-blocking, so that a pipe without a writer is found out and not waited for.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_WORDS = {
    errno.ENOENT: "does not exist",
    errno.ENOTDIR: "is not a directory, or leads through a link: links are not followed",
    errno.ELOOP: "is a symbolic link: links are not followed",
    errno.EISDIR: "is a directory",
    errno.ENXIO: "is not a regular file",
    errno.EACCES: "may not be opened: permission denied",
    errno.ENAMETOOLONG: "is too long a path",
}


def names(path: str) -> list[str]:
    """The names along `path`; none for the working directory itself.

    Raises:
        Failure: The path is absolute, leads upwards or cannot be a path.
    """
    if "\0" in path:
        raise Failure(f"{printable(path)}: a path cannot contain a NUL character")
    if path.startswith("/"):
        raise Failure(f"{printable(path)}: give a path relative to the working directory")
    found = [name for name in path.split("/") if name not in ("", ".")]
    if ".." in found:
        raise Failure(f"{printable(path)}: paths stay inside the working directory, so `..` is not accepted")
    return found


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turns the system's errors about `path` into words that a model can act on."""
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        raise Failure(f"{printable(path)}: {_WORDS.get(number, os.strerror(number))}") from error


class Workspace:
    """The directory `root`, which its owner has chosen and may reach through links of his own.

    Paths are relative to it, with `/` between names. Each method gives a file descriptor and closes it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def directory(self, path: str, *, create: bool = False) -> Iterator[int]:
        """The directory at `path`, open for the relative calls of `os`; with `create`, made where it is missing."""
        with explained(path):
            folder = self._walk(names(path), create=create)
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def parent(self, path: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """The open directory that holds `path`, and the last name of `path` in it."""
        *outer, name = names(path) or [""]
        if not name:
            raise Failure("the working directory itself is not a file: give the path of a file in it")
        with self.directory("/".join(outer), create=create) as folder:
            yield folder, name

    @contextmanager
    def file(self, path: str) -> Iterator[int]:
        """The regular file at `path`, open for reading."""
        with self.parent(path) as (folder, name):
            with explained(path):
                opened = os.open(name, _FILE, dir_fd=folder)
            try:
                require_regular(path, os.fstat(opened))
                yield opened
            finally:
                os.close(opened)

    def _walk(self, path: list[str], *, create: bool) -> int:
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in path:
                inner = self._step(folder, name, create=create)
                os.close(folder)
                folder = inner
        except OSError:
            os.close(folder)
            raise
        return folder

    def _step(self, folder: int, name: str, *, create: bool) -> int:
        try:
            return os.open(name, _DIRECTORY, dir_fd=folder)
        except FileNotFoundError:
            if not create:
                raise
        with suppress(FileExistsError):  # another call made it in between
            os.mkdir(name, dir_fd=folder)
            os.fsync(folder)
        return os.open(name, _DIRECTORY, dir_fd=folder)


def require_regular(path: str, status: os.stat_result) -> None:
    """Refuses what only looks like a file: directories, pipes, devices, sockets."""
    if stat.S_ISDIR(status.st_mode):
        raise Failure(f"{printable(path)}: is a directory")
    if stat.S_ISLNK(status.st_mode):
        raise Failure(f"{printable(path)}: is a symbolic link: links are not followed")
    if not stat.S_ISREG(status.st_mode):
        raise Failure(f"{printable(path)}: is not a regular file")
