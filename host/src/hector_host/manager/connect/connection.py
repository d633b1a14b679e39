"""The connection to a plugin's process, from its announced endpoint to the last word."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.manager.connect.channel import connect
from hector_host.manager.connect.conversation import Conversation
from hector_host.manager.launch import sockets

if TYPE_CHECKING:
    from hector_host.manager.launch.handshake import Endpoint


class Connection:
    """A channel to an endpoint, and the socket behind it.

    Attributes:
        conversation: On the channel that calls use.

    Raises:
        Failure: The endpoint is not a socket of this user.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._socket: int | None = None
        self._target = endpoint.address
        if endpoint.network == "unix":
            self._target, self._socket = sockets.checked(Path(endpoint.address))
        self.conversation = Conversation(connect(self._target), (), endpoint.address)

    async def finish_calls(self, grace: float | None) -> None:
        """Takes no new calls, and waits `grace` seconds for those in flight."""
        await self.conversation.channel.close(grace)

    async def shut_down(self, within: float) -> bool:
        """Asks the plugin to end, on a channel of its own; False when it does not serve that."""
        last = connect(self._target)
        try:
            return await Conversation(last, (), self._endpoint.address).shut_down(within)
        finally:
            await last.close()

    async def close(self) -> None:
        """Lets go of everything. Nothing in it waits, so nothing interrupts it. May be called again.

        The channel goes first: an open one would dial whatever gets the socket's number next.
        """
        await self.conversation.channel.close()
        if self._socket is not None:
            os.close(self._socket)
            self._socket = None
        if self._endpoint.network == "unix":
            sockets.remove(Path(self._endpoint.address))
