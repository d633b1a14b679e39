"""The host's warden: the process of `warden.py` that starts the plugins, watches over them, and ends after the host.

Nothing is lost when it is killed itself. Its plugins are then dead or become children of the host, if that is a
subreaper; the host calls their exits unknown, and the next plugin is started by a new warden.
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.manager.failure import Failure
from hector_host.manager.processes import warden, wire
from hector_host.manager.processes.link import Link
from hector_host.manager.processes.runtime_folder import RuntimeFolder
from hector_host.manager.processes.ward import Exit, Ward

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST = 8 << 20
"""Bytes of a command with its environment; Linux allows six megabytes at most."""
END_LIMIT = warden.KILL_LIMIT + 1
"""Seconds within which a warden ends by itself."""
_BOOT = "import sys; sys.path.append(sys.argv[1]); import warden; warden.main()"
"""Imported and not run as a script, because Python keeps the bytecode of what is imported."""


class Warden:
    """The warden of one host, started at the latest when it is needed, in a running event loop."""

    def __init__(self) -> None:
        self._folder: RuntimeFolder | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Link | None = None
        self._wards: dict[int, Ward] = {}
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Has it boot while the host goes on. What is in its way is told to the first that needs it."""
        with suppress(Failure, OSError):
            self._boot()

    @property
    def pid(self) -> int:
        """The number of its process; 0 when there is none."""
        return 0 if self._process is None else self._process.pid

    def new_folder(self) -> Path:
        """A private folder for the sockets of one start of a plugin, in the host's own.

        Raises:
            Failure: Its path leaves no room for a socket's name.
            OSError: It cannot be made.
        """
        if self._folder is None:
            self._folder = RuntimeFolder.make()
        return self._folder.new()

    def spawn(self, command: Sequence[str], env: Mapping[str, str], folder: Path, descriptors: Sequence[int]) -> Ward:
        """Asks for a process, which leads a session of its own.

        Args:
            command: Program and arguments.
            env: Its whole environment.
            folder: Where it runs.
            descriptors: Its standard output and error, and what it keeps open beside. They belong to the warden now.
        """
        try:
            content = _content(command, env, folder)
            link = self._boot()
        except (Failure, OSError) as error:
            for descriptor in descriptors:
                os.close(descriptor)
            return Ward.failed(error)
        ward = Ward(next(self._numbers))
        self._wards[ward.number] = ward
        link.send(wire.SPAWN, ward.number, content, descriptors, partial(self._fail, ward))
        return ward

    def terminate(self, ward: Ward) -> None:
        """SIGTERM to the process and its group."""
        self._ask(wire.TERMINATE, ward)

    def release(self, ward: Ward) -> None:
        """Kills what is left of the process and its group, and has it reaped; then it is `gone`."""
        self._ask(wire.RELEASE, ward)

    def listen(self, limit: float) -> None:
        """Hears of what has happened, for those who cannot leave that to the event loop.

        Args:
            limit: Seconds to wait for news; 0 only looks.
        """
        if self._link is not None:
            self._link.listen(limit)
        else:
            time.sleep(limit)

    def close(self) -> None:
        """Ends it with everything that still runs below it, and removes the host's folder. May be called again."""
        if self._link is not None:
            self._link.close()
        self._bury(END_LIMIT)
        if self._folder is not None:
            self._folder.remove()
            self._folder = None

    def _boot(self) -> Link:
        if self._link is not None:
            return self._link
        if self._folder is None:
            self._folder = RuntimeFolder.make()
        ours, theirs = socket.socketpair()
        with theirs:
            handed = (theirs.fileno(), self._folder.lock)
            arguments = (Path(__file__).parent, "hector-warden", "of", os.getpid(), *handed, self._folder.path)
            try:
                self._process = subprocess.Popen(  # noqa: S603 (nothing in it comes from anybody else)
                    [sys.executable, "-I", "-S", "-c", _BOOT, *map(str, arguments)],
                    env={},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                    pass_fds=handed,
                )
            except OSError:
                ours.close()
                raise
        self._link = Link(ours, self._told, self._lose)
        return self._link

    def _ask(self, kind: int, ward: Ward) -> None:
        if self._link is not None and ward.number in self._wards:
            self._link.send(kind, ward.number)

    def _told(self, kind: int, number: int, value: int) -> None:
        ward = self._wards[number]
        if kind == wire.SPAWNED:
            ward.begin(value)
        elif kind == wire.FAILED:
            self._fail(ward, OSError(value, os.strerror(value)))
        elif kind == wire.EXITED:
            ward.end(Exit(value))
        else:
            ward.gone = True
            del self._wards[number]

    def _fail(self, ward: Ward, error: OSError) -> None:
        del self._wards[ward.number]
        ward.fail(error)

    def _lose(self) -> None:
        """It has ended before the host closed the link."""
        self._bury(0)

    def _bury(self, limit: float) -> None:
        self._link = None
        if self._process is not None:
            try:
                self._process.wait(limit)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        for ward in self._wards.values():
            ward.lose()
        self._wards.clear()


def _content(command: Sequence[str], env: Mapping[str, str], folder: Path) -> bytes:
    """What the warden is told of a process.

    Raises:
        OSError: No system takes that.
    """
    try:
        words = [os.fsencode(word) for word in command]
        variables = [os.fsencode(f"{name}={value}") for name, value in env.items()]
    except UnicodeEncodeError:
        raise OSError(errno.EILSEQ, os.strerror(errno.EILSEQ)) from None
    if any(b"\0" in word for word in (*words, *variables)):
        raise OSError(errno.EINVAL, "a NUL in its arguments or its environment")
    content = wire.packed(words, variables, os.fsencode(folder))
    if len(content) > LARGEST:
        raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))
    return content
