"""What a connection is secured with. The files are read anew each time, since certificates are renewed in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from hector_host.manager.failure import Failure

if TYPE_CHECKING:
    from pathlib import Path

    from hector_host.config.plugins import TLS

REASON = "tls"
"""The reason of a failure that only another file, or another configuration, mends."""


def credentials(tls: TLS, place: str) -> grpc.ChannelCredentials:
    """The credentials of a channel, as the files are now.

    Args:
        place: Where the configuration names the files.

    Raises:
        Failure: A file cannot be read, or is empty.
    """
    return grpc.ssl_channel_credentials(_read(tls.ca, place), _read(tls.key, place), _read(tls.cert, place))


def unusable(tls: TLS, place: str) -> Failure:
    """Which of the files gRPC cannot use; it says only that it cannot."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    what = "its certificates cannot be used"
    try:
        if tls.ca is not None:
            what = f"{tls.ca} holds no certificate (PEM)"
            context.load_verify_locations(cafile=tls.ca)
        if tls.cert is not None:
            what = f"{tls.cert} and {tls.key} hold no certificate and its private key (PEM)"
            context.load_cert_chain(tls.cert, tls.key, password="")  # of an encrypted key nobody is asked the word
            what = "its certificates cannot be used"
    except OSError:  # ssl.SSLError is one
        pass
    return Failure(REASON, what, f"{place} names it.")


def _read(path: Path | None, place: str) -> bytes | None:
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Failure(REASON, f"{path} cannot be read: {error.strerror}", f"{place} names it.") from None
    if not content.strip():
        # gRPC would take it for one that is not given, and trust everybody whom the machine trusts.
        raise Failure(REASON, f"{path} is empty", f"{place} names it.")
    return content
