"""Where a host may listen: a loopback address, or a unix socket. Nobody else can reach those.

There is no access control: whoever reaches the host may use its agents, and what these may do is run commands.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from hector_host.errors import ConfigError, quoted

UNIX = "unix:"
PATH_LIMIT = 100
"""Bytes of a socket's path; systems allow 104 or 108."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen.

    Attributes:
        host: An IP address. Empty: on the unix socket at `path`.
        port: 0 for any that is free.
        path: Absolute.
    """

    host: str = ""
    port: int = 0
    path: Path = Path()

    @property
    def target(self) -> str:
        """As gRPC writes it."""
        if not self.host:
            return f"{UNIX}{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def endpoint(host: str, port: int, origin: str, folder: Path) -> Endpoint:
    """The place that the user names.

    Args:
        host: An address, `localhost`, or `unix:PATH`.
        origin: How messages call the place where it is named.
        folder: Where a relative path begins.

    Raises:
        ConfigError: It is none, or others could reach it.
    """
    if host.startswith(UNIX):
        return _socket(host.removeprefix(UNIX), origin, folder)
    # Not resolved by name: one that means two addresses would be half of a success when one of them is in use.
    address = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigError(
            f'{origin}: "{quoted(host, 100)}" may be reached from other machines, and there is no access control yet',
            "Listen on 127.0.0.1, localhost or ::1, or on a unix socket: unix:PATH.",
        )
    return Endpoint(address, port)


def _socket(path: str, origin: str, folder: Path) -> Endpoint:
    if not path:
        raise ConfigError(f'{origin}: "{UNIX}" names no path', f"Write {UNIX}PATH, as {UNIX}/run/hector.sock.")
    absolute = Path(os.path.abspath(folder / path))  # noqa: PTH100 (resolve() would follow links)
    length = len(os.fsencode(absolute))
    if length > PATH_LIMIT:
        raise ConfigError(
            f"{origin}: the path of the socket has {length} bytes, and {PATH_LIMIT} is the most: {absolute}",
            "Choose a shorter one.",
        )
    return Endpoint(path=absolute)
