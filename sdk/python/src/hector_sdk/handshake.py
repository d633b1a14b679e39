"""The plugin's half of go-plugin's handshake, version 1: a private socket, and the line that names it."""

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


def line(socket: Path, environ: Mapping[str, str]) -> bytes:
    """`CORE|PROTOCOL|unix|SOCKET|grpc|`, and `|false` for hosts that ask for multiplexing, which is not served."""
    multiplexing = "|false" if environ.get("PLUGIN_MULTIPLEX_GRPC") else ""
    return f"{CORE_VERSION}|{PROTOCOL_VERSION}|unix|{socket}|grpc|{multiplexing}\n".encode()


def check(environ: Mapping[str, str]) -> None:
    """Refuse what a host asks for and would not get.

    Raises:
        StartFailed: The host wants TLS by AutoMTLS. Serving it without would break its trust silently.
    """
    if environ.get("PLUGIN_CLIENT_CERT"):
        raise StartFailed(
            "the host asks for AutoMTLS, which this plugin does not speak: switch AutoMTLS off in the host"
        )


@contextlib.contextmanager
def private_socket(environ: Mapping[str, str]) -> Iterator[Path]:
    """A path for a unix socket in the host's directory, else in a new one that only this user may enter.

    Raises:
        StartFailed: The path would be too long for a socket.
    """
    given = environ.get("PLUGIN_UNIX_SOCKET_DIR")
    folder = Path(given or environ.get("TMPDIR") or "/tmp")  # noqa: S108 - the fallback holds a private folder, below
    name = f"plugin{os.getpid()}-{os.urandom(4).hex()}"
    path = folder / name if given else folder / name / "s"
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise StartFailed(
            f"the socket's path would be longer than {LONGEST_PATH} bytes: {path}\n"
            "  Point PLUGIN_UNIX_SOCKET_DIR at a shorter directory."
        )
    if not given:
        path.parent.mkdir(mode=0o700)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        if not given:
            path.parent.rmdir()
