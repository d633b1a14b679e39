"""The plugin's half of go-plugin's handshake, version 1: a place that only the host can reach, and the line for it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hector_sdk.errors import StartFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CORE_VERSION: Final = 1
PROTOCOL_VERSION: Final = 1
LONGEST_PATH: Final = 100
"""Bytes. Systems allow 104 to 108, the closing zero included."""


def line(network: str, address: str, certificate: str, environ: Mapping[str, str]) -> bytes:
    """`CORE|PROTOCOL|NETWORK|ADDRESS|grpc|CERTIFICATE`.

    And `|false` for hosts that ask for multiplexing, which is not served; older ones cannot read a seventh field.

    Args:
        network: "unix" or "tcp".
        address: The socket's path, or `HOST:PORT`.
        certificate: As `tls.Certificate.line`; empty without TLS.
        environ: Says what the host asks for.
    """
    multiplexing = "|false" if environ.get("PLUGIN_MULTIPLEX_GRPC") else ""
    return f"{CORE_VERSION}|{PROTOCOL_VERSION}|{network}|{address}|grpc|{certificate}{multiplexing}\n".encode()


def over_tcp(environ: Mapping[str, str]) -> bool:
    """Whether to listen on a port of the loopback, and not on a unix socket.

    Raises:
        StartFailed: The host wants a port and gives no certificate. Every user of this machine could call the plugin.
    """
    if environ.get("HECTOR_TRANSPORT") == "tcp":
        if not environ.get("PLUGIN_CLIENT_CERT"):
            raise StartFailed(
                "HECTOR_TRANSPORT is tcp, and PLUGIN_CLIENT_CERT is missing\n"
                "  Without a certificate of the host every user of this machine could call the plugin."
            )
        return True
    return os.name == "nt"


def ports(environ: Mapping[str, str]) -> Iterator[int]:
    """The ports to try: the host's range from anywhere in it, since plugins that start together would try the same.

    Without a range, 0: the system chooses.
    """
    try:
        lowest, highest = int(environ["PLUGIN_MIN_PORT"]), int(environ["PLUGIN_MAX_PORT"])
    except (KeyError, ValueError):
        lowest = highest = 0
    number = highest - lowest + 1
    first = int.from_bytes(os.urandom(4))
    for step in range(number):
        yield lowest + (first + step) % number


@contextlib.contextmanager
def private_socket(environ: Mapping[str, str], *, own: bool = False) -> Iterator[Path]:
    """A path for a unix socket in the host's directory, else in a new one that only this user may enter.

    Args:
        environ: Names the directory.
        own: In a new one in any case.

    Raises:
        StartFailed: The path would be too long for a socket.
    """
    given = "" if own else environ.get("PLUGIN_UNIX_SOCKET_DIR")
    folder = Path(given or environ.get("TMPDIR") or "/tmp")  # noqa: S108 - the fallback holds a private folder, below
    name = f"plugin{os.getpid()}-{os.urandom(4).hex()}"
    path = folder / name if given else folder / name / "s"
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise StartFailed(
            f"the socket's path would be longer than {LONGEST_PATH} bytes: {path}\n"
            f"  Point {'TMPDIR' if own else 'PLUGIN_UNIX_SOCKET_DIR'} at a shorter directory."
        )
    if not given:
        path.parent.mkdir(mode=0o700)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        if not given:
            path.parent.rmdir()


def share(socket: Path, environ: Mapping[str, str]) -> None:
    """Let the group of `PLUGIN_UNIX_SOCKET_GROUP`, a name or a number, use the socket: the host may be another user.

    Raises:
        StartFailed: There is no such group, or this user may not give it anything.
    """
    group = environ.get("PLUGIN_UNIX_SOCKET_GROUP")
    if not group:
        return
    import shutil

    identity = int(group) if group.isdecimal() else group
    try:
        shutil.chown(socket, group=identity)
        socket.chmod(0o660)
        if not environ.get("PLUGIN_UNIX_SOCKET_DIR"):  # the host's is as the host wants it
            shutil.chown(socket.parent, group=identity)
            socket.parent.chmod(0o710)
    except LookupError:
        raise StartFailed(f"PLUGIN_UNIX_SOCKET_GROUP is {group}, and there is no such group") from None
    except OSError as error:
        raise StartFailed(f"cannot let the group {group} use the socket: {error.strerror}") from None
