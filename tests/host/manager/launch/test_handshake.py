"""The line, field by field."""

import base64

import pytest

from hector_host.manager.failure import Failure
from hector_host.manager.launch.handshake import Endpoint, is_attempt, parse


@pytest.mark.parametrize(
    ("line", "endpoint"),
    [
        ("1|1|unix|/run/plugin1|grpc", Endpoint("unix", "/run/plugin1")),
        (" 1|1|unix|/run/plugin1|grpc||false\r\n", Endpoint("unix", "/run/plugin1")),
        ("1|1|tcp|127.0.0.1:1234|grpc|", Endpoint("tcp", "127.0.0.1:1234")),
        ("1|1|tcp|0.0.0.0:1234|grpc|", Endpoint("tcp", "127.0.0.1:1234")),
        ("1|1|tcp|[::]:1234|grpc|", Endpoint("tcp", "127.0.0.1:1234")),
        ("1|1|tcp|:1234|grpc|", Endpoint("tcp", "127.0.0.1:1234")),
        ("1|1|tcp|[::1]:1234|grpc|", Endpoint("tcp", "[::1]:1234")),
        (f"1|1|unix|/s|grpc|{'x' * 50}", Endpoint("unix", "/s")),
    ],
)
def test_an_endpoint(line, endpoint):
    assert parse(line) == endpoint


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("2|1|unix|/s|grpc", "speaks go-plugin protocol 2, this host speaks 1"),
        ("1|3|unix|/s|grpc", "speaks protocol 3, this host speaks 1"),
        ("1|1|unix", 'its handshake has 3 fields, a handshake has at least 4: "1|1|unix"'),
        ("1|1|unix|/s", 'its handshake offers netrpc instead of grpc: "1|1|unix|/s"'),
        ("1|1|unix|/s|netrpc", 'its handshake offers netrpc instead of grpc: "1|1|unix|/s|netrpc"'),
        ("1|1|pipe|/s|grpc", 'its handshake names no address this host can dial: "1|1|pipe|/s|grpc"'),
        ("1|1|unix||grpc", 'its handshake names no address this host can dial: "1|1|unix||grpc"'),
        ("1|1|tcp|127.0.0.1|grpc", 'its handshake has no port: "1|1|tcp|127.0.0.1|grpc"'),
        ("1|1|tcp|127.0.0.1:70000|grpc", 'its handshake has no port: "1|1|tcp|127.0.0.1:70000|grpc"'),
        ("1|1|tcp|10.0.0.1:80|grpc", "its handshake points to 10.0.0.1, which is not this machine's loopback"),
        (
            f"1|1|unix|/s|grpc|{'x' * 51}",
            "its handshake carries a certificate, and this host did not ask for AutoMTLS",
        ),
    ],
)
def test_a_line_that_is_refused(line, what):
    with pytest.raises(Failure) as caught:
        parse(line)
    assert caught.value.what == what
    assert caught.value.reason == "handshake"
    assert caught.value.step.endswith(".")


CERTIFICATE = bytes(range(100))


def test_a_certificate_that_was_asked_for():
    text = base64.b64encode(CERTIFICATE).decode().rstrip("=")
    for padding in ("", "=="):
        endpoint = parse(f"1|1|tcp|127.0.0.1:1234|grpc|{text}{padding}|false", tls=True)
        assert endpoint == Endpoint("tcp", "127.0.0.1:1234", CERTIFICATE)


@pytest.mark.parametrize("line", ["1|1|tcp|127.0.0.1:1234|grpc", f"1|1|unix|/s|grpc|{'x' * 50}"])
def test_a_certificate_that_is_missing(line):
    with pytest.raises(Failure) as caught:
        parse(line, tls=True)
    assert caught.value.reason == "handshake"
    assert caught.value.what == (
        "its handshake carries no certificate, and this host reaches plugins by mutual TLS (HECTOR_TRANSPORT=tcp)"
    )
    assert caught.value.step == (
        "Build it with an SDK that answers PLUGIN_CLIENT_CERT,"
        " or unset HECTOR_TRANSPORT on a system that has unix sockets."
    )


@pytest.mark.parametrize("text", ["?" * 60, "a" * 57, "é" * 60])
def test_a_certificate_that_is_not_base64(text):
    with pytest.raises(Failure) as caught:
        parse(f"1|1|tcp|127.0.0.1:1234|grpc|{text}", tls=True)
    assert caught.value.what == f'the certificate in its handshake is not base64: "{text[:40]} …"'
    assert caught.value.step == "Field 6 is the certificate's DER in base64, on the same line."


@pytest.mark.parametrize("line", ["1|", "1|1|unix", " 12|x"])
def test_what_is_meant_as_a_handshake(line):
    assert is_attempt(line)


@pytest.mark.parametrize("line", ["", "Plugin started", "|1|", "listening on 1|2", "1 | 2"])
def test_what_is_prose(line):
    assert not is_attempt(line)
