"""The configuration written again with everything filled in: what a file means, as a file that means the same.

Values of variables are not in it: where the file names a variable, so does this one. Nor is what was discovered, for
it is discovered again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from hector_host.config.plugins import LAUNCH_KEYS
from hector_host.config.scalars import typed
from hector_host.config.variables import escaped

if TYPE_CHECKING:
    from hector_host.config.configuration import Config
    from hector_host.config.document import Source
    from hector_host.config.entry import Entry
    from hector_host.config.host import Discovery
    from hector_host.config.plugins import PluginConfig
    from hector_host.config.problems import KeyPath


def expanded(config: Config) -> str:
    """YAML with defaults applied, paths absolute and every entry in a mapping under its section."""
    writer = _Writer(config.document.sources)
    tree: dict[str, Any] = {"version": _Text("1", plain=False), "plugins": _plugins(config, writer)}
    for section in ("llms", "embedders", "databases", "tools", "document_stores", "agents"):
        tree[section] = {name: writer.entry(entry) for name, entry in getattr(config, section).items()}
    tree["storage"] = writer.written(config.storage.model_dump(), ("storage",))
    tree["server"] = writer.written(config.server.model_dump(), ("server",))
    filled = {key: value for key, value in tree.items() if value}
    return yaml.dump(filled, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)


def _plugins(config: Config, writer: _Writer) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    discovery = "plugin_discovery" if config.document.lines.get(("plugins", "plugin_discovery")) else "discovery"
    tree["discovery"] = writer.written(_discovery(config.discovery), ("plugins", discovery))
    for name, plugin in config.plugins.items():
        if plugin.key in config.manifests:
            continue
        group = tree.setdefault(plugin.kind.group, {}) if plugin.kind else tree
        group[name] = _plugin(plugin, writer)
    return tree


def _discovery(discovery: Discovery) -> dict[str, Any]:
    """Folders that are looked in by default may be missing, those that a file lists may not."""
    tree = discovery.model_dump()
    if discovery.enabled and "paths" not in discovery.model_fields_set:
        tree["paths"] = [str(path) for path in discovery.paths if path.is_dir()]
    return tree


def _plugin(plugin: PluginConfig, writer: _Writer) -> dict[str, Any]:
    """A plugin with an address has no keys about its process, not even by default."""
    tree = writer.entry(plugin)
    return {key: value for key, value in tree.items() if plugin.address is None or key not in LAUNCH_KEYS}


class _Writer:
    """Turns models into trees in which scalars stand as the file must write them."""

    def __init__(self, sources: dict[KeyPath, Source]) -> None:
        self._sources = sources

    def entry(self, entry: Entry) -> dict[str, Any]:
        """Empty mappings are left out: they mean what their absence means."""
        tree = self.written(entry.model_dump(by_alias=True, exclude_none=True), entry.key)
        return {key: value for key, value in tree.items() if value != {}}

    def written(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return {key: self.written(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.written(item, (*path, index)) for index, item in enumerate(value)]
        source = self._sources.get(path)
        if source is not None:
            return _Text(source.text, plain=source.plain)
        return _Text(escaped(value), plain=False) if isinstance(value, str) else value


class _Text:
    """A text to write; `plain` when YAML is to find its type, as it did in the file."""

    def __init__(self, text: str, *, plain: bool) -> None:
        self.text = text
        self.plain = plain


class _Dumper(yaml.SafeDumper):
    """Quotes what would otherwise be read as something else than text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (the signature is PyYAML's)
        return True


def _represent(dumper: _Dumper, text: _Text) -> yaml.ScalarNode:
    whole = text.text.startswith("${") and text.text.endswith("}")
    quoted = not text.plain and (whole or not isinstance(typed(text.text), str))
    return dumper.represent_scalar("tag:yaml.org,2002:str", text.text, style='"' if quoted else None)


_Dumper.add_representer(_Text, _represent)
