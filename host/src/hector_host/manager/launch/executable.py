"""Why the system does not run a file, read from the file's first bytes."""

from __future__ import annotations

import errno
import platform
from typing import TYPE_CHECKING

from hector_host.errors import quoted
from hector_host.manager.failure import Failure

if TYPE_CHECKING:
    from pathlib import Path

_MACHINES = {3: "x86", 8: "mips", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
"""ELF's e_machine."""
_SCARCE = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
"""Later attempts may succeed."""
_MACH_O = {b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"}


def diagnose(error: OSError, path: Path) -> Failure:
    """What it means that starting `path` failed with `error`."""
    if error.errno == errno.ENOENT and path.exists():
        interpreter = _interpreter(path)
        return Failure(
            "exec",
            f"the interpreter of {path} is missing: {quoted(interpreter) or 'its program loader'}",
            "Install it, or mend the first line of the file." if interpreter else "Build the plugin for this system.",
        )
    if error.errno == errno.ENOEXEC:
        return Failure("exec", f"{path} {_format(path)}", "Build the plugin for this machine.")
    if error.errno == errno.EACCES:
        return Failure("exec", f"{path} is not executable", f"chmod +x {path}")
    if error.errno == errno.E2BIG:
        return Failure("exec", "its options are too large for an environment", "Give it a path to a file instead.")
    what = f"{path} could not be started: {error.strerror}"
    if error.errno in _SCARCE:
        step = "The system is short of processes, memory or open files: free some, or raise its limits."
        return Failure("resources", what, step)
    return Failure("exec", what)


def _interpreter(path: Path) -> str:
    first = _head(path).split(b"\n")[0]
    return first[2:].decode("utf-8", "backslashreplace").strip() if first.startswith(b"#!") else ""


def _format(path: Path) -> str:
    head, here = _head(path), f"this machine is {platform.system()} {platform.machine()}"
    if head.startswith(b"\x7fELF") and len(head) >= 20:
        order = "little" if head[5] == 1 else "big"
        machine = int.from_bytes(head[18:20], "little" if order == "little" else "big")
        return f"is built for Linux {_MACHINES.get(machine, f'(ELF machine {machine})')}, {here}"
    if head[:4] in _MACH_O:
        return f"is built for macOS, {here}"
    if head.startswith(b"MZ"):
        return f"is built for Windows, {here}"
    return "is neither a program for this machine nor a script that begins with #!"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(256)
    except OSError:
        return b""
