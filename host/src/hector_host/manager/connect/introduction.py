"""From a plugin that is reached to one that takes calls: agreement on its kind, Configure, health.

What leaves early need not wait for its turn: a round trip is a tenth of a Go plugin's start.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from grpc import StatusCode

from hector_host.manager.connect import agreement
from hector_host.manager.connect.conversation import Refusal
from hector_host.manager.failure import Waiting

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

    from hector_host.config import Kind, PluginConfig
    from hector_host.manager.connect.conversation import Conversation, Description


@dataclass(frozen=True, slots=True)
class Introduction:
    """What is known of a plugin once it is ready.

    Attributes:
        kind: What it provides; None for several.
        services: Full names of the services that it serves.
    """

    kind: Kind | None
    services: frozenset[str]
    serves_plugin: bool
    version: str


class Configuration:
    """Configure on its way to a plugin, and beside it the first question for health.

    Configure answers once the plugin can serve with the options, so that a yes from before it is as good as one after
    it: most plugins need no further question. An async context manager: what is not answered when it is left is taken
    back.

    Args:
        data: The directory that the plugin may write; empty for none.
    """

    def __init__(self, conversation: Conversation, plugin: PluginConfig, data: str) -> None:
        self._conversation = conversation
        self._plugin = plugin
        self._data = data
        self._asked: tuple[asyncio.Task[None], asyncio.Task[bool]] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for task in self._asked or ():
            task.cancel()
        await asyncio.gather(*(self._asked or ()), return_exceptions=True)

    def begin(self) -> tuple[asyncio.Task[None], asyncio.Task[bool]]:
        """Sends both, for a plugin that may know the options whatever it says that it is."""
        if self._asked is None:
            configure = asyncio.create_task(self._configure(), name=f"Configure of {self._plugin.name}")
            healthy = self._conversation.healthy()
            self._asked = configure, asyncio.create_task(healthy, name=f"first health of {self._plugin.name}")
        return self._asked

    async def done(self) -> bool:
        """Waits for Configure, of a plugin that has answered already; whether it is known to be healthy too.

        Raises:
            Failure: It cannot work with its options here.
            Rejected: It does not take its options.
        """
        self._conversation.waiting = Waiting("did not finish Configure")
        configured, healthy = self.begin()
        try:
            await configured
        except Refusal as refusal:
            if refusal.code is not StatusCode.UNAVAILABLE:
                raise
            await self._configure()  # the first one left before anybody listened
        return await healthy

    async def _configure(self) -> None:
        await self._conversation.configure(self._plugin.name, json.dumps(self._plugin.config), self._data)


async def introduce(
    conversation: Conversation,
    description: Description,
    plugin: PluginConfig,
    manifest: Collection[Kind],
    configuration: Configuration | None,
) -> Introduction:
    """Waits until a plugin that has described itself takes calls.

    Args:
        description: What it says that it is.
        manifest: The kinds that its manifest names.
        configuration: Of a plugin that is this host's to configure.

    Raises:
        Failure: It does not become ready, or is not what it was taken for.
        Rejected: It does not take its options.
    """
    kind, services = agreement.confirmed(plugin.kind, manifest, description.services)
    if configuration is None or not description.serves_plugin or not await configuration.done():
        await conversation.serving()
    return Introduction(kind, services, description.serves_plugin, description.version)
