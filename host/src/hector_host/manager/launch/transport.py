"""How host and plugins of one machine reach each other: private unix sockets, or TCP with mutual TLS. Pure.

Whoever may open a private socket is the same user; anybody on the machine may dial a port. So on TCP both sides prove
themselves, with certificates that are made for one start and handed over by environment and handshake.
"""

from __future__ import annotations

import socket
from enum import StrEnum
from typing import TYPE_CHECKING

from hector_host.errors import ConfigError, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "HECTOR_TRANSPORT"
"""In the host's environment it chooses; in a plugin's it tells what was chosen."""


class Transport(StrEnum):
    """What plugins listen on."""

    UNIX = "unix"
    TCP = "tcp"


def chosen(environ: Mapping[str, str], *, unix_sockets: bool = hasattr(socket, "AF_UNIX")) -> Transport:
    """What the host's environment asks for; by default unix sockets where there are any.

    Raises:
        ConfigError: It asks for what does not exist, or not here.
    """
    name = environ.get(VARIABLE, "")
    if not name:
        return Transport.UNIX if unix_sockets else Transport.TCP
    if name not in {*Transport}:
        raise ConfigError(f'{VARIABLE}: "{quoted(name, 100)}" is no transport', "Set it to unix or tcp, or unset it.")
    if name == Transport.UNIX and not unix_sockets:
        raise ConfigError(f"{VARIABLE}: there are no unix sockets on this system", "Set it to tcp, or unset it.")
    return Transport(name)
