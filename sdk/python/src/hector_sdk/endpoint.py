"""Where the host dials a launched plugin: a unix socket or a port of the loopback, secured as the host asks."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from hector_sdk import handshake
from hector_sdk.errors import StartFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from hector_sdk.relay import Relay
    from hector_sdk.server import Server
    from hector_sdk.tls import Security


class Endpoint:
    """What the environment asks for. An async context manager: the last that ends, since calls end through it.

    Entering it raises `StartFailed` when the host asks for what would not be safe, or for TLS with no certificate.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._tcp = False
        self._security: Security | None = None
        self._relay: Relay | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._tcp = handshake.over_tcp(self._environ)
        if self._environ.get("PLUGIN_CLIENT_CERT"):
            from hector_sdk import tls

            self._security = tls.demanded(self._environ["PLUGIN_CLIENT_CERT"])
        if self._security is not None and not self._security.native:
            from hector_sdk.relay import Relay

            inside = self._security.inside() if self._tcp else None
            self._relay = await self._stack.enter_async_context(Relay(self._security.outside(), inside))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def open(self, server: Server) -> bytes:
        """Serve there.

        Returns:
            The handshake line.

        Raises:
            StartFailed: There is no place.
        """
        listen: Callable[[str], Awaitable[str]]
        security = self._security
        if security is None:
            listen = server.listen
        elif self._relay is None:
            credentials = security.credentials()

            async def listen(address: str) -> str:
                return await server.listen(address, credentials)
        else:
            self._relay.before(await self._behind(server, security))
            listen = self._relay.listen
        network, address = await self._at_a_port(listen) if self._tcp else await self._at_a_socket(listen)
        return handshake.line(network, address, "" if security is None else security.own.line, self._environ)

    async def _behind(self, server: Server, security: Security) -> str:
        """Serve where the relay alone can reach it."""
        if self._tcp:  # there may be no unix sockets: a port that only who holds this process's key can use
            return await server.listen("127.0.0.1:0", security.credentials(security.own.pem))
        path = self._stack.enter_context(handshake.private_socket(self._environ, own=True))
        return await server.listen(f"unix:{path}")

    async def _at_a_socket(self, listen: Callable[[str], Awaitable[str]]) -> tuple[str, str]:
        path = self._stack.enter_context(handshake.private_socket(self._environ))
        await listen(f"unix:{path}")
        handshake.share(path, self._environ)
        return "unix", str(path)

    async def _at_a_port(self, listen: Callable[[str], Awaitable[str]]) -> tuple[str, str]:
        for port in handshake.ports(self._environ):
            try:
                return "tcp", await listen(f"127.0.0.1:{port}")
            except StartFailed:
                continue
        environ = self._environ
        raise StartFailed(
            f"no port between {environ.get('PLUGIN_MIN_PORT')} and {environ.get('PLUGIN_MAX_PORT')} is free"
        )
