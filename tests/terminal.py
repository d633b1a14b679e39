"""A terminal with one program on it: what is typed there, and what comes out, escape sequences and all."""

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Self

# What a shell does for a program in the foreground: the terminal becomes its own, so that Ctrl-C reaches it.
LAUNCH = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78c])")


class Terminal:
    """A context manager: the program is gone when it is left.

    Attributes:
        raw: All that the program has written so far.
    """

    def __init__(self, command: list[str], folder: Path, environ: dict[str, str], seconds: float) -> None:
        self._command = command
        self._folder = folder
        # A terminal answers when it is asked where the cursor is; this one does not, and says so.
        self._environ = environ | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self._seconds = seconds
        self._seen = 0
        self.raw = ""

    def __enter__(self) -> Self:
        self._screen, keyboard = pty.openpty()
        termios.tcsetwinsize(keyboard, (50, 200))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", LAUNCH, *self._command],
            cwd=self._folder,
            env=self._environ,
            stdin=keyboard,
            stdout=keyboard,
            stderr=keyboard,
        )
        os.close(keyboard)
        self.pid = self._process.pid
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._screen)

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def read_until(self, text: str) -> str:
        """What is new on the screen up to and with this text, without escape sequences."""
        deadline = time.monotonic() + self._seconds
        while text not in (shown := self._shown()[self._seen :]):
            assert self._read(deadline), f"{text!r} never came after {shown!r}"
        new = shown[: shown.index(text) + len(text)]
        self._seen += len(new)
        return new

    def end(self) -> tuple[int, str]:
        """Waits for the end; the exit code, and what is new on the screen."""
        deadline = time.monotonic() + self._seconds
        while self._read(deadline):
            pass
        return self._process.wait(self._seconds), self._shown()[self._seen :]

    def _shown(self) -> str:
        return ESCAPES.sub("", self.raw).replace("\r", "")

    def _read(self, deadline: float) -> bool:
        """Whether something came; False at the end of the program or of the time."""
        ready, _, _ = select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))
        try:
            piece = os.read(self._screen, 65536) if ready else b""
        except OSError:  # EIO: nobody has the other side open any more
            return False
        self.raw += piece.decode(errors="replace")
        return bool(piece)
