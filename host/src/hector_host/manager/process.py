"""One process of a plugin: spawned, its pipes drained for ever, and in the end killed with everything it started.

It is spawned without asyncio and without gRPC, so that it boots while the host still imports. A dead process is reaped
last of its family: until then nobody else can get its number.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from hector_host.manager import family

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    Reader = Callable[[bytes], bool]

CHUNK = 64 << 10
DRAIN_CHUNKS = 16
"""Chunks of what a process that has ended left in a pipe; the kernel keeps a megabyte at most."""
PAUSE = 0.01
"""Seconds for which a pipe is not read after its plugin wrote too fast."""
POLL_PAUSE = 0.05
"""Seconds between two looks at a process where the system cannot tell of its end."""
STRIKE_PAUSE = 0.002
DYING_LIMIT = 0.1
"""Seconds for which a dying process is waited for."""
KILL_LIMIT = 5.0
"""Seconds after which a process that survives SIGKILL is left to the kernel."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended.

    Attributes:
        code: Its exit code; minus the signal's number if a signal ended it.
    """

    code: int

    @property
    def reason(self) -> str:
        """As it stands in a change of state: `exit:1` or `signal:9`."""
        return f"signal:{-self.code}" if self.code < 0 else f"exit:{self.code}"

    def __str__(self) -> str:
        return f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"


class Process:
    """A running plugin. Must be made in a running event loop.

    Attributes:
        pid: Its number, also that of its session and process group.
        exited: Done when the process has ended, before it is reaped.

    Raises:
        OSError: The system does not start the command.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], folder: Path, instance: str, keep: Sequence[int] = ()
    ) -> None:
        self._instance = instance
        self._popen = subprocess.Popen(  # noqa: S603 (running what the configuration names is what this is for)
            command,
            env=dict(env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            pass_fds=keep,
        )
        self.pid = self._popen.pid
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[Exit] = self._loop.create_future()
        self._pipes: dict[int, _Pipe] = {}
        self._ended = False
        self._descriptor = -1
        self._poll: asyncio.TimerHandle | None = None
        self._watch_exit()

    def read(self, stdout: Reader, stderr: Reader) -> None:
        """Hands every chunk to its reader for as long as the process lives.

        A reader returns False to be left alone for a moment.
        """
        for pipe, reader in ((self._popen.stdout, stdout), (self._popen.stderr, stderr)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._pipes[pipe.fileno()] = _Pipe(pipe, reader)
                self._loop.add_reader(pipe.fileno(), self._read_some, pipe.fileno())

    def poll(self) -> Exit | None:
        """How it ended, if it has, without waiting for the loop to hear of it.

        Whoever saw its connection break finds it dead: a process that is on its way out is waited for, which takes a
        moment and never long.
        """
        self._notice_exit()
        if not self.exited.done() and self._descriptor >= 0 and family.dying(self.pid):
            select.select((self._descriptor,), (), (), DYING_LIMIT)
            self._notice_exit()
        return self.exited.result() if self.exited.done() else None

    def drain(self) -> None:
        """Reads all that it has written so far."""
        for descriptor in tuple(self._pipes):
            for _ in range(DRAIN_CHUNKS):  # somebody else may still be writing
                chunk = _read(descriptor)
                if not chunk:
                    break
                self._pipes[descriptor].reader(chunk)

    def terminate(self) -> None:
        """SIGTERM to the process and its group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGTERM)

    async def end(self) -> None:
        """Kills what is left of the whole family, reads what it wrote last, and reaps it."""
        for _ in self._strikes():
            await asyncio.sleep(STRIKE_PAUSE)

    def end_now(self) -> None:
        """As `end`, for when nothing may be waited for any more."""
        for _ in self._strikes():
            time.sleep(STRIKE_PAUSE)

    def _strikes(self) -> Iterator[None]:
        if self._ended:
            return
        dying: set[int] = set()
        deadline = time.monotonic() + KILL_LIMIT
        while time.monotonic() < deadline:
            hit = family.strike(self.pid, self._instance)
            dying = family.bury(dying | hit - {self.pid})
            if not hit and not dying and self._exit_code() is not None:
                break
            yield
        self._notice_exit()
        self.drain()
        for descriptor in tuple(self._pipes):
            self._close(descriptor)
        self._forget_exit()
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout=0)
        family.reap_orphans()
        self._ended = True

    def _read_some(self, descriptor: int) -> None:
        chunk = _read(descriptor)
        if chunk is None:
            return
        if not chunk:
            self._close(descriptor)
        elif not self._pipes[descriptor].reader(chunk):
            self._loop.remove_reader(descriptor)
            self._pipes[descriptor].pause = self._loop.call_later(PAUSE, self._resume, descriptor)

    def _resume(self, descriptor: int) -> None:
        self._loop.add_reader(descriptor, self._read_some, descriptor)

    def _close(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        pipe = self._pipes.pop(descriptor)
        if pipe.pause is not None:
            pipe.pause.cancel()
        pipe.file.close()

    def _watch_exit(self) -> None:
        self._descriptor = family.descriptor(self.pid)
        if self._descriptor >= 0:
            self._loop.add_reader(self._descriptor, self._notice_exit)
        else:
            self._poll = self._loop.call_later(POLL_PAUSE, self._poll_exit)

    def _poll_exit(self) -> None:
        self._notice_exit()
        if not self.exited.done():
            self._poll = self._loop.call_later(POLL_PAUSE, self._poll_exit)

    def _forget_exit(self) -> None:
        if self._poll is not None:
            self._poll.cancel()
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _notice_exit(self) -> None:
        code = None if self.exited.done() else self._exit_code()
        if code is None:
            return
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
        self.exited.set_result(Exit(code))

    def _exit_code(self) -> int | None:
        """The exit code, without reaping where the system can do that."""
        if not hasattr(os, "waitid"):
            return self._popen.poll()
        if self._popen.returncode is not None:
            return self._popen.returncode
        try:
            status = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            # Whoever started this process ignores SIGCHLD, and so the system keeps nobody's exit code.
            return self._popen.poll()
        if status is None:
            return None
        return status.si_status if status.si_code == os.CLD_EXITED else -status.si_status


@dataclass(slots=True)
class _Pipe:
    file: IO[bytes]
    reader: Reader
    pause: asyncio.TimerHandle | None = None


def _read(descriptor: int) -> bytes | None:
    """What is there; empty at the end, None when there is nothing yet."""
    try:
        return os.read(descriptor, CHUNK)
    except BlockingIOError:
        return None
    except OSError:
        return b""
