"""The sections of the file become entries, whichever of the forms they are written in.

Tools, document stores and plugins may be a mapping of names, or a list whose items carry `name`; plugins may stand in
the group of their kind or directly under `plugins`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from hector_host.config.agents import AgentConfig
from hector_host.config.entry import Entry, Place, Section
from hector_host.config.host import Discovery
from hector_host.config.kinds import Kind
from hector_host.config.plugins import SOURCES, PluginConfig
from hector_host.config.problems import meant
from hector_host.config.units import UnitError
from hector_host.config.units import name as usable_name
from hector_host.config.validation import as_written, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hector_host.config.document import Document
    from hector_host.config.problems import KeyPath

E = TypeVar("E", bound=Entry)
S = TypeVar("S", bound=Section)

DISCOVERY_KEYS = ("discovery", "plugin_discovery")
"""Two names of the same thing."""

PLUGIN_KEYS = (*DISCOVERY_KEYS, *(kind.group for kind in Kind))
"""The keys under `plugins` that are no plugins."""


@dataclass(frozen=True, slots=True)
class _Item:
    """An entry as it stands in the file, in either form."""

    name: str
    key: KeyPath
    body: Any
    kind: Kind | None = None


class Reader:
    """Reads the sections of one document; what is wrong with them is added to its problems."""

    def __init__(self, document: Document, folder: Path, variables: Mapping[str, str]) -> None:
        self._document = document
        self._folder = folder
        self._variables = variables

    def section(self, model: type[S], key: KeyPath, default: S) -> S:
        """A mapping of fixed keys. The default stands for one with problems, which end the reading anyway."""
        value = self._at(key)
        body = {} if value is None else value
        return read(model, body, key, Place(self._folder, key), self._document) or default

    def entries(self, model: type[E], key: KeyPath, *, lists: bool = False) -> dict[str, E]:
        """The entries of a section by their names."""
        found = {}
        for item in self._once(self._items(key, lists=lists), "Names are unique in their section: rename one."):
            body = (
                {"name": item.name} | item.body if model is AgentConfig and isinstance(item.body, dict) else item.body
            )
            entry = read(model, body, item.key, self._place(item), self._document)
            if entry is not None:
                found[item.name] = entry
        return found

    def discovery(self) -> Discovery:
        """`plugins.discovery`, or `plugins.plugin_discovery`."""
        given = [("plugins", name) for name in DISCOVERY_KEYS if self._at(("plugins", name)) is not None]
        for surplus in given[1:]:
            self._document.blame(surplus, "is the same as plugins.discovery, which is there too", "Keep one of them.")
        key = given[0] if given else ("plugins", "discovery")
        found = self.section(Discovery, key, Discovery())
        if found.enabled and "paths" in found.model_fields_set:
            self._blame_missing(found.paths, (*key, "paths"))
        return found

    def _blame_missing(self, folders: list[Path], key: KeyPath) -> None:
        """A folder to look in that is named must be there: nobody lists one to find nothing."""
        for index, (folder, written) in enumerate(zip(folders, self._at(key), strict=True)):
            if not folder.is_dir():
                what = "is not a folder" if folder.exists() else "is not there"
                step = "Make the folder, or name another; a relative path begins at the folder of this file."
                path = (*key, index)
                self._document.blame(path, f"{as_written(written, path, self._document)} {what}", step)

    def plugins(self) -> dict[str, PluginConfig]:
        """The plugins of all groups, and those outside of any."""
        found = {}
        for item in self._once(self._plugin_items(), "Names of plugins are unique over all groups: rename one."):
            plugin = read(PluginConfig, item.body, item.key, self._place(item), self._document)
            if plugin is not None:
                found[item.name] = plugin
        return found

    def _plugin_items(self) -> Iterator[_Item]:
        for item in self._items(("plugins",), lists=True):
            kind = Kind.of_group(item.name)
            if item.key != ("plugins", item.name):
                yield item
            elif item.name in DISCOVERY_KEYS:
                continue
            elif kind is not None:
                yield from (replace(member, kind=kind) for member in self._items(item.key, lists=True))
            elif isinstance(item.body, dict) and item.body.keys() & {"type", *SOURCES}:
                yield item
            else:
                step = meant(item.name, PLUGIN_KEYS, f"A plugin has one of {', '.join(SOURCES)}; else there are")
                self._document.blame(item.key, "is neither a plugin nor a group of them", step)

    def _items(self, key: KeyPath, *, lists: bool) -> Iterator[_Item]:
        """The entries under a key, in the order of the file."""
        value = self._at(key)
        if isinstance(value, dict):
            yield from (_Item(name, (*key, name), {} if body is None else body) for name, body in value.items())
        elif isinstance(value, list) and lists:
            yield from self._listed(value, key)
        elif value is not None:
            what = f"{as_written(value, key, self._document)} is not a mapping"
            self._document.blame(key, what, f"Write {{name: {{…}}}}{', or a list of {name: …}' if lists else ''}.")

    def _listed(self, value: list[Any], key: KeyPath) -> Iterator[_Item]:
        for index, body in enumerate(value):
            path = (*key, index)
            name = body.get("name") if isinstance(body, dict) else None
            if not isinstance(body, dict):
                what = f"{as_written(body, path, self._document)} is not a mapping"
                self._document.blame(path, what, "Write {name: …}.")
            elif not isinstance(name, str):
                what = "is missing" if name is None else "is not text"
                self._document.blame((*path, "name"), what, "Entries of a list carry their name.")
            else:
                yield _Item(name, path, {field: content for field, content in body.items() if field != "name"})

    def _once(self, items: Iterator[_Item], step: str) -> Iterator[_Item]:
        """The items whose names can be used and are not another's already."""
        first: dict[str, _Item] = {}
        for item in items:
            earlier = first.setdefault(item.name, item)
            written = as_written(item.name, (*item.key, "name"), self._document)
            if earlier is not item:
                line = self._document.line(earlier.key)
                self._document.blame(item.key, f"line {line} has an entry of the same name, {written}", step)
                continue
            try:
                usable_name(item.name)
            except UnitError as error:
                self._document.blame(item.key, f"{written} {error.args[0]}", error.args[1])
            else:
                yield item

    def _at(self, key: KeyPath) -> Any:
        value = self._document.value
        for step in key:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def _place(self, item: _Item) -> Place:
        names = self._document.names_under(item.key)
        return Place(
            self._folder, item.key, item.name, item.kind, {name: self._variables[name] for name in sorted(names)}
        )
