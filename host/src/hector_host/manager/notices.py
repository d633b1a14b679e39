"""What the configuration asks for and this host does not enforce. Pure. Said at each start: never silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector_host.manager.plugin import label

if TYPE_CHECKING:
    from hector_host.config import PluginConfig


def unenforced(plugin: PluginConfig) -> str | None:
    """One line that names the keys, or None when there are none."""
    security = plugin.security
    keys = []
    if security.sandbox:
        keys.append("security.sandbox")
    if security.max_memory is not None:
        keys.append("security.max_memory")
    if security.allowed_networks is not None:
        keys.append("security.allowed_networks")
    return f"{label(plugin.kind, plugin.name)}: not enforced yet: {', '.join(keys)}" if keys else None
