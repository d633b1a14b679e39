"""The files of a document store: what its patterns select, and their bytes; what cannot be read is named."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.config.units import bytes_text
from hector_host.documents.ignored import Ignored
from hector_host.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LIMIT = 20_000_000
"""Bytes of one file. What is larger was seldom written to be read in passages: dumps, logs, generated data."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was selected and cannot be indexed, or a folder that cannot be listed.

    Attributes:
        path: Relative to the store's folder, with `/`, safe to print.
        lasting: It is so as long as the file is as it is.
    """

    path: str
    reason: str
    lasting: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Stamp:
    """By which a file is taken for unchanged without being read.

    Attributes:
        size: In bytes.
        mtime_ns: When it was written last, in nanoseconds since 1970.
    """

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """What a file's status says."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was selected.

    Attributes:
        path: Relative to the store's folder, with `/`.
        stamp: As it was found; it may have changed since.
    """

    path: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Contents:
    """The bytes of one file.

    Attributes:
        path: Relative to the store's folder, with `/`.
        digest: SHA-256 of `data`, in hex.
    """

    path: str
    data: bytes
    digest: str


def find(
    root: Path, include: Sequence[str], exclude: Sequence[str], *, gitignore: bool = True, limit: int = LIMIT
) -> tuple[list[Found], list[Skipped]]:
    """The files below `root` that the patterns select, by path, and what could not be looked at.

    Patterns are those of gitignore, seen from `root`: `**/*.md`, `guides/`, `*.txt` at any depth. Names that begin
    with a dot are left out, and so are links to folders and links that lead out of `root`.

    Args:
        gitignore: Leave out what the files `.gitignore` in the folder and below it say, as git does.
        limit: Bytes of one file.
    """
    from pathspec import PathSpec

    wanted, unwanted = PathSpec.from_lines("gitignore", include), PathSpec.from_lines("gitignore", exclude)
    skipped: list[Skipped] = []
    found: list[Found] = []
    ignored = Ignored(root) if gitignore else None
    for path in _walk(
        root, lambda path: unwanted.match_file(path) or (ignored is not None and path in ignored), skipped
    ):
        if not wanted.match_file(path):
            continue
        stamp = _stamp(root, path, limit)
        if isinstance(stamp, str):
            skipped.append(Skipped(printable(path), stamp))
        else:
            found.append(Found(path, stamp))
    return sorted(found, key=lambda one: one.path), sorted(skipped, key=lambda one: one.path)


def contents(root: Path, path: str, limit: int = LIMIT) -> Contents | Skipped:
    """The bytes of one file that `find` returned. It may have changed since, so that everything is checked again."""
    for _ in range(2):
        data = _contents(root, path, limit)
        if data is not None:
            return Skipped(printable(path), data) if isinstance(data, str) else _digested(path, data)
    return Skipped(printable(path), "changed while it was read, twice: the next run reads it again")


def _digested(path: str, data: bytes) -> Contents:
    return Contents(path, data, sha256(data).hexdigest())


def _contents(root: Path, path: str, limit: int) -> bytes | str | None:
    """The bytes of a file, or why it cannot be indexed. None: it changed meanwhile."""
    try:
        # Not blocking: it may have become a pipe by now, to which nobody writes.
        with open(root / path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return "is not a regular file"
            if not Path(os.path.realpath(root / path)).is_relative_to(root.resolve()):
                return "is a link out of the folder"
            if status.st_size > limit:
                return _too_large(status.st_size, limit)
            data = file.read(limit + 1)
            same = Stamp.of(os.fstat(file.fileno())) == Stamp.of(status) == Stamp.of((root / path).stat())
            return data if same and len(data) == status.st_size else None
    except OSError as error:
        return _words(error)


def _walk(root: Path, unwanted: Callable[[str], bool], skipped: list[Skipped]) -> Iterator[str]:
    """Every path of a file below `root`, without what is hidden or unwanted."""

    def note(error: OSError) -> None:
        folder = Path(error.filename).relative_to(root).as_posix()
        skipped.append(Skipped(printable(folder + "/"), _words(error)))

    for folder, folders, names in os.walk(root, onerror=note):
        prefix = "" if Path(folder) == root else Path(folder).relative_to(root).as_posix() + "/"
        folders[:] = [name for name in folders if not name.startswith(".") and not unwanted(f"{prefix}{name}/")]
        for name in names:
            if not name.startswith(".") and not unwanted(prefix + name):
                yield prefix + name


def _stamp(root: Path, path: str, limit: int) -> Stamp | str:
    """By what a file is known again, or why it cannot be indexed, by its directory entry alone."""
    if not path.isprintable():
        return "has a name that cannot be cited: it is not printable UTF-8"
    file = os.path.join(root, path)  # noqa: PTH118 - ten thousands of them
    try:
        status = os.lstat(file)
        if stat.S_ISLNK(status.st_mode):  # no folder on the way is one: links to folders are not followed
            # Not Path.resolve: before Python 3.13 a link to itself is a RuntimeError there.
            real = Path(os.path.realpath(file, strict=True))
            if not real.is_relative_to(root.resolve()):
                return "is a link out of the folder"
            status = real.stat()
    except OSError as error:
        return "is a link to nothing" if os.path.islink(file) else _words(error)  # noqa: PTH114 - as above
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    return _too_large(status.st_size, limit) if status.st_size > limit else Stamp.of(status)


def _too_large(size: int, limit: int) -> str:
    return f"is larger than {bytes_text(limit)}: {size:,} bytes"


def _words(error: OSError) -> str:
    return f"cannot be read: {error.strerror}"
