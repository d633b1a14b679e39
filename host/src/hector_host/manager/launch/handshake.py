"""The first line of a plugin: go-plugin's handshake, protocol version 1. Pure.

`CORE|APP|NETWORK|ADDRESS|PROTOCOL|CERT[|MULTIPLEX]`, for example `1|1|unix|/run/x/plugin42|grpc|`. Whoever begins a
line with a number and a bar means it as one; everything else on standard output is not a handshake.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from hector_host.errors import quoted
from hector_host.manager.failure import Failure
from hector_host.manager.launch.transport import VARIABLE

COOKIE = ("HECTOR_PLUGIN", "hector_plugin_v1")
CORE_VERSION = "1"
APP_VERSION = "1"
LINE_LIMIT = 4096
"""Bytes that a handshake may have."""

CERTIFICATE_MINIMUM = 50
"""go-plugin takes a shorter certificate field for an empty one."""

_ATTEMPT = re.compile(r"\s*\d+\|")
_REBUILD = "Build the plugin against go-plugin protocol 1 and the application protocol 1, or upgrade Hector."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a plugin listens.

    Attributes:
        network: "unix" or "tcp".
        address: A path, or `host:port`.
        certificate: What its server presents, in DER; empty for plain text.
        announced: A handshake names it; false for the port of a bare server.
    """

    network: str
    address: str
    certificate: bytes = b""
    announced: bool = True


def is_attempt(line: str) -> bool:
    """Whether a line of standard output is meant as a handshake."""
    return _ATTEMPT.match(line) is not None


def parse(line: str, *, tls: bool = False) -> Endpoint:
    """Where the plugin that printed `line` listens.

    Args:
        tls: This host has offered a certificate: the plugin must answer with its own, and must not otherwise.

    Raises:
        Failure: The line does not offer what this host speaks.
    """
    fields = [field.strip() for field in line.strip().split("|")]
    if fields[0] != CORE_VERSION:
        raise Failure("handshake", f"speaks go-plugin protocol {quoted(fields[0])}, this host speaks 1", _REBUILD)
    if len(fields) < 4:
        raise Failure(
            "handshake",
            f'its handshake has {len(fields)} fields, a handshake has at least 4: "{quoted(line)}"',
            "It reads CORE|APP|NETWORK|ADDRESS|PROTOCOL, for example 1|1|unix|/tmp/plugin1|grpc.",
        )
    _, app, network, address = fields[:4]
    if app != APP_VERSION:
        raise Failure("handshake", f"speaks protocol {quoted(app)}, this host speaks 1", _REBUILD)
    _check_protocol(line, fields)
    certificate = _certificate(fields, tls=tls)
    if network not in {"unix", "tcp"} or not address or "\0" in address:
        raise Failure(
            "handshake",
            f'its handshake names no address this host can dial: "{quoted(line)}"',
            "NETWORK is unix or tcp, and ADDRESS is a path or host:port.",
        )
    return Endpoint(network, address if network == "unix" else _loopback(address, line), certificate)


def _check_protocol(line: str, fields: list[str]) -> None:
    protocol = fields[4] if len(fields) > 4 else ""
    if protocol != "grpc":
        raise Failure(
            "handshake",
            f'its handshake offers {quoted(protocol) or "netrpc"} instead of grpc: "{quoted(line)}"',
            "Serve the plugin over gRPC: with go-plugin, set GRPCServer in its ServeConfig.",
        )


def _certificate(fields: list[str], *, tls: bool) -> bytes:
    """The certificate in DER, as far as base64 tells; empty where none is wanted."""
    text = fields[5] if len(fields) > 5 else ""
    offered = len(text) > CERTIFICATE_MINIMUM
    if offered and not tls:
        raise Failure(
            "handshake",
            "its handshake carries a certificate, and this host did not ask for AutoMTLS",
            "Serve without TLS: the host reaches the plugin through a private socket.",
        )
    if tls and not offered:
        raise Failure(
            "handshake",
            f"its handshake carries no certificate, and this host reaches plugins by mutual TLS ({VARIABLE}=tcp)",
            "Build it with an SDK that answers PLUGIN_CLIENT_CERT"
            f", or unset {VARIABLE} on a system that has unix sockets.",
        )
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True) if tls else b""
    except ValueError:
        raise Failure(
            "handshake",
            f'the certificate in its handshake is not base64: "{quoted(text, 40)}"',
            "Field 6 is the certificate's DER in base64, on the same line.",
        ) from None


def _loopback(address: str, line: str) -> str:
    """Who listens on all interfaces is dialled on loopback; who listens elsewhere was not started here."""
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit() or not 0 < int(port) < 65536:
        raise Failure("handshake", f'its handshake has no port: "{quoted(line)}"', "ADDRESS is host:port for tcp.")
    bare = host.strip("[]")
    if bare in {"", "0.0.0.0", "::", "localhost"}:  # noqa: S104 (an address to compare with, nothing is bound)
        return f"127.0.0.1:{port}"
    if bare == "::1" or bare.startswith("127."):
        return address
    raise Failure(
        "handshake",
        f"its handshake points to {quoted(host)}, which is not this machine's loopback",
        "A plugin that runs elsewhere is listed with address: instead of path:.",
    )
