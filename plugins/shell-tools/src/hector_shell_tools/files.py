"""Reads and writes text files of the working directory; a write is seen whole or not at all.

What is returned is bounded, whatever the file is.
"""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING

from hector_sdk import Failure
from hector_shell_tools.words import printable, size
from hector_shell_tools.workspace import explained, require_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hector_shell_tools.workspace import Workspace

MAX_FILE = 16 * 1024**2
"""Bytes of the largest file that is read, searched or written."""

_PROBE = 8192
_TEMPORARY = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read(workspace: Workspace, path: str, start_line: int, max_output: int) -> str:
    """The text of a file from line `start_line` (from 1) on, `max_output` bytes of it at most.

    Ends with a note where more follows. Control characters are left out.
    """
    if start_line < 1:
        raise Failure(f"start_line is {start_line}: lines are counted from 1")
    lines = content(workspace, path).splitlines(keepends=True)
    if start_line > max(len(lines), 1):
        raise Failure(f"{printable(path)}: has {len(lines)} lines, so there is no line {start_line}")
    wanted = lines[start_line - 1 :]
    kept = list(_within(wanted, max_output))
    text = printable(b"".join(kept))
    if len(kept) == len(wanted):
        return text
    if not kept:
        return printable(wanted[0][:max_output]) + f"\n[line {start_line} is {size(len(wanted[0]))} long and was cut]"
    following = start_line + len(kept)
    return text + f"[cut: the file has {len(lines)} lines; go on with start_line {following}]"


def content(workspace: Workspace, path: str) -> bytes:
    """The bytes of a text file.

    Raises:
        Failure: There is none, it is too large, or it is not text.
    """
    with workspace.file(path) as opened, explained(path), os.fdopen(os.dup(opened), "rb") as file:
        if (length := os.fstat(opened).st_size) > MAX_FILE:
            raise Failure(f"{printable(path)}: is {size(length)}, and files over {size(MAX_FILE)} are not read")
        # Bounded again: a file may grow while it is read, and some of the kernel's own say that they are empty.
        data = file.read(MAX_FILE)
    if b"\0" in data[:_PROBE]:
        raise Failure(f"{printable(path)}: is not text ({size(len(data))} of binary data)")
    return data


def _within(lines: list[bytes], limit: int) -> Iterator[bytes]:
    for line in lines:
        limit -= len(line)
        if limit < 0:
            return
        yield line


def write(workspace: Workspace, path: str, text: str) -> str:
    """Makes `text` the whole content of the file at `path`, and missing directories on its way. Says what it did.

    The text is written beside its place, flushed to the disk and moved there, so that a crash leaves the old file
    or the new one.
    """
    data = text.encode()
    if len(data) > MAX_FILE:
        raise Failure(f"{printable(path)}: {size(len(data))} are too much: files may have {size(MAX_FILE)}")
    with workspace.parent(path, create=True) as (folder, name), explained(path):
        mode = _mode(folder, name, path)
        _replace(folder, name, data, mode)
    return f"Wrote {size(len(data))} to {printable(path)}."


def _mode(folder: int, name: str, path: str) -> int | None:
    """The permissions of the file that is about to be replaced; None where there is none."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    require_regular(path, status)
    # Set-user-id and its kin are not handed on to a content that the owner has never seen.
    return stat.S_IMODE(status.st_mode) & 0o777


def _replace(folder: int, name: str, data: bytes, mode: int | None) -> None:
    temporary = f".{secrets.token_hex(8)}.tmp"
    opened = os.open(temporary, _TEMPORARY, 0o666, dir_fd=folder)
    try:
        with os.fdopen(opened, "wb") as file:
            if mode is not None:
                os.fchmod(opened, mode)
            file.write(data)
            file.flush()
            os.fsync(opened)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)
