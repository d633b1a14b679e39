"""The real command `hector` in a folder of its own: run to its end, watched while it runs, or on a terminal."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml
from terminal import Terminal

HECTOR = Path(sys.executable).with_name("hector")
SECONDS = 30
"""Longest wait for anything: never reached, but by a failure."""

# What a developer's own shell may have set, and what would then be tested in place of the command.
FOREIGN = ("HECTOR_CONFIG", "HECTOR_SERVER", "PYTHONPATH", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def until(holds: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """The first truthy answer of `holds`."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"never true within {seconds} s"
        time.sleep(0.01)
    return found


def _read_until(stream: IO[bytes] | None, text: str) -> str:
    assert stream is not None
    read = b""
    while text.encode() not in read:
        ready, _, _ = select.select([stream], [], [], SECONDS)
        piece = os.read(stream.fileno(), 65536) if ready else b""
        assert piece, f"ended or stalled after {read!r}"
        read += piece
    return read.decode()


class Command:
    """A command that runs, as the leader of a process group, as a shell starts it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def read_until(self, text: str) -> str:
        """What it prints on stdout, up to and with this text."""
        return _read_until(self._process.stdout, text)

    def read_error_until(self, text: str) -> str:
        """The same of stderr."""
        return _read_until(self._process.stderr, text)

    def running(self) -> bool:
        return self._process.poll() is None

    def interrupt(self) -> None:
        """Ctrl-C, as a terminal sends it: to everyone in the foreground."""
        os.killpg(self.pid, signal.SIGINT)

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def close_stdout(self) -> None:
        """The reader leaves; nothing more can be read."""
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.stdout = None

    def close_stdin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.stdin = None

    def write(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def end(self) -> Ended:
        """Waits for its end; the output is what was not read before."""
        out, err = self._process.communicate(timeout=SECONDS)
        return Ended(self._process.returncode, (out or b"").decode(), err.decode())

    def kill(self) -> None:
        if self.running():
            self._process.kill()
        self._process.communicate()


class Hector:
    """The command in `folder`.

    Attributes:
        environ: What the command gets; tests may add to it.
        sockets: The folder of all sockets.
        program: Which `hector`.
    """

    def __init__(self, folder: Path, sockets: Path) -> None:
        self.folder = folder
        self.environ = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        self.sockets = sockets
        self.program = HECTOR
        self.environ |= {"XDG_RUNTIME_DIR": str(sockets), "PYTHONWARNINGS": "error"}

    def write(self, document: dict[str, Any], name: str = "hector.yaml") -> Path:
        """Writes a configuration."""
        file = self.folder / name
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        return file

    def __call__(self, *arguments: str | Path, stdin: str = "") -> Ended:
        """Runs it to its end."""
        done = subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def shell(self, line: str) -> Ended:
        """Runs a line of shell, in which $HECTOR is the command."""
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.environ | {"HECTOR": str(self.program)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def answer(self, *arguments: str | Path, stdin: str = "") -> str:
        """What it prints on stdout, having succeeded."""
        ended = self(*arguments, stdin=stdin)
        assert ended.code == 0, ended.err
        return ended.out

    def refusal(self, *arguments: str | Path, code: int, stdin: str = "") -> str:
        """What it says on stderr, having failed with that code and without a word on stdout."""
        ended = self(*arguments, stdin=stdin)
        assert (ended.code, ended.out) == (code, ""), ended
        return ended.err

    @contextmanager
    def running(self, *arguments: str | Path) -> Iterator[Command]:
        """Starts it."""
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [self.program, *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            process_group=0,
        )
        command = Command(process)
        try:
            yield command
        finally:
            command.kill()

    @contextmanager
    def terminal(self, *arguments: str | Path) -> Iterator[Terminal]:
        """Starts it on a terminal of its own."""
        with Terminal([str(self.program), *map(str, arguments)], self.folder, self.environ, SECONDS) as terminal:
            yield terminal
