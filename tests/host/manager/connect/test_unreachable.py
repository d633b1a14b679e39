"""gRPC's words for a connection that did not come about, as its versions and other servers have them."""

import pytest

from hector_host.config.plugins import TLS
from hector_host.manager.connect import unreachable
from hector_host.manager.connect.addresses import single

PLACES = unreachable.Places("ADDRESS", "TLS")
OWN = TLS.model_validate({"cert": "own.pem", "key": "own.key"})


def said(details, tls=None, address="far:9"):
    failure = unreachable.failure(details, single(address), tls, PLACES)
    assert failure.reason == "connection"
    return failure.what, failure.step


def dialled(error, tls=None):
    return said(f"failed to connect to all addresses; last error: {error}", tls)


@pytest.mark.parametrize(
    "details",
    [
        "errors resolving far:9: [field:hostname lookup error:address lookup failed for far:9: Domain name not found]",
        (
            "DNS resolution failed for far:9: C-ares status is not ARES_SUCCESS qtype=A name=far is_balancer=0: "
            "Domain name not found"
        ),
    ],
)
def test_a_name_without_an_address(details):
    assert said(details) == ("far:9 cannot be resolved: Domain name not found", "Mend ADDRESS.")


@pytest.mark.parametrize(
    "error",
    [
        "UNAVAILABLE: ipv4:1.2.3.4:9: Socket closed",
        "UNAVAILABLE: ipv4:1.2.3.4:9: recvmsg:Connection reset by peer (104)",
        "UNAVAILABLE: ipv4:1.2.3.4:9: Unwrap failed (TSI_DATA_CORRUPTED)",
        "UNAVAILABLE: ipv4:1.2.3.4:9: Handshake read failed (Socket closed)",
        (
            "UNKNOWN: ipv4:1.2.3.4:9: Tls handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: error:10000410:"
            "SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE: OK"
        ),
        (
            "UNKNOWN: ipv4:1.2.3.4:9: Tls handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: error:10000418:"
            "SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA: OK"
        ),
    ],
)
@pytest.mark.parametrize(
    ("tls", "step"),
    [
        (None, "It may speak TLS: add tls beside ADDRESS."),
        (TLS(), "It may ask for a certificate of this host: add cert and key to TLS."),
        (OWN, f"It may not accept the certificate {OWN.cert}: TLS."),
    ],
    ids=["plain", "tls", "mutual"],
)
def test_who_hangs_up(error, tls, step):
    assert dialled(error, tls) == ("far:9 ends each connection before it is made", step)


def test_tls_without_http2():
    error = "UNKNOWN: ipv4:1.2.3.4:9: Cannot check peer: missing selected ALPN property."
    assert dialled(error, TLS()) == ("far:9 speaks TLS and not gRPC", "Name the port of a gRPC server: ADDRESS.")


def test_a_certificate_that_has_expired():
    error = "UNKNOWN: ipv4:1.2.3.4:9: … CERTIFICATE_VERIFY_FAILED: certificate has expired: OK"
    assert dialled(error, TLS()) == (
        "the certificate at far:9 is not trusted: certificate has expired",
        "Have it renewed, or name the certificates of who signs it as ca of TLS.",
    )


def test_what_is_not_known_is_quoted():
    start = "Start it there, or mend ADDRESS."
    details = "failed to connect to all addresses; last error: UNKNOWN: ipv4:1.2.3.4:9: No route\x1bto host"
    assert said(details) == (rf"did not answer at far:9: {details[:-8]}\x1bto host", start)
    assert said("no healthy upstream") == ("did not answer at far:9: no healthy upstream", start)


def test_words_of_whoever_was_reached_are_its_own():
    """A proxy that could not reach what is behind it is not the plugin that is not there."""
    assert said("upstream connect error: Connection refused") == (
        "did not answer at far:9: upstream connect error: Connection refused",
        "Start it there, or mend ADDRESS.",
    )
