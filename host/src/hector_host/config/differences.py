"""What is different between two readings of a configuration: which plugins have to be replaced, and what else changed.

Where something stands in the file, and how it is written, makes no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hector_host.config.configuration import Config
    from hector_host.config.plugins import PluginConfig

_OTHERS = (
    "discovery",
    "llms",
    "embedders",
    "databases",
    "tools",
    "document_stores",
    "agents",
    "storage",
    "server",
)


@dataclass(frozen=True, slots=True)
class Differences:
    """Names of plugins, in the order of their configuration, and of sections.

    Attributes:
        added: Plugins of the new one alone.
        removed: Plugins of the old one alone.
        changed: Plugins of both whose source, options, environment, limits or anything else that they are told differ.
        sections: Other sections whose entries differ.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    sections: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return any((self.added, self.removed, self.changed, self.sections))


def differences(old: Config, new: Config) -> Differences:
    """What changed from `old` to `new`."""
    return Differences(
        added=tuple(name for name in new.plugins if name not in old.plugins),
        removed=tuple(name for name in old.plugins if name not in new.plugins),
        changed=tuple(
            name
            for name, plugin in new.plugins.items()
            if name in old.plugins and _meaning(old.plugins[name]) != _meaning(plugin)
        ),
        sections=tuple(name for name in _OTHERS if _section(old, name) != _section(new, name)),
    )


def _meaning(plugin: PluginConfig) -> tuple[object, ...]:
    """All that a plugin is told, and how: its kind, and whether it is given options at all, follow from the writing."""
    return plugin.model_dump(), plugin.kind, plugin.variables, "config" in plugin.model_fields_set


def _section(config: Config, name: str) -> object:
    section = getattr(config, name)
    if isinstance(section, dict):
        return [(key, entry.model_dump()) for key, entry in section.items()]
    return section.model_dump()
