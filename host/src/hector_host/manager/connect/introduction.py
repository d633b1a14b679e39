"""From a plugin that has described itself to one that takes calls: agreement on the kind, Configure, health."""

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


async def introduce(  # noqa: PLR0913 (each is one fact of a start)
    conversation: Conversation,
    description: Description,
    plugin: PluginConfig,
    manifest: Collection[Kind],
    *,
    configure: bool,
    data: str,
) -> Introduction:
    """Waits until the plugin takes calls.

    Args:
        description: What it says that it is.
        manifest: The kinds that its manifest names.
        configure: Whether it is this host that configures it.
        data: The directory that it may write; empty for none.

    Raises:
        Failure: It does not become ready, or is not what it was taken for.
        Rejected: It does not take its options.
    """
    kind, services = agreement.confirmed(plugin.kind, manifest, description.services)
    if configure and description.serves_plugin:
        await conversation.configure(plugin.name, json.dumps(plugin.config), data)
    await conversation.serving()
    return Introduction(kind, services, description.serves_plugin, description.version)
