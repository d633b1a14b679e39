"""The relay before a server that echoes: what passes, in which order, how much it holds, and how it ends."""

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from hector_sdk import relay, tls
from hector_sdk.relay import Relay

DEADLINE = 20.0
MOST_HELD = 4 << 20
"""Bytes. What the system's sockets hold on both sides is part of it."""


@pytest.fixture
def host(certified):
    return certified("P-521")


@pytest.fixture
def security(host):
    return tls.demanded(host.pem.decode())


@pytest.fixture
def client_context(host, security):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=security.own.pem.decode())
    context.load_cert_chain(host.file)
    return context


@asynccontextmanager
async def serving(handler, folder: Path, security):
    """A relay before a plain server, whose handlers have ended afterwards; the address."""
    handled = []

    async def handle(reader, writer):
        handled.append(asyncio.current_task())
        with suppress(ConnectionError):
            await handler(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with asyncio.timeout(DEADLINE), await asyncio.start_unix_server(handle, folder / "behind"):
        async with Relay(security.outside()) as before:
            before.before(f"unix:{folder / 'behind'}")
            await before.listen(f"unix:{folder / 'front'}")
            yield folder / "front"
        await asyncio.gather(*handled)


async def echo(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


async def connected(path, context):
    return await asyncio.open_unix_connection(path, ssl=context, server_hostname="localhost")


async def test_what_is_said_comes_back_whole_and_in_order(sockets, security, client_context):
    sent = bytes(range(256)) * (8 << 10)
    async with serving(echo, sockets, security) as path:

        async def one():
            reader, writer = await connected(path, client_context)
            writer.write(sent)
            assert await reader.readexactly(len(sent)) == sent
            writer.close()
            await writer.wait_closed()

        await asyncio.gather(*(one() for _ in range(8)))


@pytest.mark.parametrize("slow", ["client", "server"])
async def test_who_reads_nothing_is_not_read_for(sockets, security, client_context, slow):
    """What is written stops at what sockets and the relay hold, and nothing is lost when it is read after all."""
    written = 0
    go_on = asyncio.Event()
    read = asyncio.get_running_loop().create_future()
    total = 3 * MOST_HELD

    async def flood(writer):
        nonlocal written
        while written < total:
            writer.write(b"x" * (64 << 10))
            written += 64 << 10
            await writer.drain()

    async def drink(reader):
        await go_on.wait()
        read.set_result(len(await reader.readexactly(total)))

    async def handler(reader, writer):
        await (flood(writer) if slow == "client" else drink(reader))

    async with serving(handler, sockets, security) as path:
        reader, writer = await connected(path, client_context)
        mine = asyncio.create_task(drink(reader) if slow == "client" else flood(writer))
        before = -1
        while before != written or not written:  # until it moves no more
            before = written
            await asyncio.sleep(0.2)
        assert written < MOST_HELD
        go_on.set()
        assert await read == total
        await mine
        writer.transport.abort()


async def test_what_was_said_before_the_end_arrives(sockets, security, client_context):
    said = b"x" * (2 << 20)

    async def speak(reader, writer):
        writer.write(said)

    async with serving(speak, sockets, security) as path:
        reader, writer = await connected(path, client_context)
        assert await reader.read(-1) == said
        writer.close()


async def test_a_client_that_goes_is_gone_for_the_server_too(sockets, security, client_context):
    heard = asyncio.get_running_loop().create_future()

    async def listen(reader, writer):
        heard.set_result(await reader.read(-1))

    async with serving(listen, sockets, security) as path:
        _, writer = await connected(path, client_context)
        writer.write(b"the last words")
        writer.close()
        assert await heard == b"the last words"


async def test_who_does_not_prove_itself_in_time_is_cut_off(sockets, security, monkeypatch):
    monkeypatch.setattr(relay, "LIMIT", 0.1)
    reached = []

    async def handler(reader, writer):
        reached.append(True)

    async with serving(handler, sockets, security) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        assert await reader.read(1) == b""
        writer.close()
    assert not reached


async def test_without_a_server_a_client_hears_the_end(sockets, security, client_context):
    async with asyncio.timeout(DEADLINE), Relay(security.outside()) as before:
        before.before(f"unix:{sockets / 'nobody'}")
        await before.listen(f"unix:{sockets / 'front'}")
        reader, writer = await connected(sockets / "front", client_context)
        assert await reader.read(1) == b""
        writer.close()


async def test_it_ends_its_connections_with_itself(sockets, security, client_context, monkeypatch):
    monkeypatch.setattr(relay, "FAREWELL", 0.1)

    async def hold(reader, writer):
        await reader.read(-1)

    async with serving(hold, sockets, security) as path:
        unproven = await asyncio.open_unix_connection(path)
        proven = await connected(path, client_context)  # which proves that the one before was taken too
    for reader, writer in (proven, unproven):
        assert await asyncio.wait_for(reader.read(1), DEADLINE) == b""
        writer.close()
    with pytest.raises(OSError), socket.socket(socket.AF_UNIX) as late:  # noqa: PT011 - whichever the system says
        late.connect(str(sockets / "front"))
