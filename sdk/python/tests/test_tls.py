"""Mutual TLS with whatever host asks for it: by gRPC where it can verify the host's certificate, else by a relay."""

import base64
import re
import socket
import ssl
from pathlib import Path

import grpc
import pytest

from hector.plugin.v1.llm_pb2 import GenerateTextRequest
from hector.plugin.v1.plugin_pb2 import ConfigureRequest
from hector_sdk import tls
from hector_sdk.errors import StartFailed
from hector_sdk.testing import Stubs

OVERRIDE = (("grpc.ssl_target_name_override", "localhost"),)
PORTS = {"PLUGIN_MIN_PORT": "10000", "PLUGIN_MAX_PORT": "25000"}


def pem_of(line):
    der = base64.b64decode(line + "=" * (-len(line) % 4))
    return ssl.DER_cert_to_PEM_cert(der).encode()


def channel(address, plugin, host=None):
    chain = (host.key, host.pem) if host else (None, None)
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(plugin, *chain), options=OVERRIDE)


def greeted(address, plugin, host=None):
    """Whether a client of OpenSSL hears from gRPC: the first byte of its settings."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=plugin.decode())
    context.set_alpn_protocols(["h2"])
    if host:
        context.load_cert_chain(host.file)
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(10)
        plain.connect(address)
        with context.wrap_socket(plain, server_hostname="localhost") as secured:
            assert secured.selected_alpn_protocol() == "h2"
            return secured.recv(1) == b"\0"  # in TLS 1.3 a server refuses after the client has finished


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA"])
async def test_grpc_serves_a_host_that_it_can_verify_and_nobody_else(launch, sockets, certified, kind):
    host, stranger = certified(kind), certified(kind)
    plugin = launch("noisy.py", PLUGIN_CLIENT_CERT=host.pem.decode(), TMPDIR=str(sockets))
    core, app, network, path, protocol, line = plugin.line().rstrip("\n").split("|")
    assert (core, app, network, protocol) == ("1", "1", "unix", "grpc")
    assert "=" not in line
    assert [each.name for each in sockets.iterdir()] == [Path(path).name]  # and no other socket, of a relay
    async with channel(f"unix:{path}", pem_of(line), host) as secured:
        stubs = Stubs(secured)
        await stubs.plugin.Configure(ConfigureRequest())
        answer = await stubs.llm.GenerateText(GenerateTextRequest(prompt="hello"))
        assert answer.text == "you said hello"
    others = (
        channel(f"unix:{path}", pem_of(line), stranger),
        channel(f"unix:{path}", pem_of(line)),
        grpc.aio.insecure_channel(f"unix:{path}"),
    )
    for other in others:
        async with other:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await Stubs(other).llm.GenerateText(GenerateTextRequest())
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    plugin.popen.terminate()
    assert plugin.ended()[0] == 0
    assert list(sockets.iterdir()) == []


@pytest.mark.parametrize("kind", ["P-521", "Ed25519"])
async def test_openssl_stands_before_grpc_for_a_host_that_this_cannot_verify(launch, sockets, certified, kind):
    host, stranger = certified(kind), certified(kind)
    folder = sockets / "own"
    folder.mkdir()
    plugin = launch("noisy.py", PLUGIN_CLIENT_CERT=host.pem.decode(), TMPDIR=str(folder))
    fields = plugin.line().rstrip("\n").split("|")
    path, own = fields[3], pem_of(fields[5])
    (behind,) = folder.iterdir()
    assert behind.stat().st_mode & 0o777 == 0o700  # where gRPC listens in plain text
    assert greeted(path, own, host)
    assert not greeted(path, own, stranger)
    assert not greeted(path, own)
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(10)
        plain.connect(path)
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        said = plain.recv(100)
        assert said[:1] in {b"", b"\x15"}  # nothing, or TLS's alert
    plugin.popen.terminate()
    assert plugin.ended()[0] == 0
    assert list(folder.iterdir()) == []
    assert [each.name for each in sockets.iterdir()] == ["own"]


async def test_on_a_port_a_host_is_let_in_by_its_certificate_alone(launch, certified):
    host = certified("P-256")
    pem = host.pem.decode()
    plugin = launch("noisy.py", HECTOR_TRANSPORT="tcp", PLUGIN_CLIENT_CERT=pem, socket_dir=None, **PORTS)
    network, address, _, line = plugin.line().rstrip("\n").split("|")[2:]
    assert network == "tcp"
    assert re.fullmatch(r"127\.0\.0\.1:\d+", address)
    assert 10000 <= int(address.rpartition(":")[2]) <= 25000
    async with channel(address, pem_of(line), host) as secured:
        stubs = Stubs(secured)
        await stubs.plugin.Configure(ConfigureRequest())
        assert (await stubs.llm.GenerateText(GenerateTextRequest(prompt="hi"))).text == "you said hi"
    async with channel(address, pem_of(line)) as other:
        with pytest.raises(grpc.aio.AioRpcError):
            await Stubs(other).llm.GenerateText(GenerateTextRequest())


async def test_on_a_port_the_relay_reaches_grpc_by_tls_too(launch, certified, sockets):
    import psutil

    host = certified("P-521")
    pem = host.pem.decode()
    plugin = launch(
        "noisy.py", HECTOR_TRANSPORT="tcp", PLUGIN_CLIENT_CERT=pem, socket_dir=None, TMPDIR=str(sockets), **PORTS
    )
    fields = plugin.line().rstrip("\n").split("|")
    assert fields[2] == "tcp"
    assert list(sockets.iterdir()) == []  # there may be no unix sockets
    ports = {each.laddr.port for each in psutil.Process(plugin.popen.pid).net_connections("tcp") if not each.raddr}
    front = int(fields[3].rpartition(":")[2])
    (behind,) = ports - {front}
    async with grpc.aio.insecure_channel(f"127.0.0.1:{behind}") as other:
        with pytest.raises(grpc.aio.AioRpcError):
            await Stubs(other).llm.GenerateText(GenerateTextRequest())
    async with channel(f"127.0.0.1:{behind}", pem_of(fields[5])) as other:
        with pytest.raises(grpc.aio.AioRpcError):
            await Stubs(other).llm.GenerateText(GenerateTextRequest())


def test_a_port_in_use_is_passed_over_and_none_is_an_error(launch, certified):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environ = {"PLUGIN_MIN_PORT": port, "PLUGIN_MAX_PORT": port, "HECTOR_TRANSPORT": "tcp"}
        for kind in ("P-256", "P-521"):
            pem = certified(kind).pem.decode()
            code, out, err = launch("noisy.py", PLUGIN_CLIENT_CERT=pem, **environ).ended()
            assert (code, out) == (1, "")
            assert err.splitlines()[-1] == f"noisy: no port between {port} and {port} is free"


def test_a_port_without_a_certificate_is_refused(launch):
    code, out, err = launch("noisy.py", HECTOR_TRANSPORT="tcp").ended()
    assert (code, out) == (1, "")
    assert err.splitlines()[-2:] == [
        "noisy: HECTOR_TRANSPORT is tcp, and PLUGIN_CLIENT_CERT is missing",
        "  Without a certificate of the host every user of this machine could call the plugin.",
    ]


@pytest.mark.parametrize(
    "given",
    ["none", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "ä"],
)
def test_what_is_no_certificate_ends_the_process(launch, given):
    code, out, err = launch("noisy.py", PLUGIN_CLIENT_CERT=given).ended()
    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == "noisy: PLUGIN_CLIENT_CERT holds no certificate"


def test_its_certificate_is_as_openssl_wants_it_at_its_strictest(tmp_path):
    own = tls.made()
    file = tmp_path / "own.pem"
    file.write_bytes(own.key + own.pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    client.load_verify_locations(cadata=own.pem.decode())
    ours, theirs, there = ssl.MemoryBIO(), ssl.MemoryBIO(), None
    here = client.wrap_bio(ours, theirs, server_hostname="localhost")
    there = server.wrap_bio(theirs, ours, server_side=True)
    for _ in range(4):
        for side in (here, there):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert here.version() == "TLSv1.3"


def test_its_key_is_not_shown():
    assert "PRIVATE" not in repr(tls.made())


def test_a_host_with_several_certificates_is_verified_by_who_knows_all(certified):
    pems = [certified(kind).pem.decode() for kind in ("P-256", "P-521")]
    assert tls.demanded(pems[0]).native
    assert not tls.demanded("".join(pems)).native
    with pytest.raises(StartFailed):
        tls.demanded("")
