"""From a channel to a plugin that takes calls: Describe, agreement on the kind, Configure, health."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hector_host.manager.connect import agreement

if TYPE_CHECKING:
    from collections.abc import Collection

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


async def introduce(
    conversation: Conversation, plugin: PluginConfig, manifest: Collection[Kind], *, configure: bool, data: str
) -> Introduction:
    """Waits until the plugin takes calls.

    Args:
        manifest: The kinds that its manifest names.
        configure: Whether it is this host that configures it.
        data: The directory that it may write; empty for none.

    Raises:
        Failure: It does not become ready, or is not what it was taken for.
        Rejected: It does not take its options.
    """
    description = await conversation.describe()
    return await introduce_further(conversation, description, plugin, manifest, configure=configure, data=data)


async def introduce_further(  # noqa: PLR0913 (as `introduce`)
    conversation: Conversation,
    description: Description,
    plugin: PluginConfig,
    manifest: Collection[Kind],
    *,
    configure: bool,
    data: str,
) -> Introduction:
    """As `introduce`, with a plugin that has described itself already."""
    kind, services = agreement.confirmed(plugin.kind, manifest, description.services)
    if configure and description.serves_plugin:
        await conversation.configure(plugin.name, json.dumps(plugin.config), data)
    await conversation.serving()
    return Introduction(kind, services, description.serves_plugin, description.version)
