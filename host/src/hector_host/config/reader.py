"""The sections of the file become entries, whichever of the forms they are written in.

Tools, document stores and plugins may be a mapping of names, or a list whose items carry `name`; plugins may stand in
the group of their kind or directly under `plugins`.
"""

from __future__ import annotations

from dataclasses import dataclass
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
        return read(model, body, key, self._place(key), self._document) or default

    def entries(self, model: type[E], key: KeyPath, *, lists: bool = False) -> dict[str, E]:
        """The entries of a section by their names."""
        found = {}
        for item in self._items(key, lists=lists):
            body = (
                {"name": item.name} | item.body if model is AgentConfig and isinstance(item.body, dict) else item.body
            )
            entry = read(model, body, item.key, self._place(item.key, item.name), self._document)
            if entry is not None:
                found[item.name] = entry
        return found

    def discovery(self) -> Discovery:
        """`plugins.discovery`, or `plugins.plugin_discovery`."""
        given = [("plugins", name) for name in DISCOVERY_KEYS if self._at(("plugins", name)) is not None]
        for surplus in given[1:]:
            self._document.blame(surplus, "is the same as plugins.discovery, which is there too", "Keep one of them.")
        key = given[0] if given else ("plugins", "discovery")
        return self.section(Discovery, key, Discovery())

    def plugins(self) -> dict[str, PluginConfig]:
        """The plugins of all groups, and those outside of any. A name is one plugin's."""
        found: dict[str, PluginConfig] = {}
        first: dict[str, _Item] = {}
        for kind, item in self._plugin_items():
            earlier = first.setdefault(item.name, item)
            if earlier is not item:
                line = self._document.line(earlier.key)
                what = f'a plugin named "{item.name}" is in line {line} already'
                self._document.blame(item.key, what, "Names of plugins are unique over all groups: rename one.")
                continue
            plugin = read(PluginConfig, item.body, item.key, self._place(item.key, item.name, kind), self._document)
            if plugin is not None:
                found[item.name] = plugin
        return found

    def _plugin_items(self) -> Iterator[tuple[Kind | None, _Item]]:
        for item in self._items(("plugins",), lists=True):
            kind = Kind.of_group(item.name)
            if kind is not None:
                for member in self._items(item.key, lists=True):
                    yield kind, member
            elif item.name not in DISCOVERY_KEYS:
                if isinstance(item.body, dict) and item.body.keys() & {"type", *SOURCES}:
                    yield None, item
                else:
                    step = meant(item.name, PLUGIN_KEYS)
                    self._document.blame(
                        item.key, "is neither a group nor a plugin", f"{step} A plugin has one of {', '.join(SOURCES)}."
                    )

    def _items(self, key: KeyPath, *, lists: bool) -> Iterator[_Item]:
        """The entries under a key, in the order of the file."""
        value = self._at(key)
        if isinstance(value, dict):
            for name, body in value.items():
                item = _Item(name, (*key, name), {} if body is None else body)
                if (key == ("plugins",) and name in PLUGIN_KEYS) or self._named(item):
                    yield item
        elif isinstance(value, list) and lists:
            yield from self._listed(value, key)
        elif value is not None:
            form = "a mapping of names, or a list of entries with a name" if lists else "a mapping of names"
            what = f"{as_written(value, key, self._document)} is not a mapping"
            self._document.blame(key, what, f"Write {form}.")

    def _listed(self, value: list[Any], key: KeyPath) -> Iterator[_Item]:
        first: dict[str, KeyPath] = {}
        for index, body in enumerate(value):
            path = (*key, index)
            if not isinstance(body, dict):
                what = f"{as_written(body, path, self._document)} is not a mapping"
                self._document.blame(path, what, "Write entries as {name: …, type: …}.")
                continue
            name = body.get("name")
            if not isinstance(name, str):
                self._document.blame(
                    (*path, "name"),
                    "is missing" if name is None else "is not text",
                    "Entries of a list carry their name.",
                )
                continue
            item = _Item(name, path, {field: content for field, content in body.items() if field != "name"})
            earlier = first.setdefault(name, path)
            if earlier is not path and key != ("plugins",) and Kind.of_group(str(key[-1])) is None:
                line = self._document.line(earlier)
                self._document.blame(path, f'"{name}" is in line {line} already', "Rename one of them.")
            elif self._named(item):
                yield item

    def _named(self, item: _Item) -> bool:
        """Whether the entry's name can be used."""
        try:
            usable_name(item.name)
        except UnitError as error:
            what, step = error.args
            self._document.blame(item.key, f'"{item.name}" {what}', step)
            return False
        return True

    def _at(self, key: KeyPath) -> Any:
        value = self._document.value
        for step in key:
            if isinstance(value, list) and isinstance(step, int):
                value = value[step]
            else:
                value = value.get(step) if isinstance(value, dict) else None
        return value

    def _place(self, key: KeyPath, name: str = "", kind: Kind | None = None) -> Place:
        names = self._document.names_under(key) if name else frozenset()
        variables = {each: self._variables[each] for each in sorted(names)}
        return Place(self._folder, key, name, kind, variables)
