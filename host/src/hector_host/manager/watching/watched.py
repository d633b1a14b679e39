"""Which files a host watches, and how they look: cheaply, by what the system says of them, never by what is in them.

Entries of a plugin's folder that begin with a dot, that other programs leave there (`__pycache__`, backups, logs) and
its `data` are not its files: what a plugin writes while it runs must not have it replaced.
"""

from __future__ import annotations

import enum
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hector_host.config import Config, PluginConfig

_FOLDERS = frozenset({"__pycache__", "node_modules"})
_ENDINGS = ("~", ".pyc", ".log", ".tmp")
_DATA = "data"


class Status(NamedTuple):
    """What the system says of a file. Of a folder only whose it is and who may write it: the rest is its entries'."""

    mode: int
    owner: int
    inode: int = 0
    size: int = 0
    changed: int = 0


class Concern(enum.Enum):
    """What a file is watched for."""

    CONFIG = "config"
    DISCOVERY = "discovery"
    PLUGIN = "plugin"


@dataclass(frozen=True, slots=True)
class Subject:
    """What changes as a whole.

    Attributes:
        plugin: Its name, for `Concern.PLUGIN`.
        source: Where it comes from: a plugin that comes from elsewhere is another subject.
    """

    concern: Concern
    plugin: str = ""
    source: str = ""


@dataclass(slots=True)
class Sight:
    """How a subject looks at one moment.

    Attributes:
        files: Those that are there.
        folders: Those in which a change may concern it.
    """

    files: dict[Path, Status] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)

    def add(self, *paths: Path) -> None:
        """Looks at files, and at the folders that they are or would be in, also behind links."""
        for path in paths:
            found = status(path)
            if found is not None:
                self.files[path] = found
            self.folders |= {path.parent, Path(os.path.realpath(path)).parent}

    def add_rights(self, path: Path) -> None:
        """Looks at whose a file or folder is, and who may write and run it, and at nothing else of it."""
        found = status(path)
        if found is not None:
            self.files[path] = Status(found.mode, found.owner)

    def add_tree(self, root: Path, without: Path) -> None:
        """Looks at everything in a folder that is its author's; `without` is a folder of the host's."""
        self.folders.add(root.parent)
        for place, names, files in os.walk(root):
            folder = Path(place)
            top = folder == root
            names[:] = [
                name
                for name in names
                if not (name.startswith(".") or name in _FOLDERS or (top and name == _DATA) or folder / name == without)
            ]
            self.folders.add(folder)
            for name in files:
                found = None if name.startswith(".") or name.endswith(_ENDINGS) else status(folder / name)
                if found is not None:
                    self.files[folder / name] = found


def status(path: Path) -> Status | None:
    """How a file is now, behind its links; None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    if stat.S_ISDIR(found.st_mode):
        return Status(found.st_mode, found.st_uid)
    return Status(found.st_mode, found.st_uid, found.st_ino, found.st_size, found.st_mtime_ns)


def look(config: Config, *, everything: bool) -> dict[Subject, Sight]:
    """How everything looks that is watched: the discovery folders; if `everything`, file and plugins too."""
    sights: dict[Subject, Sight] = {}
    if config.discovery.enabled:
        sights[Subject(Concern.DISCOVERY)] = _discovery(config.discovery.paths)
    if everything:
        sights[Subject(Concern.CONFIG)] = sight = Sight()
        sight.add(config.file, config.folder / ".env")
        for name, plugin in config.plugins.items():
            sights[Subject(Concern.PLUGIN, name, _source(plugin))] = _plugin(plugin, config)
    return sights


def _discovery(folders: Iterable[Path]) -> Sight:
    """Manifests; and of what else lies in the folders whether it is there, whose it is and who may write it."""
    from hector_host.config.discovery import candidates

    sight = Sight()
    for folder in folders:
        sight.folders |= {folder, folder.parent}
        sight.add_rights(folder)
        sight.folders.update(entry for entry in _entries(folder) if entry.is_dir())
    for candidate in candidates(folders, []):
        sight.add(candidate.manifest)
        sight.add_rights(candidate.path)
        for entry in _entries(candidate.path) if candidate.path.is_dir() else ():
            if entry != candidate.manifest:
                sight.add_rights(entry)
    return sight


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from (path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return


def _source(plugin: PluginConfig) -> str:
    return str(getattr(plugin, plugin.source))


def _plugin(plugin: PluginConfig, config: Config) -> Sight:
    """The files of which a plugin is made, as far as they are known; of one at an address, its certificates."""
    sight = Sight()
    if plugin.path is not None:
        if plugin.path.is_dir():
            sight.add_tree(plugin.path, config.storage.path)
        else:
            sight.add(plugin.path, plugin.path.with_name(f"{plugin.path.name}.plugin.yaml"))
    elif plugin.package is not None:
        _add_package(sight, plugin.package, config.storage.path)
    elif plugin.command is not None:
        named = (config.folder / word for word in plugin.command if os.sep in word or "." in word)
        sight.add(*(path for path in named if path.is_file()))
    elif plugin.tls is not None:
        sight.add(*filter(None, (plugin.tls.ca, plugin.tls.cert, plugin.tls.key)))
    return sight


def _add_package(sight: Sight, package: str, without: Path) -> None:
    """An installed distribution by the list of its files; one whose sources are edited in place, by these."""
    import json
    from importlib import metadata
    from urllib.parse import unquote, urlsplit

    try:
        distribution = metadata.distribution(package)
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return
    if origin.get("dir_info", {}).get("editable") and str(origin.get("url", "")).startswith("file:"):
        sight.add_tree(Path(unquote(urlsplit(origin["url"]).path)), without)
    record = next((file for file in distribution.files or () if file.name == "RECORD"), None)
    if record is not None:
        sight.add(Path(str(distribution.locate_file(record))))
