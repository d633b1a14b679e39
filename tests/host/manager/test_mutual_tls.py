"""Plugins reached by mutual TLS, as HECTOR_TRANSPORT=tcp asks for: who is let in, and what is refused."""

import base64
import json

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from hector.plugin.v1.llm_pb2 import GenerateTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector_host.errors import ConfigError, StartError
from hector_host.manager.connect.identity import issue
from hector_host.manager.launch import handshake


@pytest.fixture(autouse=True)
def _tcp(monkeypatch):
    monkeypatch.setenv("HECTOR_TRANSPORT", "tcp")


async def said(plugin, words="hello"):
    answer = await LLMProviderStub(plugin.channel).GenerateText(GenerateTextRequest(prompt=words), timeout=20)
    return answer.text


async def refusal(host, **options):
    async with host.manager(x=host.faulty("secured", timeout="60s", **options)) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
    assert host.states[-1] == "failed: handshake"
    return str(caught.value)


@pytest.mark.parametrize("key", ["P-256", "P-384", "P-521", "RSA", "Ed25519"])
@pytest.mark.parametrize("listen", ["tcp", "unix"])
async def test_a_plugin_proves_itself_with_any_key(host, listen, key):
    async with host.manager(x=host.faulty("secured", timeout="60s", listen=listen, key=key, shutdown=True)) as manager:
        plugin = await manager.ready("x")
        assert await said(plugin) == "hello"
        large = "x" * (3 << 20)
        assert await said(plugin, large) == large
    assert host.states[-1] == "stopped: stopped by the host"


async def test_the_launch_tells_of_it(host):
    async with host.manager(x=host.faulty("secured", timeout="60s")) as manager:
        await manager.ready("x")
        environment = json.loads((host.data("x") / "environment").read_text())
    assert environment["HECTOR_TRANSPORT"] == "tcp"
    assert "PLUGIN_UNIX_SOCKET_DIR" not in environment
    (certificate,) = x509.load_pem_x509_certificates(environment["PLUGIN_CLIENT_CERT"].encode())
    assert certificate.public_key().curve.name == "secp256r1"
    assert "PRIVATE" not in environment["PLUGIN_CLIENT_CERT"]


async def test_each_start_has_a_certificate_of_its_own(host):
    async with host.manager(x=host.faulty("secured", timeout="60s"), y=host.faulty("secured")) as manager:
        await manager.ready("x")
        await manager.ready("y")
    first, second = (json.loads((host.data(name) / "environment").read_text()) for name in "xy")
    assert first["PLUGIN_CLIENT_CERT"] != second["PLUGIN_CLIENT_CERT"]


async def test_by_unix_sockets_there_is_no_certificate(host, monkeypatch):
    monkeypatch.delenv("HECTOR_TRANSPORT")
    async with host.manager(x=host.faulty("raw")) as manager:
        environment = json.loads(await said(await manager.ready("x")))["env"]
    assert environment.keys() & {"HECTOR_TRANSPORT", "PLUGIN_CLIENT_CERT", "PLUGIN_UNIX_SOCKET_DIR"} == {
        "PLUGIN_UNIX_SOCKET_DIR"
    }


async def test_nobody_else_can_talk_to_the_plugin(host):
    async with host.manager(x=host.faulty("secured", timeout="60s")) as manager:
        await manager.ready("x")
        address = (host.data("x") / "address").read_text()
        other, root = issue(), _presented(address)
        for credentials in (
            None,
            grpc.ssl_channel_credentials(root),
            grpc.ssl_channel_credentials(root, other.key, other.certificate),
        ):
            async with _dialled(address, credentials) as channel:
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await LLMProviderStub(channel).GenerateText(GenerateTextRequest(prompt="x"), timeout=20)
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert await said(await manager.ready("x")) == "hello"


async def test_a_handshake_without_a_certificate_is_refused(host):
    assert await refusal(host, certificate="none", server="plain") == (
        "llm_provider/x: its handshake carries no certificate, and this host reaches plugins by mutual TLS"
        " (HECTOR_TRANSPORT=tcp)\n"
        "  Build it with an SDK that answers PLUGIN_CLIENT_CERT, or unset HECTOR_TRANSPORT on a system that has unix"
        " sockets."
    )


@pytest.mark.parametrize("key", ["P-256", "P-521"])
async def test_another_certificate_than_in_the_handshake_is_refused(host, key):
    assert await refusal(host, server="other", key=key) == (
        "llm_provider/x: presents another certificate than its handshake carries\n"
        "  Print the certificate of the server that listens at the announced address."
    )


@pytest.mark.parametrize("key", ["P-256", "P-521"])
async def test_plain_text_behind_a_certificate_is_refused(host, key):
    assert await refusal(host, server="plain", key=key) == (
        "llm_provider/x: its handshake carries a certificate, and it does not speak TLS at the announced address\n"
        "  Serve with the certificate that the handshake carries."
    )


FIELD = "\n  Field 6 is the certificate of the plugin's own server, made with each start."


@pytest.mark.parametrize(
    ("certificate", "what"),
    [
        ("expired", r"expired on \d{4}-\d\d-\d\d"),
        ("future", r"is not valid before \d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
        ("foreign", "is for elsewhere, and not for localhost"),
        ("garbage", "cannot be read: .+"),
    ],
)
async def test_a_certificate_that_cannot_be_used(host, certificate, what):
    import re

    said = await refusal(host, certificate=certificate)
    assert re.fullmatch(f"llm_provider/x: the certificate in its handshake {what}{re.escape(FIELD)}", said)


async def test_a_certificate_that_is_not_base64(host):
    assert await refusal(host, certificate="text") == (
        f'llm_provider/x: the certificate in its handshake is not base64: "{"?" * 40} …"\n'
        "  Field 6 is the certificate's DER in base64, on the same line."
    )


async def test_a_bare_server_is_reached_in_plain_text(host):
    async with host.manager(x=host.faulty("raw", listen="bare")) as manager:
        assert json.loads(await said(await manager.ready("x")))["prompt"] == "hello"


async def test_an_unknown_transport_is_refused_before_anything_is_started(host, monkeypatch):
    monkeypatch.setenv("HECTOR_TRANSPORT", "pipe")
    with pytest.raises(ConfigError) as caught:
        async with host.manager(x=host.faulty("secured", timeout="60s")):
            pass
    assert str(caught.value) == 'HECTOR_TRANSPORT: "pipe" is no transport\n  Set it to unix or tcp, or unset it.'
    assert host.states == []


def test_the_largest_usual_certificate_fits_into_a_handshake():
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 4096)
    now = issue()
    like = x509.load_pem_x509_certificate(now.certificate)
    builder = x509.CertificateBuilder(
        like.issuer,
        like.subject,
        key.public_key(),
        like.serial_number,
        like.not_valid_before_utc,
        like.not_valid_after_utc,
        list(like.extensions),
    )
    certificate = builder.sign(key, like.signature_hash_algorithm).public_bytes(serialization.Encoding.DER)
    line = f"1|1|unix|{'/p' * 50}|grpc|{base64.b64encode(certificate).decode()}"
    assert len(line) < handshake.LINE_LIMIT
    assert handshake.parse(line, tls=True).certificate == certificate


def _dialled(address, credentials):
    if credentials is None:
        return grpc.aio.insecure_channel(address)
    return grpc.aio.secure_channel(address, credentials, options=[("grpc.ssl_target_name_override", "localhost")])


def _presented(address):
    """What the server at a port presents to whoever asks, in PEM."""
    import ssl

    host, port = address.split(":")
    return ssl.get_server_certificate((host, int(port))).encode()
