"""One connection to a plugin that somebody else runs: dialled, talked to, let go. There is no process to stop.

Whoever is behind the address may be another process with each new connection, so a connection that ends is not made
again in silence: it is the end of the instance, and the next one introduces itself anew.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from hector_host.errors import PluginError
from hector_host.manager.connect.addresses import single
from hector_host.manager.failure import Failure, Waiting
from hector_host.manager.plugin import Plugin, label

if TYPE_CHECKING:
    from grpc import StatusCode
    from grpc.aio import Channel

    from hector_host.config import Config, Kind, PluginConfig
    from hector_host.manager.connect.addresses import Target
    from hector_host.manager.connect.conversation import Conversation, Description
    from hector_host.manager.connect.introduction import Introduction
    from hector_host.manager.logs.logbook import Logbook

LIMIT = 10.0
"""Seconds, at most, for the first answer from an address: nothing has to boot there."""

SECOND_TRY = 0.1
"""Seconds until a connection that was refused is tried once more, before it is called a failure."""


class RemoteInstance:
    """A plugin reached by address.

    It can be opened again after it has ended or failed to open; that is another connection.

    Args:
        target: Which of the places that the address stands for.
        configure: Whether it is this host that gives it its options; by default where the configuration has any.
        data: The directory that it may write; empty for none.
        keepalive: Take a connection on which nobody answers pings for lost.
    """

    def __init__(  # noqa: PLR0913 (the last three are what an attached plugin has otherwise)
        self,
        plugin: PluginConfig,
        config: Config,
        book: Logbook,
        target: Target | None = None,
        *,
        configure: bool | None = None,
        data: str = "",
        keepalive: bool = True,
    ) -> None:
        self.kind: Kind | None = plugin.kind
        self.exclusive = False
        self.command: tuple[str, ...] = ()
        self._target = target or single(plugin.address or "")
        self.address = self._target.address
        self._plugin = plugin
        self._config = config
        self._book = book
        self._configure = "config" in plugin.model_fields_set if configure is None else configure
        self._data = data
        self._keepalive = keepalive
        self._channel: Channel | None = None
        self._loss: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """It is no process of this machine."""
        return 0

    @property
    def over(self) -> bool:
        """Its connection is known to be lost."""
        return self._loss is not None and self._loss.done()

    def start(self) -> None:
        """There is nothing to start."""

    async def open(self) -> Plugin:
        """Waits until the plugin takes calls.

        Raises:
            Failure: It cannot be reached, does not answer in time, or is not what it was taken for. Waiting does not
                mend the reasons "kind", "options" and "tls".
            Rejected: It does not take its options.
        """
        from hector_host.manager.connect.conversation import Refusal

        await self.close(0)
        self._loss = None
        try:
            talk, description = await self._reached()
            introduced = await self._introduced(talk, description)
        except Refusal as refusal:
            await self.close(0)
            raise Failure(refusal.reason, refusal.what, self._step(refusal.code)) from None
        except BaseException:
            await self.close(0)
            raise
        self.kind = introduced.kind
        return Plugin(
            name=self._plugin.name,
            kind=introduced.kind,
            pid=0,
            channel=talk.channel,
            services=introduced.services,
            serves_plugin=introduced.serves_plugin,
            version=introduced.version,
            config=self._plugin,
            metadata=talk.metadata,
            log_file=self._book.path,
            find_failure=self.failure,
        )

    async def ended(self) -> str:
        """Waits until the connection takes no more calls, for whatever reason; those in flight may be answered yet."""
        if self._loss is not None:
            await asyncio.wait((self._loss,))
        return "connection"

    def failure(self) -> PluginError | None:
        """That the connection was lost; None while it takes calls. Asks gRPC, so it is never late."""
        if self._channel is None or _ready(self._channel):
            return None
        who = label(self.kind, self._plugin.name)
        return PluginError(
            f"{who}: lost its connection to {self.address}", "It is connected again by itself; look there for why."
        )

    async def bury(self) -> None:
        """There is nothing to remove."""

    async def close(self, grace: float) -> None:
        """Lets go of the connection. May be called again.

        Args:
            grace: Seconds for calls in flight.
        """
        channel, loss = self._channel, self._loss
        try:
            if channel is not None:
                await channel.close(grace)
        finally:
            if loss is not None:
                loss.cancel()
                await asyncio.wait((loss,))

    def discard(self) -> None:
        """Stops watching the connection, which ends with the last who holds it."""
        if self._loss is not None:
            self._loss.cancel()

    def _dial(self) -> Conversation:
        from hector_host.manager.connect import certificates, channel, conversation

        tls = self._plugin.tls
        credentials = None if tls is None else certificates.credentials(tls, self._place("tls"))
        server_name = None if tls is None else tls.server_name
        dialled = channel.dial(self._target, credentials, server_name, keepalive=self._keepalive)
        return conversation.Conversation(dialled, tuple(self._plugin.metadata.items()), self.address)

    async def _introduced(self, talk: Conversation, description: Description) -> Introduction:
        from hector_host.manager.connect.introduction import Configuration, introduce

        self._loss = asyncio.create_task(_loss(talk.channel), name=f"connection to {self.address}")
        limit = self._plugin.start_timeout
        try:
            async with asyncio.timeout(limit), Configuration(talk, self._plugin, self._data) as configuration:
                own = configuration if self._configure else None
                introduced = await introduce(talk, description, self._plugin, (), own)
        except TimeoutError:
            step = f"Give it more time with start_timeout: {self._place()}."
            raise talk.waiting.too_long(limit, step, show_log=False) from None
        if self._loss.done():
            raise Failure("connection", f"lost its connection to {self.address} before it was ready")
        return introduced

    async def _reached(self) -> tuple[Conversation, Description]:
        """The first answer. Who refuses is asked a second time: it may be restarting. Who is slow is waited for."""
        from hector_host.manager.connect.conversation import Unreachable

        limit = min(LIMIT, self._plugin.start_timeout)
        try:
            async with asyncio.timeout(limit):
                with suppress(Unreachable):
                    return await self._asked()
                await self.close(0)
                await asyncio.sleep(SECOND_TRY)
                return await self._asked()
        except TimeoutError:
            step = f"Start it there, or mend {self._place('address')}."
            raise Waiting(f"did not answer at {self.address}").too_long(limit, step, show_log=False) from None
        except Unreachable as error:
            raise self._unreachable(str(error)) from None

    async def _asked(self) -> tuple[Conversation, Description]:
        talk = self._dial()
        self._channel = talk.channel
        return talk, await talk.describe_once()

    def _unreachable(self, details: str) -> Failure:
        from hector_host.manager.connect import certificates, unreachable

        tls = self._plugin.tls
        if tls is not None and unreachable.UNUSABLE in details:
            return certificates.unusable(tls, self._place("tls"))
        places = unreachable.Places(self._place("address"), self._place("tls"))
        return unreachable.failure(details, self._target, tls, places)

    def _step(self, code: StatusCode) -> str:
        """What follows from an error that it answers with."""
        if self._plugin.metadata or code.name in {"UNAUTHENTICATED", "PERMISSION_DENIED"}:
            return f"What each call to it carries is its metadata: {self._place('metadata')}."
        return f"Look there for why, or mend {self._place('address')}."

    def _place(self, *key: str) -> str:
        return self._config.locate(*self._plugin.key, *key)


def _ready(channel: Channel) -> bool:
    from grpc import ChannelConnectivity

    return channel.get_state() is ChannelConnectivity.READY


async def _loss(channel: Channel) -> None:
    """Ends when a connection that was made takes no more calls: it broke, or its server said that it goes."""
    from grpc import ChannelConnectivity
    from grpc.aio import UsageError

    with suppress(UsageError):  # it was closed before this began
        await channel.wait_for_state_change(ChannelConnectivity.READY)
