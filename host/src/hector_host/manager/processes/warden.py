"""The process that starts every plugin of a host and is the last to leave: a program of its own.

It is the parent of the plugins and, on Linux, the subreaper of all that they start: whatever a plugin forks, in any
session, with any environment, becomes its child at the latest when its own parent ends. So when the host has ended,
however it did, the warden kills everything below itself, removes the host's private folder and ends too.

It and the host talk over a pair of sockets, whose end is the end of the host; the host's process is watched beside, as
a child that the host forked may hold its socket open. A dead plugin is not reaped before the host says so: until then
nobody else can get its number. A signal goes to a child that is not reaped or through a descriptor of the process,
never to a bare number. Without /proc it kills the groups of the plugins, and what has left those survives.

It must boot in a few milliseconds, because the first plugin waits for it: hence the few and bare imports, and none of
the host's packages.
"""

import _signal  # type: ignore[import-not-found]  # signal, socket and contextlib each take longer than Python to boot
import _socket
import errno
import os
import select
import struct
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

if __package__:
    from hector_host.manager.processes import wire
    from hector_host.manager.processes.census import below, census, descriptor_of, strike
    from hector_host.manager.processes.spare import Spare
else:  # as a process
    import wire  # type: ignore[import-not-found,no-redef]
    from census import below, census, descriptor_of, strike  # type: ignore[import-not-found,no-redef]
    from spare import Spare  # type: ignore[import-not-found,no-redef]

CHUNK = 64 << 10
KILL_LIMIT = 5.0
"""Seconds after which a process that survives SIGKILL is left to the kernel."""
_KILL_PAUSE = 0.002
_IDLE = 20
"""Milliseconds without anything to do, after which a process for the next plugin is forked."""
_SET_CHILD_SUBREAPER = 36


class Child:
    """A plugin's process, or the attempt to become one.

    Attributes:
        failure: Tells what went wrong before the plugin's program runs, or closes; -1 from then on.
        exited: It has ended.
        reaped: It is waited for, at once where the system cannot only look.
        released: The host has no more interest in it.
    """

    def __init__(self, pid: int, failure: int) -> None:
        self.pid = pid
        self.failure = failure
        self.exited = self.reaped = self.released = False

    def kill(self, number: int) -> None:
        """Sends a signal to it and its group."""
        if not self.reaped and not _signal_to(-self.pid, number):  # its group may not be made yet
            _signal_to(self.pid, number)

    def exit_code(self) -> int | None:
        """How it ended; None while it lives."""
        if hasattr(os, "waitid"):
            status = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if status is None:
                return None
            return status.si_status if status.si_code == os.CLD_EXITED else -status.si_status
        pid, wait_status = os.waitpid(self.pid, os.WNOHANG)
        self.reaped = pid != 0
        return os.waitstatus_to_exitcode(wait_status) if self.reaped else None

    def reap(self) -> None:
        """Gives its number back."""
        if not self.reaped:
            os.waitpid(self.pid, 0)
            self.reaped = True


