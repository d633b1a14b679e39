"""Why nobody could be reached at an address: gRPC's words for it, in ours, with the next step. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hector_host.errors import quoted
from hector_host.manager.failure import Failure

if TYPE_CHECKING:
    from hector_host.config.plugins import TLS
    from hector_host.manager.connect.addresses import Target

REASON = "connection"
"""The reason of a failure that may be over when it is tried again."""

UNUSABLE = "Failed to create security handshaker"
"""What gRPC says of certificates that it cannot use."""

_DIALLED = "failed to connect to all addresses"
"""How gRPC begins when no connection came about; anything else was said by somebody who was reached."""

_OF_SOCKETS = "localhost"
"""The name that gRPC looks for in the certificate of a server on a socket."""

_START = "Start it there, or mend {address}"
_OTHER = "Name the port of a gRPC server: {address}"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the configuration names the address and its `tls`."""

    address: str
    tls: str


_CAUSES = (
    ("Connection refused", "nobody listens at {where}", _START),
    ("No such file or directory", "there is no socket at {where}", _START),
    (
        "Hostname Verification Check failed",
        "the certificate at {where} is not for {name}",
        "Write the name in the certificate as server_name of {tls}",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED: ([^:]+)",
        "the certificate at {where} is not trusted: {why}",
        "Have it renewed, or name the certificates of who signs it as ca of {tls}",
    ),
    ("WRONG_VERSION_NUMBER", "{where} does not speak TLS", "Name a port that does, or remove {tls}"),
    ("ALPN", "{where} speaks TLS and not gRPC", _OTHER),
    ("http1", "{where} speaks HTTP/1 and not gRPC", _OTHER),
)
"""A part of gRPC's words, what they mean, and the next step."""

_UNRESOLVED = re.compile(r"(?:errors resolving|DNS resolution failed).*?: (?P<why>[^:\]]+)\]?$")
_HANGS_UP = re.compile("Socket closed|Connection reset|Broken pipe|Unwrap failed|Handshake read failed|ALERT")


def failure(details: str, target: Target, tls: TLS | None, places: Places) -> Failure:
    """What became of an attempt to reach a plugin.

    Args:
        details: gRPC's own words.
        tls: What the connection is secured with.
    """
    unresolved = _UNRESOLVED.match(details)
    if unresolved is not None:
        what, step = (
            f"{target.authority} cannot be resolved: {quoted(unresolved['why'], 200)}",
            f"Mend {places.address}",
        )
    elif details.startswith(_DIALLED):
        what, step = _not_connected(details, target, tls, places)
    else:
        what, step = (
            f"did not answer at {target.address}: {quoted(details, 200)}",
            _START.format(address=places.address),
        )
    return Failure(REASON, what, f"{step}.")


def _not_connected(details: str, target: Target, tls: TLS | None, places: Places) -> tuple[str, str]:
    name = (tls and tls.server_name) or target.authority.rpartition(":")[0] or _OF_SOCKETS
    for part, what, step in _CAUSES:
        if found := re.search(part, details):
            why = quoted(found[1], 200) if found.groups() else ""
            return (
                what.format(where=target.address, name=name, why=why),
                step.format(address=places.address, tls=places.tls),
            )
    if "parsing HTTP/2" in details:
        return f"{target.address} does not speak gRPC", _OTHER.format(address=places.address) + _perhaps_tls(tls)
    if _HANGS_UP.search(details):
        return f"{target.address} ends each connection before it is made", _unwelcome(tls, places)
    return f"did not answer at {target.address}: {quoted(details, 200)}", _START.format(address=places.address)


def _perhaps_tls(tls: TLS | None) -> str:
    return ", or add tls if it speaks TLS" if tls is None else ""


def _unwelcome(tls: TLS | None, places: Places) -> str:
    """The likely reason for which a server hangs up without a word."""
    if tls is None:
        return f"It may speak TLS: add tls beside {places.address}"
    if tls.cert is None:
        return f"It may ask for a certificate of this host: add cert and key to {places.tls}"
    return f"It may not accept the certificate {tls.cert}: {places.tls}"
