"""Bytes through a relay: to whom it connects, whom it lets in, and how much it holds."""

import asyncio
import ssl

import pytest

from hector_host.manager.connect import relay
from hector_host.manager.connect.identity import Identity, Peer, issue
from hector_host.manager.connect.relay import Relay

HOST, PLUGIN = issue(), issue()


def context(tmp_path, protocol, identity: Identity, trusted: bytes):
    made = ssl.SSLContext(protocol)
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=trusted.decode())
    made.set_alpn_protocols(["h2"])
    file = tmp_path / "pem"
    file.write_bytes(identity.key + identity.certificate)
    made.load_cert_chain(file)
    return made


class Plugin:
    """A TLS server that lets in `HOST`, and hands what it accepts to the test."""

    def __init__(self, tmp_path, identity=PLUGIN):
        self.accepted = asyncio.Queue()
        self.context = context(tmp_path, ssl.PROTOCOL_TLS_SERVER, identity, HOST.certificate)

    async def start(self):
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.context)
        return f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def _accept(self, reader, writer):
        self.accepted.put_nowait((reader, writer))

    async def close(self):
        self.server.close()
        while not self.accepted.empty():
            self.accepted.get_nowait()[1].transport.abort()


@pytest.fixture
async def plugin(tmp_path):
    made = Plugin(tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def relayed(plugin, tmp_path):
    """A relay on TCP to the plugin."""
    made = Relay("tcp", await plugin.start(), HOST, Peer(PLUGIN.certificate, native=False), tmp_path)
    await made.start()
    yield made
    await made.close()


async def dial(relayed, tmp_path, identity=None):
    host, _, port = relayed.target.rpartition(":")
    own = identity or relayed.inner
    tls = context(tmp_path, ssl.PROTOCOL_TLS_CLIENT, own, relayed.inner.certificate)
    return await asyncio.open_connection(host, int(port), ssl=tls, server_hostname="localhost")


async def test_it_carries_both_ways_and_ends_with_the_plugin(plugin, relayed, tmp_path):
    reader, writer = await dial(relayed, tmp_path)
    far_reader, far_writer = await plugin.accepted.get()
    assert far_writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
    writer.write(b"question")
    assert await far_reader.readexactly(8) == b"question"
    far_writer.write(b"answer")
    far_writer.close()
    assert await reader.read() == b"answer"
    writer.close()


async def test_it_ends_with_the_host(plugin, relayed, tmp_path):
    _, writer = await dial(relayed, tmp_path)
    far_reader, far_writer = await plugin.accepted.get()
    writer.transport.abort()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await far_reader.readexactly(1)
    far_writer.close()


async def test_closing_it_ends_its_connections(plugin, relayed, tmp_path):
    reader, writer = await dial(relayed, tmp_path)
    _, far_writer = await plugin.accepted.get()
    await relayed.close()
    await relayed.close()
    assert await _ended(reader)
    writer.close()
    far_writer.close()
    with pytest.raises(ConnectionRefusedError):
        await dial(relayed, tmp_path)


async def test_nobody_else_is_let_in(plugin, relayed, tmp_path):
    host, _, port = relayed.target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert await _ended(reader)
    writer.close()
    try:
        reader, writer = await dial(relayed, tmp_path, identity=issue())
    except OSError:
        pass
    else:  # in TLS 1.3 a client hears of its refusal with the first answer
        assert await _ended(reader)
        writer.close()
    assert plugin.accepted.empty()


async def test_it_holds_little_of_what_the_other_side_does_not_read(plugin, relayed, tmp_path):
    _, writer = await dial(relayed, tmp_path)
    far_reader, far_writer = await plugin.accepted.get()
    far_writer.transport.pause_reading()
    sent = 0
    writer.transport.set_write_buffer_limits(high=0)
    try:
        while sent < 1 << 30:
            writer.write(bytes(1 << 20))
            sent += 1 << 20
            async with asyncio.timeout(1):
                await writer.drain()
    except TimeoutError:
        pass
    assert sent < 64 << 20
    far_writer.transport.resume_reading()
    await far_reader.readexactly(sent)
    writer.close()
    far_writer.close()


async def test_another_certificate_than_the_expected_one_is_the_problem(tmp_path):
    plugin = Plugin(tmp_path, issue())
    relayed = Relay("tcp", await plugin.start(), HOST, Peer(PLUGIN.certificate, native=False), tmp_path)
    await relayed.start()
    reader, writer = await dial(relayed, tmp_path)
    assert await _ended(reader)
    assert relayed.problem.what == "presents another certificate than its handshake carries"
    writer.close()
    await relayed.close()
    await plugin.close()


async def test_nobody_at_the_address_is_no_problem_for_good(tmp_path):
    relayed = Relay("tcp", "127.0.0.1:1", HOST, Peer(PLUGIN.certificate, native=False), tmp_path)
    await relayed.start()
    reader, writer = await dial(relayed, tmp_path)
    assert await _ended(reader)
    assert relayed.problem is None
    writer.close()
    await relayed.close()


async def test_the_key_does_not_stay_on_the_disk(relayed, tmp_path):
    assert not (tmp_path / "identity").exists()


async def test_a_plugin_on_a_socket_is_relayed_by_a_socket(tmp_path):
    relayed = Relay("unix", str(tmp_path / "s"), HOST, Peer(PLUGIN.certificate, native=False), tmp_path)
    await relayed.start()
    assert (relayed.target, relayed.inner) == (f"unix:{tmp_path}/relay", None)
    await relayed.close()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("Connection refused", None),
        ("SSL_ERROR_SSL: CERTIFICATE_VERIFY_FAILED: x", "presents another certificate than its handshake carries"),
        (
            "WRONG_VERSION_NUMBER",
            "its handshake carries a certificate, and it does not speak TLS at the announced address",
        ),
    ],
)
def test_what_tls_says(words, what):
    failure = relay.refused(words)
    assert (failure and failure.what) == what


async def _ended(reader):
    """Whether a connection ends without a byte."""
    try:
        return await reader.read() == b""
    except OSError:
        return True