class Keeper:
    """Serves one host until that ends."""

    def __init__(self, link: int, host: int) -> None:
        self._link = _socket.socket(fileno=link)
        self._children: dict[int, Child] = {}
        self._received = bytearray()
        self._descriptors: list[int] = []
        self._prctl = _prctl()
        self._prctl(_SET_CHILD_SUBREAPER, 1)
        self._spare: Spare | None = None
        self._patience: int | None = _IDLE
        self._wakeups = _wakeups()
        self._host = descriptor_of(host)
        self._poller = select.poll()
        for descriptor in (link, self._wakeups, self._host):
            if descriptor >= 0:
                self._poller.register(descriptor, select.POLLIN)

    def serve(self) -> None:
        """Until the host has ended."""
        link = self._link.fileno()
        while True:
            ready = dict(self._poller.poll(self._patience))
            if not ready:
                self._prepare()
            if self._host in ready or ready.get(link, 0) & (select.POLLHUP | select.POLLERR):
                return
            if self._wakeups in ready:
                os.read(self._wakeups, CHUNK)
            if link in ready and not self._hear():
                return
            for number, child in tuple(self._children.items()):
                if child.failure in ready:
                    self._settle_start(number, child)
                if child.failure < 0 and number in self._children:
                    self._settle_exit(number, child)
            if self._wakeups in ready:
                self._reap_orphans()

    def end(self) -> None:
        """Kills and reaps everything below itself."""
        deadline = time.monotonic() + KILL_LIMIT
        if self._spare is not None:
            self._spare.dismiss()
        for child in self._children.values():
            child.kill(_signal.SIGKILL)
        own = os.getpid()
        while _reap_all() and time.monotonic() < deadline:
            everyone = census()
            for pid in below(own, everyone):
                if everyone[pid].parent == own:  # and not reaped, so that its number means it
                    _signal_to(pid, _signal.SIGKILL)
                else:
                    strike(pid, everyone[pid].started)
            time.sleep(_KILL_PAUSE)

    def _hear(self) -> bool:
        """Does what the host asks for; False when the host has closed the link."""
        space, flags = _socket.CMSG_SPACE(wire.MOST_DESCRIPTORS * 4), getattr(_socket, "MSG_CMSG_CLOEXEC", 0)
        try:
            data, ancillary, flags, _ = self._link.recvmsg(CHUNK, space, flags)
        except ConnectionError:
            return False
        if flags & _socket.MSG_CTRUNC:
            raise OSError(errno.EMFILE, "the kernel dropped descriptors for which there was no room")
        for level, kind, content in ancillary:
            if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
                count = len(content) // 4
                self._descriptors += struct.unpack(f"{count}i", content[: count * 4])
        self._received += data
        while len(self._received) >= wire.REQUEST.size:
            kind, number, size, count = wire.REQUEST.unpack_from(self._received)
            end = wire.REQUEST.size + size
            if len(self._received) < end:
                break
            content = bytes(self._received[wire.REQUEST.size : end])
            del self._received[:end]
            handed, self._descriptors = self._descriptors[:count], self._descriptors[count:]
            self._perform(kind, number, content, handed)
        return bool(data)

    def _perform(self, kind: int, number: int, content: bytes, descriptors: list[int]) -> None:
        if kind == wire.SPAWN:
            try:
                self._children[number] = self._spawn(content, descriptors)
            except OSError as error:
                self._tell(wire.FAILED, number, error.errno or errno.EIO)
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
        elif number in self._children:
            child = self._children[number]
            child.released = child.released or kind == wire.RELEASE
            asked = not child.released and child.failure < 0  # what does not run yet cannot follow a request
            child.kill(_signal.SIGTERM if asked else _signal.SIGKILL)

    def _prepare(self) -> None:
        """Forks the process that becomes the next plugin. Where there is no room for it, the next start says so."""
        self._patience = None
        try:  # noqa: SIM105 (contextlib takes long to import)
            self._spare = Spare(self._prctl)
        except OSError:
            pass

    def _spawn(self, content: bytes, descriptors: list[int]) -> Child:
        spare, self._spare, self._patience = self._spare, None, _IDLE
        if spare is not None:
            try:
                return self._begun(spare, content, descriptors)
            except OSError:  # somebody has killed it
                pass
        return self._begun(Spare(self._prctl), content, descriptors)

    def _begun(self, spare: Spare, content: bytes, descriptors: list[int]) -> Child:
        failure = spare.become(content, descriptors)
        self._poller.register(failure, select.POLLIN)
        return Child(spare.pid, failure)

    def _settle_start(self, number: int, child: Child) -> None:
        """Tells whether the plugin's program runs. One that was killed on its way there has ended like a program."""
        try:
            failed = os.read(child.failure, 1)
        except ConnectionError:  # it had not read what it should become
            failed = b""
        self._poller.unregister(child.failure)
        os.close(child.failure)
        child.failure = -1
        if failed:
            child.reap()
            del self._children[number]
            self._tell(wire.FAILED, number, failed[0])
        else:
            self._tell(wire.SPAWNED, number, child.pid)

    def _settle_exit(self, number: int, child: Child) -> None:
        """Tells of a plugin that has ended; reaps it when the host is done with it."""
        if not child.exited:
            code = child.exit_code()
            child.exited = code is not None
            if code is not None:
                self._tell(wire.EXITED, number, code)
        if child.exited and child.released:
            child.reap()
            del self._children[number]
            self._tell(wire.GONE, number, 0)

    def _reap_orphans(self) -> None:
        known = {child.pid for child in self._children.values()}
        for pid in _children():
            if pid not in known:
                os.waitpid(pid, os.WNOHANG)

    def _tell(self, kind: int, number: int, value: int) -> None:
        try:  # noqa: SIM105 (contextlib takes long to import)
            self._link.sendall(wire.ANSWER.pack(kind, number, value))
        except OSError:  # the host has ended, which the next look shows
            pass


def _signal_to(child: int, number: int) -> bool:
    """To a child that is not reaped, or to its group, if that is negative; False if there is none of this user's."""
    try:
        os.kill(child, number)
    except OSError:
        return False
    return True


def _children() -> list[int]:
    own = os.getpid()
    try:
        with open(f"/proc/{own}/task/{own}/children", "rb") as file:  # noqa: PTH123 (as above)
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return [pid for pid, status in census().items() if status.parent == own]


def _reap_all() -> bool:
    """Whether there are children that have not ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _prctl() -> "Callable[[int, int], object]":
    """The system call, found once: a forked process that looks for it is as slow as its boot."""
    if sys.platform != "linux":
        return lambda _option, _value: None
    import ctypes

    call = ctypes.CDLL(None).prctl
    call.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
    return lambda option, value: call(option, value, 0, 0, 0)


def _wakeups() -> int:
    """A descriptor that can be read when a child has ended.

    Requests to end are for the host to follow. They are caught and not ignored, because a plugin would inherit that;
    and it inherits nothing of what whoever started the host ignores or blocks.
    """
    for number in _signal.valid_signals() - {_signal.SIGKILL, _signal.SIGSTOP}:
        _signal.signal(number, _signal.SIG_DFL)
    for number in (_signal.SIGCHLD, _signal.SIGPIPE, _signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP, _signal.SIGQUIT):
        _signal.signal(number, lambda _number, _frame: None)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
    wakeups, wake = os.pipe()
    for descriptor in (wakeups, wake):
        os.set_blocking(descriptor, False)
    _signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    return wakeups


def _remove(folder: str) -> None:
    try:
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                _remove(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108 (pathlib would be one more import)
        os.rmdir(folder)  # noqa: PTH106 (as above)
    except OSError:  # the next host tries again
        pass


def main() -> None:
    """Serves the host that the arguments name, until it ends.

    Their last four: the host's number, the descriptors of this side of the pair of sockets and of the lock on the
    host's folder, which is held as long as this process lives, and that folder.
    """
    *_, host, link, lock, folder = sys.argv
    for descriptor in (link, lock):
        os.set_inheritable(int(descriptor), False)
    keeper = Keeper(int(link), int(host))
    try:
        if os.getppid() == int(host):
            keeper.serve()
    finally:
        keeper.end()
    _remove(folder)
