"""The TCP ports on which a process and its children listen: how a server without a handshake is found.

On Linux from /proc, in under a millisecond, because every starting plugin is looked at fifty times a second; and the
process's own tables are read, so that one in a network namespace is seen too.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from contextlib import suppress
from pathlib import Path

from hector_host.errors import quoted
from hector_host.manager.failure import Failure

_LISTEN = "0A"


def listening(leader: int) -> dict[int, str]:
    """Port → the host by which this machine reaches it, for every listening socket of the process tree."""
    if sys.platform != "linux":
        return _by_psutil(leader)
    found: dict[int, str] = {}
    for pid in _tree(leader):
        inodes = _sockets(pid)
        if inodes:
            for table in ("tcp6", "tcp"):
                listeners = _listeners(Path(f"/proc/{pid}/net/{table}"))
                found |= {port: _dialled(address) for inode, port, address in listeners if inode in inodes}
    return found


def other_holder(leader: int, port: int) -> int | None:
    """A process outside the tree that listens on the same port (Linux); 0 for one of somebody else, None for none.

    Python's gRPC servers share a port with whoever has it already, and the kernel deals out the connections among them.
    """
    own = set().union(*(_sockets(pid) for pid in _tree(leader)))
    others = set()
    for table in ("tcp6", "tcp"):
        others |= {inode for inode, its_port, _ in _listeners(Path(f"/proc/{leader}/net/{table}")) if its_port == port}
    foreign = others - own
    if not foreign:
        return None
    pids = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())  # noqa: PTH208 (as below)
    return next((pid for pid in pids if _sockets(pid) & foreign), 0)


def choose(ports: dict[int, str], wanted: str) -> str:
    """`host:port` of the one that takes calls.

    Args:
        ports: As `listening` found them.
        wanted: The plugin's option `endpoint`, which decides among several. Its host does not count.

    Raises:
        Failure: There are several, and none is the wanted one.
    """
    named = re.search(r"(\d+)/?$", wanted.strip())
    port = int(named[1]) if named else 0
    if port in ports:
        return f"{ports[port]}:{port}"
    if len(ports) == 1:
        ((port, host),) = ports.items()
        return f"{host}:{port}"
    listed = ", ".join(str(each) for each in sorted(ports))
    raise Failure(
        "handshake",
        f"listens on several ports ({listed})" + (f', and its endpoint is "{quoted(wanted, 100)}"' if wanted else ""),
        f"Name the one that serves gRPC in its config, for example endpoint: localhost:{min(ports)}.",
    )


def _tree(leader: int) -> list[int]:
    """The process and its descendants, as far as they can be seen."""
    found, index = [leader], 0
    while index < len(found):
        for file in Path(f"/proc/{found[index]}/task").glob("*/children"):
            with suppress(OSError):
                found += [int(pid) for pid in file.read_text().split()]
        index += 1
    return found


def _sockets(pid: int) -> set[str]:
    inodes = set()
    with suppress(OSError):
        for descriptor in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 (called often, so cheap)
            with suppress(OSError):
                link = os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115 (as above)
                if link.startswith("socket:["):
                    inodes.add(link[8:-1])
    return inodes


def _listeners(path: Path) -> list[tuple[str, int, str]]:
    """Inode, port and address, as the kernel writes it, of every listening socket."""
    found = []
    with suppress(OSError):
        for line in path.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN:
                address, port = fields[1].split(":")
                found.append((fields[9], int(port, 16), address))
    return found


def _dialled(address: str) -> str:
    """The kernel prints an address as 32-bit words in the machine's byte order."""
    words = [bytes.fromhex(address[start : start + 8]) for start in range(0, len(address), 8)]
    packed = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return _reach(socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed))


def _reach(address: str) -> str:
    if address in {"0.0.0.0", "::", "127.0.0.1"}:  # noqa: S104 (an address to compare with, nothing is bound)
        return "127.0.0.1"
    return f"[{address}]" if ":" in address else address


def _by_psutil(leader: int) -> dict[int, str]:
    import psutil

    found: dict[int, str] = {}
    with suppress(psutil.Error):
        process = psutil.Process(leader)
        for member in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                for connection in member.net_connections(kind="tcp"):
                    if connection.status == psutil.CONN_LISTEN and connection.laddr:
                        found[connection.laddr.port] = _reach(connection.laddr.ip)
    return found
