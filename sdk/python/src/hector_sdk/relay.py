"""TLS before a gRPC server: takes connections that OpenSSL secures, and passes their bytes on to where gRPC listens.

It stands between a host whose certificate gRPC's own TLS cannot verify, as those of go-plugin's hosts are, and the
server of this process. A connection is passed on only after its handshake, which proves that the host made it. What one
end takes slowly the other end reads slowly, so that no more than a few hundred KiB of a connection are ever held here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self, cast

from hector_sdk.errors import StartFailed
from hector_sdk.tls import NAME

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

LIMIT: Final = 10.0
"""Seconds for a client to prove who it is, and to take what is on its way when its connection ends."""
FAREWELL: Final = 1.0
"""Seconds for what is on its way when the relay ends."""


class Relay:
    """Passes connections on until its context is left, and ends them then.

    Args:
        outside: What clients are secured with.
        inside: What connections to the server are secured with; None where nobody else can reach it.
    """

    def __init__(self, outside: ssl.SSLContext, inside: ssl.SSLContext | None = None) -> None:
        self._outside = outside
        self._inside = inside
        self._target = ""
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._over = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over = True
        if self._listener is not None:
            self._listener.close()
        if self._connections:
            outcome = await asyncio.wait(self._connections, timeout=FAREWELL)
            for late in outcome[1]:
                late.cancel()
            await asyncio.gather(*outcome[1], return_exceptions=True)

    def before(self, target: str) -> None:
        """Pass connections on to `unix:PATH` or `HOST:PORT`."""
        self._target = target

    async def listen(self, address: str) -> str:
        """Take connections at `unix:PATH` or `HOST:PORT`.

        Returns:
            The address.

        Raises:
            StartFailed: It is taken, or no address.
        """
        loop = asyncio.get_running_loop()
        try:
            if address.startswith("unix:"):
                self._listener = await loop.create_unix_server(self._accepted, address.removeprefix("unix:"))
            else:
                host, _, port = address.rpartition(":")
                self._listener = await loop.create_server(self._accepted, host, int(port))
        except OSError:
            raise StartFailed(f"cannot listen on {address}: it is in use, or no address of this machine") from None
        return address

    def _accepted(self) -> End:
        return End(self._begin)

    def _begin(self, client: End) -> None:
        if self._over:  # it was taken in the last moment
            client.abort()
            return
        task = asyncio.create_task(self._pass_on(client))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _pass_on(self, client: End) -> None:
        """One connection, from before its handshake to the end of both of its ends."""
        ends = [client]
        try:
            await client.secure(self._outside)
            server = await self._connect()
            ends.append(server)
            client.join(server)
            server.join(client)
            for end in ends:
                await end.ended.wait()
        except OSError:
            pass  # a stranger, or the server has stopped: who connected is told by the end of the connection
        finally:
            for end in ends:
                end.abort()

    async def _connect(self) -> End:
        loop = asyncio.get_running_loop()
        if self._target.startswith("unix:"):
            _, end = await loop.create_unix_connection(End, self._target.removeprefix("unix:"))
            return end
        host, _, port = self._target.rpartition(":")
        name = None if self._inside is None else NAME
        _, end = await loop.create_connection(End, host, int(port), ssl=self._inside, server_hostname=name)
        return end


class End(asyncio.Protocol):
    """One end of a connection that is passed on. What it receives its other end sends.

    Attributes:
        ended: Set when nothing comes and goes here any more.

    Args:
        begin: Called once somebody has connected.
    """

    def __init__(self, begin: Callable[[End], None] | None = None) -> None:
        self.ended = asyncio.Event()
        self._begin = begin
        self._transport: asyncio.Transport | None = None
        self._other: End | None = None
        self._early: list[bytes] = []
        self._over = False

    async def secure(self, context: ssl.SSLContext) -> None:
        """Let the other side prove who it is.

        Raises:
            OSError: It does not, or takes too long.
        """
        assert self._transport is not None  # noqa: S101 - it has connected
        self._transport = await asyncio.get_running_loop().start_tls(
            self._transport,
            self,
            context,
            server_side=True,
            ssl_handshake_timeout=LIMIT,
            ssl_shutdown_timeout=LIMIT,
        )
        if self._transport is None:
            raise ConnectionResetError
        self._transport.pause_reading()

    def join(self, other: End) -> None:
        """Pass on from now on."""
        self._other = other
        for data in self._early:
            other.send(data)
        self._early.clear()
        if self._over:
            other.finish()
        else:
            self.read(further=True)

    def read(self, *, further: bool) -> None:
        """Go on reading, or wait with it."""
        if self._transport is None:
            return
        if further:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def send(self, data: bytes) -> None:
        """Send, or hold what the system does not take yet."""
        if self._transport is not None and not self._over:
            self._transport.write(data)

    def finish(self) -> None:
        """End it once what is on its way has been sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End it, whatever is on its way."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Read nothing yet: there is nobody to pass it on to."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.pause_reading()
        if self._begin is not None:
            self._begin(self)

    def data_received(self, data: bytes) -> None:
        """Pass it on. A handshake may bring a first piece before there is another end."""
        if self._other is None:
            self._early.append(data)
        else:
            self._other.send(data)

    def eof_received(self) -> bool:
        """Whoever says nothing more in HTTP/2 has gone, and hears nothing more: so ends the other end too."""
        self._end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the other end ends whatever it was
        """The same, without a word."""
        self._end()
        self.ended.set()

    def pause_writing(self) -> None:
        """This end is slow, so the other one reads no more."""
        if self._other is not None:
            self._other.read(further=False)

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._other is not None:
            self._other.read(further=True)

    def _end(self) -> None:
        self._over = True
        if self._other is not None:
            self._other.finish()
