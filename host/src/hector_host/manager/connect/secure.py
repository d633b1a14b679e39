"""Mutual TLS to a plugin of this machine: by gRPC itself, or by a relay where the plugin's key is none that gRPC knows.

The certificate of the plugin's handshake is the only one that is trusted, and the one that the host made for this start
is the only one that the plugin trusts. There is no other way in and no way around: what cannot be verified is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import grpc

from hector_host.manager.connect.channel import connect
from hector_host.manager.connect.identity import SERVER_NAME, peer
from hector_host.manager.connect.relay import Relay, refused

if TYPE_CHECKING:
    from pathlib import Path

    from hector_host.manager.connect.identity import Identity
    from hector_host.manager.failure import Failure
    from hector_host.manager.launch.handshake import Endpoint


class Secure:
    """How gRPC reaches one endpoint. Must be closed."""

    def __init__(self, target: str, credentials: grpc.ChannelCredentials | None, relay: Relay | None) -> None:
        self._target = target
        self._credentials = credentials
        self._relay = relay

    @classmethod
    async def open(cls, endpoint: Endpoint, target: str, identity: Identity, folder: Path) -> Self:
        """Makes what is needed; dials nobody.

        Args:
            target: What to dial for the endpoint.
            identity: What this host proves itself with.
            folder: Private, for a socket.

        Raises:
            Failure: The endpoint's certificate is not one.
        """
        other = peer(endpoint.certificate)
        if other.native:
            return cls(target, _credentials(other.certificate, identity), None)
        relay = Relay(endpoint.network, target.removeprefix("unix:"), identity, other, folder)
        await relay.start()
        inner = relay.inner
        return cls(relay.target, None if inner is None else _credentials(inner.certificate, inner), relay)

    def dial(self) -> grpc.aio.Channel:
        """A channel. It connects with the first call."""
        return connect(self._target, self._credentials, SERVER_NAME)

    def hopeless(self, words: str) -> Failure | None:
        """What is wrong for good; None if it may pass.

        Args:
            words: Those of gRPC.
        """
        return refused(words) if self._relay is None else self._relay.problem

    async def close(self) -> None:
        """Lets go of the relay. May be called again."""
        if self._relay is not None:
            await self._relay.close()


def _credentials(trusted: bytes, own: Identity) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(trusted, own.key, own.certificate)
