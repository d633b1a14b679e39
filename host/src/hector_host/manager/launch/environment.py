"""The environment of a plugin's process: what it needs to run, and what its own part of the configuration gives it.

The host's environment holds the keys of every other plugin, so nothing of it is handed on but the handful of variables
without which programs do not start.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hector_host.manager.launch.handshake import APP_VERSION, COOKIE
from hector_host.manager.launch.transport import VARIABLE, Transport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hector_host.config import PluginConfig

INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
PORTS = (10000, 25000)
"""Where a plugin looks for a free TCP port if it uses one; go-plugin's range."""

SOCKETS = "PLUGIN_UNIX_SOCKET_DIR"
"""Its value is the private folder in which a start of a plugin puts its socket; go-plugin's name."""
CERTIFICATE = "PLUGIN_CLIENT_CERT"
"""Its value is the certificate of the only client that a plugin may let in; go-plugin's name."""
MARKER = "HECTOR_PLUGIN_INSTANCE"
"""Its value is the private folder of a start, a slash, and something random. Children inherit it: whatever carries it
belongs to that start, and whatever carries a folder of a host's to that host."""


def environment(  # noqa: PLR0913 (each is one fact of a start)
    plugin: PluginConfig,
    host: Mapping[str, str],
    *,
    instance: str,
    sockets: Path,
    data: Path,
    certificate: str = "",
) -> dict[str, str]:
    """The whole environment of one start.

    Args:
        plugin: Its options, its variables and its `env`.
        host: The host's own environment.
        instance: The marker's value.
        sockets: The private folder for the plugin's socket.
        data: The plugin's own folder, which outlives it.
        certificate: With which the host proves itself to a plugin that listens on TCP, in PEM; empty for unix sockets.
    """
    transport = {VARIABLE: str(Transport.TCP), CERTIFICATE: certificate} if certificate else {SOCKETS: str(sockets)}
    inherited = {name: host[name] for name in INHERITED if name in host}
    protocol = {
        COOKIE[0]: COOKIE[1],
        "PLUGIN_PROTOCOL_VERSIONS": APP_VERSION,
        "PLUGIN_MIN_PORT": str(PORTS[0]),
        "PLUGIN_MAX_PORT": str(PORTS[1]),
        "HECTOR_PLUGIN_NAME": plugin.name,
        "HECTOR_PLUGIN_CONFIG": json.dumps(plugin.config, ensure_ascii=False),
        "HECTOR_PLUGIN_DATA_DIR": str(data),
        MARKER: instance,
    }
    return {"PATH": DEFAULT_PATH} | inherited | dict(plugin.variables) | dict(plugin.env) | protocol | transport
