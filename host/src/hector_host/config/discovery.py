"""Plugins that the file does not declare: what the manifests in the discovery folders name. Executes nothing.

    FOLDER/<any>/plugin.yaml               the plugin is that folder
    FOLDER/<executable>.plugin.yaml        the plugin is the executable beside it

Entries whose names begin with a dot are passed over: a plugin that is copied under such a name and then renamed is
never found half. A plugin that cannot be taken does not hide the others: the errors are gathered.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hector_host.config.entry import Place
from hector_host.config.manifest import read_manifest
from hector_host.config.plugins import PluginConfig
from hector_host.config.problems import KeyPath, place, shown
from hector_host.config.trust import contain, trust
from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from hector_host.config.manifest import Manifest

MANIFEST = "plugin.yaml"
SIDECAR = f".{MANIFEST}"

_DECLARE = "or declare the one that is meant in the configuration."


@dataclass(frozen=True, slots=True)
class Candidate:
    """A manifest, and the plugin that it is about.

    Attributes:
        folder: The discovery folder.
        manifest: `plugin.yaml` or `<executable>.plugin.yaml`.
        path: The folder of the plugin, or its executable; the latter may be missing.
    """

    folder: Path
    manifest: Path
    path: Path


@dataclass(frozen=True, slots=True)
class Discovered:
    """What the folders hold.

    Attributes:
        plugins: By name.
        manifests: Where each is described, by its key.
        errors: Why others were not taken.
    """

    plugins: dict[str, PluginConfig] = field(default_factory=dict)
    manifests: dict[KeyPath, Path] = field(default_factory=dict)
    errors: list[ConfigError] = field(default_factory=list)

    def add(self, plugin: PluginConfig, manifest: Path) -> None:
        """Takes a plugin, unless another has its name."""
        taken = self.plugins.get(plugin.name)
        if taken is None:
            self.plugins[plugin.name] = plugin
            self.manifests[plugin.key] = manifest
            return
        where = place(str(manifest), 0, ("plugin", "name"))
        what = f"{where}: {shown(plugin.name)} is the name in {self.manifests[taken.key]} too"
        self.errors.append(ConfigError(what, f"Rename or remove one of them, {_DECLARE}"))


def discover(
    folders: Iterable[Path], declared: Collection[str], known: Mapping[Path, PluginConfig] | None = None
) -> Discovered:
    """Reads the manifests, in the order of the folders and of the names in them.

    Args:
        folders: One that is not there holds nothing.
        declared: Names that the file declares: it wins, so manifests of these names are passed over.
        known: By their manifests, the plugins that a running host has: one stays as it is while its manifest is
            broken, and keeps its name when another takes it too.
    """
    found = Discovered()
    known = known or {}
    read: list[tuple[PluginConfig, Path]] = []
    for candidate in candidates(folders, found.errors):
        plugin = _read(candidate, known.get(candidate.manifest), found.errors)
        if plugin is not None and plugin.name not in declared:
            read.append((plugin, candidate.manifest))
    for plugin, manifest in sorted(read, key=lambda each: each[1] not in known):
        found.add(plugin, manifest)
    return found


def candidates(folders: Iterable[Path], errors: list[ConfigError]) -> Iterator[Candidate]:
    """The manifests that lie in the folders, unread. Folders that are not trusted or readable become errors."""
    for folder in {os.path.realpath(folder): folder for folder in folders}.values():
        try:
            trust(folder)
            names = sorted(path.name for path in folder.iterdir())
        except FileNotFoundError:
            continue
        except ConfigError as error:
            errors.append(error)
            continue
        except OSError as error:
            errors.append(ConfigError(f"{folder}: cannot be read: {error.strerror}"))
            continue
        for name in names:
            if name == MANIFEST:
                step = f"Name the folder above it: {folder.parent}"
                errors.append(ConfigError(f"{folder / name}: a discovery folder holds plugins and is none", step))
            elif name.endswith(SIDECAR) and not name.startswith("."):
                yield Candidate(folder, folder / name, folder / name.removesuffix(SIDECAR))
            elif not name.startswith(".") and os.path.lexists(folder / name / MANIFEST):
                yield Candidate(folder, folder / name / MANIFEST, folder / name)


def _read(candidate: Candidate, known: PluginConfig | None, errors: list[ConfigError]) -> PluginConfig | None:
    """The plugin of a manifest; None, and an error, where it cannot be taken."""
    try:
        _refuse_untrusted(candidate)
        try:
            manifest = read_manifest(candidate.manifest)
        except ConfigError as error:
            errors.append(error)
            return known
        _refuse_unusable(candidate, manifest)
        return _entry(candidate, manifest)
    except ConfigError as error:
        errors.append(error)
    except OSError as error:
        errors.append(ConfigError(f"{candidate.manifest}: cannot be read: {error.strerror}"))
    return None


def _refuse_untrusted(candidate: Candidate) -> None:
    for path in (candidate.path, candidate.manifest):
        contain(path, candidate.folder)
    if not candidate.path.exists():
        step = f"Put the executable into {candidate.folder}, or remove the manifest."
        raise ConfigError(f"{candidate.manifest}: there is no {candidate.path.name} beside it", step)
    for path in (candidate.path, candidate.manifest):
        trust(path)


def _refuse_unusable(candidate: Candidate, manifest: Manifest) -> None:
    """A file beside its manifest must be a program, and what a folder's command runs out of it be trusted."""
    path = candidate.path
    if path.is_dir():
        program, *arguments = manifest.command or ("",)
        words = [word for word in arguments if not word.startswith(os.sep)]  # as in: python main.py
        for word in [program, *words] if os.sep in program else words:
            if os.path.exists(path / word):  # noqa: PTH110 (Path raises where an argument is too long for a name)
                trust(path / word)
    elif not manifest.command and path.suffix != ".py" and not os.access(path, os.X_OK):
        raise ConfigError(f"{path}: is not executable", f"chmod +x {path}")


def _entry(candidate: Candidate, manifest: Manifest) -> PluginConfig:
    """As the file would declare it with nothing but its path."""
    kind = manifest.kinds[0] if len(manifest.kinds) == 1 else None
    where = Place(candidate.folder, ("discovered", manifest.name), manifest.name, kind)
    return PluginConfig.model_validate({"path": str(candidate.path)}, context=where)
