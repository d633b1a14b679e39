"""A process that waits to become a plugin, forked while nobody is in a hurry.

To fork Python and to come to an exec in what was forked takes as long as a small program needs to start. So the warden
has done that before the next plugin is asked for. From its first moment the spare dies with the warden; what it shall
become it hears over a pair of sockets. How that goes its end of them tells: closed without a word, the program runs;
one byte is an errno.

The warden runs this too, where nothing of the host can be imported.
"""

import _signal  # type: ignore[import-not-found]  # as in the warden
import _socket
import errno
import os
import struct

if __package__:
    from hector_host.manager.processes import wire
else:
    import wire  # type: ignore[import-not-found,no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 64 << 10
_SIZE = struct.Struct("!I")
"""Bytes of what follows."""
_SET_PDEATHSIG = 1


class Spare:
    """One that waits.

    Attributes:
        pid: Its process, a child of this one.

    Args:
        prctl: The system call of that name.

    Raises:
        OSError: The system has no room for it.
    """

    def __init__(self, prctl: "Callable[[int, int], object]") -> None:
        self._link, theirs = _socket.socketpair()
        try:
            warden = os.getpid()
            self.pid = os.fork()
            if self.pid == 0:
                self._link.close()
                _wait(theirs, warden, prctl)
        except OSError:
            self._link.close()
            raise
        finally:
            theirs.close()

    def become(self, content: bytes, descriptors: list[int]) -> int:
        """Has it become a plugin; the descriptor that tells how that goes.

        Args:
            content: Of SPAWN.
            descriptors: Standard output, standard error, and what stays open beside.

        Raises:
            OSError: It is there no more.
        """
        message = _SIZE.pack(len(content)) + content
        rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack(f"{len(descriptors)}i", *descriptors))
        try:
            sent = self._link.sendmsg((message,), (rights,))
            if sent < len(message):  # else the program may run already, and nobody is there to be sent nothing
                self._link.sendall(memoryview(message)[sent:])
        except OSError:
            self.dismiss()
            raise
        return self._link.detach()

    def dismiss(self) -> None:
        """Has it end."""
        self._link.close()


def _wait(link: "_socket.socket", warden: int, prctl: "Callable[[int, int], object]") -> None:
    """The rest of the forked process. All that is not handed on closes by itself, as Python opens it so."""
    code = errno.EIO
    try:
        prctl(_SET_PDEATHSIG, _signal.SIGKILL)
        if os.getppid() == warden:
            content, descriptors = _heard(link)
            if content:
                _become(*wire.unpacked(content), descriptors)
    except OSError as error:
        code = error.errno or errno.EIO
    finally:
        link.send(bytes((code,)))
        os._exit(127)


def _heard(link: "_socket.socket") -> tuple[bytes, list[int]]:
    """What it shall become; empty when it is dismissed."""
    space, flags = _socket.CMSG_SPACE(wire.MOST_DESCRIPTORS * 4), getattr(_socket, "MSG_CMSG_CLOEXEC", 0)
    data, ancillary, _, _ = link.recvmsg(CHUNK, space, flags)
    received, descriptors = bytearray(data), [0] * 0
    for _, _, packed in ancillary:
        descriptors += struct.unpack(f"{len(packed) // 4}i", packed)
    while data and (len(received) < _SIZE.size or len(received) < _SIZE.size + _SIZE.unpack_from(received)[0]):
        data = link.recv(CHUNK)
        received += data
    return bytes(received[_SIZE.size :]) if data else b"", descriptors


def _become(command: list[bytes], env: dict[bytes, bytes], folder: bytes, descriptors: list[int]) -> None:
    os.setsid()  # not earlier: what leads a session is taken for somebody's child, and is not reaped by a host
    os.chdir(folder)
    os.dup2(descriptors[0], 1)
    os.dup2(descriptors[1], 2)
    for descriptor in descriptors[2:]:
        os.set_inheritable(descriptor, True)
    os.execvpe(command[0], command, env)  # noqa: S606 (without a shell, on purpose)
