"""The connection to a plugin's process, from its announced endpoint to the last word."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hector_host.manager.connect.channel import connect
from hector_host.manager.connect.conversation import Conversation
from hector_host.manager.connect.sideband import Sideband
from hector_host.manager.launch import sockets

if TYPE_CHECKING:
    from grpc.aio import Channel

    from hector_host.manager.connect.identity import Identity
    from hector_host.manager.connect.secure import Secure
    from hector_host.manager.launch.handshake import Endpoint
    from hector_host.manager.logs.logbook import Logbook

LAST_WORDS = 0.5
"""Seconds in which what a process printed before its end still arrives."""
ATTENDANCE = 0.05
"""Seconds after which go-plugin's own streams are opened to those of Hector: most serve none, and are ready by then."""


class Connection:
    """A channel to an endpoint, and what is behind it. Made by `open`, and must be closed.

    Attributes:
        conversation: On the channel that calls use.
    """

    def __init__(self, endpoint: Endpoint, target: str, socket: int | None, secure: Secure | None) -> None:
        self._endpoint = endpoint
        self._target = target
        self._socket = socket
        self._secure = secure
        self._sideband: Sideband | None = None
        self._attending: asyncio.TimerHandle | None = None
        self.conversation = self._converse()
        self.conversation.channel.get_state(try_to_connect=True)  # while the first questions are being written
        if secure is not None:
            self.conversation.hopeless = secure.hopeless

    @classmethod
    async def open(cls, endpoint: Endpoint, identity: Identity | None, folder: Path) -> Self:
        """The connection; it is made with the first call.

        Args:
            identity: Whom the plugin lets in, if its endpoint has a certificate.
            folder: Private, for a socket.

        Raises:
            Failure: The endpoint is not a socket of this user, or its certificate is not one.
        """
        target, socket = endpoint.address, None
        if endpoint.network == "unix":
            target, socket = sockets.checked(Path(endpoint.address))
        try:
            if identity is None or not endpoint.certificate:
                return cls(endpoint, target, socket, None)
            from hector_host.manager.connect.secure import Secure

            return cls(endpoint, target, socket, await Secure.open(endpoint, target, identity, folder))
        except BaseException:
            if socket is not None:
                os.close(socket)
            raise

    @property
    def endpoint(self) -> Endpoint:
        """Where the plugin listens."""
        return self._endpoint

    def attend(self, book: Logbook, *, at_once: bool) -> None:
        """Holds go-plugin's own streams open, if the plugin is one of its kind.

        Args:
            book: Where what it prints is logged.
            at_once: Without waiting for it to be ready.
        """
        if self._endpoint.announced and self._attending is None:
            delay = 0 if at_once else ATTENDANCE
            self._attending = asyncio.get_running_loop().call_later(delay, self._attend, book)

    async def finish_calls(self, grace: float | None) -> None:
        """Takes no new calls, and waits `grace` seconds for those in flight."""
        await self.conversation.channel.close(grace)

    async def shut_down(self, within: float) -> bool:
        """Asks the plugin to end, on a channel of its own; False when it does not serve that."""
        last = self._converse()
        try:
            return await last.shut_down(within)
        finally:
            await last.channel.close()

    async def hear_out(self) -> None:
        """Logs what a process that has ended printed last."""
        if self._sideband is not None:
            await self._sideband.finish(LAST_WORDS)

    def discard(self) -> None:
        """Listens no more. Calls in flight fail by themselves."""
        if self._attending is not None:
            self._attending.cancel()
        if self._sideband is not None:
            self._sideband.cancel()

    async def close(self) -> None:
        """Lets go of everything. May be called again.

        The channels go first: an open one would dial whatever gets the socket's number next.
        """
        self.discard()
        if self._sideband is not None:
            await self._sideband.close()
        await self.conversation.channel.close()
        if self._secure is not None:
            await self._secure.close()
        if self._socket is not None:
            os.close(self._socket)
            self._socket = None

    def _attend(self, book: Logbook) -> None:
        self._sideband = Sideband(self._dial(), book)

    def _converse(self) -> Conversation:
        return Conversation(self._dial(), (), self._endpoint.address)

    def _dial(self) -> Channel:
        if self._secure is None:
            return connect(self._target)
        return self._secure.dial()
