"""One connection to a plugin that somebody else runs: dialled, talked to, let go. There is no process to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hector_host.manager.failure import Failure
from hector_host.manager.plugin import Plugin

if TYPE_CHECKING:
    from pathlib import Path

    from grpc import ChannelCredentials

    from hector_host.config import Config, Kind, PluginConfig
    from hector_host.errors import PluginError
    from hector_host.manager.conversation import Conversation
    from hector_host.manager.logbook import Logbook

LIMIT = 10.0
"""Seconds, at most, for an address to answer: nothing has to boot there."""


class RemoteInstance:
    """A plugin reached by address.

    Attributes:
        kind: What it provides, as far as that is known.
    """

    def __init__(self, plugin: PluginConfig, config: Config, book: Logbook) -> None:
        self.kind: Kind | None = plugin.kind
        self._plugin = plugin
        self._config = config
        self._book = book
        self._conversation: Conversation | None = None
        self._ready = False

    def start(self) -> None:
        """There is nothing to start."""

    async def open(self) -> Plugin:
        """Waits until the plugin takes calls.

        Raises:
            Failure: It does not answer in time or is not what it was taken for.
            Rejected: It does not take its options.
        """
        from hector_host.manager import channel, conversation, introduction

        address = self._plugin.address or ""
        metadata = tuple(self._plugin.metadata.items())
        tls = self._plugin.tls
        options = (
            () if tls is None or tls.server_name is None else (("grpc.ssl_target_name_override", tls.server_name),)
        )
        talk = conversation.Conversation(channel.connect(address, self._credentials(), options), metadata, address)
        self._conversation = talk
        configure = "config" in self._plugin.model_fields_set
        limit = min(LIMIT, self._plugin.start_timeout)
        try:
            async with asyncio.timeout(limit):
                introduced = await introduction.introduce(talk, self._plugin, (), configure=configure, data="")
        except TimeoutError:
            place = self._config.locate(*self._plugin.key, "address")
            raise talk.waiting.too_long(limit, f"Start it there, or mend {place}.", show_log=False) from None
        self.kind = introduced.kind
        self._ready = True
        return Plugin(
            name=self._plugin.name,
            kind=introduced.kind,
            pid=0,
            channel=talk.channel,
            services=introduced.services,
            serves_plugin=introduced.serves_plugin,
            version=introduced.version,
            config=self._plugin,
            metadata=metadata,
            log_file=self._book.path,
            find_failure=self._failure,
        )

    async def ended(self) -> str:
        """Waits for ever: a connection that breaks is made again."""
        await asyncio.Event().wait()
        raise AssertionError

    async def bury(self) -> None:
        """There is nothing to remove."""

    async def close(self, grace: float) -> None:
        """Lets go of the connection. May be called again.

        Args:
            grace: Seconds for calls in flight.
        """
        if self._conversation is not None:
            await self._conversation.channel.close(grace if self._ready else None)

    def discard(self) -> None:
        """There is nothing to remove."""

    def _failure(self) -> PluginError | None:
        return None

    def _credentials(self) -> ChannelCredentials | None:
        """What the connection is secured with; None for plain text.

        Raises:
            Failure: A certificate cannot be read.
        """
        tls = self._plugin.tls
        if tls is None:
            return None
        import grpc

        return grpc.ssl_channel_credentials(self._pem(tls.ca), self._pem(tls.key), self._pem(tls.cert))

    def _pem(self, path: Path | None) -> bytes | None:
        if path is None:
            return None
        try:
            return path.read_bytes()
        except OSError as error:
            place = self._config.locate(*self._plugin.key, "tls")
            raise Failure("tls", f"{path} cannot be read: {error.strerror}", f"{place} names it.") from None
