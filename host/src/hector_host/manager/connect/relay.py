"""Carries bytes between gRPC and a plugin whose certificate gRPC's own TLS cannot verify.

A program made with go-plugin signs with P-521, which gRPC's TLS does not know and OpenSSL does. So OpenSSL makes the
connection to the plugin here, and gRPC is met on this side of it: on a socket in a private folder, or where the plugin
listens on TCP, on the loopback with certificates of the relay's own. Nobody else can use either, so the relay lets
nobody do what the plugin would refuse. It buffers little: who is slow is not read faster than the other side reads.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

from hector_host.manager.connect.identity import SERVER_NAME, issue
from hector_host.manager.failure import Failure

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Coroutine
    from pathlib import Path
    from typing import Any

    from hector_host.manager.connect.identity import Identity, Peer

CHUNK = 64 << 10
FAREWELL = 1.0
"""Seconds in which what a plugin sent last still goes to gRPC."""


class Relay:
    """Where gRPC dials instead, for as long as the connection is held. Must be closed.

    Attributes:
        target: What gRPC dials.
        inner: With what both ends of the inner connection prove themselves; None where it is a private socket.
        problem: Why the plugin was not let through, when TLS was what failed; None otherwise.

    Args:
        network: "unix" or "tcp".
        address: Of the plugin: a path, or `host:port`.
    """

    def __init__(self, network: str, address: str, identity: Identity, peer: Peer, folder: Path) -> None:
        self.target = ""
        self.inner = None if network == "unix" else issue()
        self.problem: Failure | None = None
        self._network = network
        self._address = address
        self._folder = folder
        self._outside = self._context(ssl.PROTOCOL_TLS_CLIENT, identity, peer.certificate)
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listens."""
        if self.inner is None:
            path = self._folder / "relay"
            self._server = await asyncio.start_unix_server(self._accept, path, limit=CHUNK)
            self.target = f"unix:{path}"
            return
        context = self._context(ssl.PROTOCOL_TLS_SERVER, self.inner, self.inner.certificate)
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=context, limit=CHUNK)
        self.target = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Ends all connections. May be called again."""
        if self._server is not None:
            self._server.close()
        for link in self._links:
            link.cancel()
        if self._links:
            await asyncio.wait(self._links)

    def _context(self, protocol: int, identity: Identity, trusted: bytes) -> ssl.SSLContext:
        """Both sides prove themselves, and nobody is trusted but one."""
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=trusted.decode())
        context.set_alpn_protocols(["h2"])
        file = self._folder / "identity"  # OpenSSL reads it from a file, in a folder that is this user's alone
        file.touch(mode=0o600)
        try:
            file.write_bytes(identity.key + identity.certificate)
            context.load_cert_chain(file)
        finally:
            file.unlink()
        return context

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        link = asyncio.current_task()
        if link is not None:  # always: a server makes a task of this
            self._links.add(link)
            link.add_done_callback(self._links.discard)
        try:
            far_reader, far_writer = await self._dial()
        except OSError:  # gRPC finds its connection ended, and asks again or says so
            writer.transport.abort()
            return
        except BaseException:
            writer.transport.abort()
            raise
        try:
            await _until_one_ends(_copy(reader, far_writer), _copy(far_reader, writer))
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await writer.wait_closed()
        finally:
            writer.transport.abort()
            far_writer.transport.abort()

    async def _dial(self) -> tuple[StreamReader, StreamWriter]:
        try:
            if self._network == "unix":
                return await asyncio.open_unix_connection(
                    self._address, ssl=self._outside, server_hostname=SERVER_NAME, limit=CHUNK
                )
            host, _, port = self._address.rpartition(":")
            return await asyncio.open_connection(
                host.strip("[]"), int(port), ssl=self._outside, server_hostname=SERVER_NAME, limit=CHUNK
            )
        except ssl.SSLError as error:
            self.problem = refused(error.reason or str(error))
            raise


def refused(words: str) -> Failure | None:
    """What TLS's own words mean for a plugin; None if they mean nothing final."""
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return Failure(
            "handshake",
            "presents another certificate than its handshake carries",
            "Print the certificate of the server that listens at the announced address.",
        )
    if "WRONG_VERSION_NUMBER" in words:
        return Failure(
            "handshake",
            "its handshake carries a certificate, and it does not speak TLS at the announced address",
            "Serve with the certificate that the handshake carries.",
        )
    return None


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):  # the other end is gone, which ends the connection
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()


async def _until_one_ends(*directions: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.ensure_future(each) for each in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.wait(tasks)
