"""Reads the file, and tells everything that is wrong with it at once."""

from __future__ import annotations

import os
from collections import ChainMap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.config import document as documents
from hector_host.config import variables
from hector_host.config.agents import AgentConfig
from hector_host.config.configuration import Config
from hector_host.config.entry import Place
from hector_host.config.finding import OTHERWISE, find
from hector_host.config.host import Server, Storage
from hector_host.config.problems import ConfigErrors, InvalidFileError, Problem, meant, shown
from hector_host.config.provided import DatabaseConfig, EmbedderConfig, LLMConfig, ToolConfig
from hector_host.config.reader import Reader
from hector_host.config.references import warnings
from hector_host.config.stores import DocumentStoreConfig
from hector_host.config.validation import as_written
from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hector_host.config.plugins import PluginConfig

SECTIONS = (
    "version",
    "plugins",
    "llms",
    "embedders",
    "databases",
    "tools",
    "document_stores",
    "agents",
    "storage",
    "server",
)
"""The keys that the file may have."""


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Reads the configuration.

    Args:
        path: The file; None for the usual places.
        environ: The environment; None for this process's.

    Raises:
        ConfigError: There is no file, it cannot be read, or it is wrong in form; or what lies in a discovery folder
            is. All problems are in the message, one to a block, in the order of the lines.
    """
    environ = os.environ if environ is None else environ
    config = _read(find(path, environ), environ)
    errors = _discover(config, {})
    if errors:
        raise ConfigErrors(errors)
    return _doubted(config)


def declared(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Reads what the file itself says; nothing is looked for in its discovery folders.

    Raises:
        ConfigError: There is no file, it cannot be read, or it is wrong in form.
    """
    environ = os.environ if environ is None else environ
    return _read(find(path, environ), environ)


def reread(running: Config, report: Callable[[ConfigError], None], environ: Mapping[str, str] | None = None) -> Config:
    """Reads the file of a running configuration again.

    Args:
        running: Plugins that it discovered stay as they are while their manifests are broken.
        report: Told of every discovered plugin that cannot be taken; the others are taken nevertheless.
        environ: The environment; None for this process's.

    Raises:
        ConfigError: As `load`, for everything that the file itself says.
    """
    config = _read(Path(running.document.name), os.environ if environ is None else environ)
    return _rediscovered(config, running, report)


def rediscover(running: Config, report: Callable[[ConfigError], None]) -> Config:
    """A running configuration with what its discovery folders hold now; its file is not read.

    Args:
        running: Plugins that it discovered stay as they are while their manifests are broken.
        report: Told of every discovered plugin that cannot be taken; the others are taken nevertheless.
    """
    declared = {name: plugin for name, plugin in running.plugins.items() if plugin.key not in running.manifests}
    return _rediscovered(replace(running, plugins=declared, manifests={}, warnings=[]), running, report)


def _rediscovered(config: Config, running: Config, report: Callable[[ConfigError], None]) -> Config:
    known = {manifest: running.plugins[str(name)] for (_, name), manifest in running.manifests.items()}
    for error in _discover(config, known):
        report(error)
    return _doubted(config)


def _read(file: Path, environ: Mapping[str, str]) -> Config:
    """What the file itself says."""
    name = str(file)
    absolute = Path(os.path.abspath(file))  # noqa: PTH100 (resolve() would follow links, and move what is relative)
    defined = ChainMap(dict(environ), _dot_env(absolute.parent, file))
    document = documents.read(absolute, name, defined, OTHERWISE)
    _check_top(document)
    reader = Reader(document, absolute.parent, defined)
    place = Place(absolute.parent)
    config = Config(
        file=absolute,
        folder=absolute.parent,
        plugins=reader.plugins(),
        discovery=reader.discovery(),
        llms=reader.entries(LLMConfig, ("llms",)),
        embedders=reader.entries(EmbedderConfig, ("embedders",)),
        databases=reader.entries(DatabaseConfig, ("databases",)),
        tools=reader.entries(ToolConfig, ("tools",), lists=True),
        document_stores=reader.entries(DocumentStoreConfig, ("document_stores",), lists=True),
        agents=reader.entries(AgentConfig, ("agents",)),
        storage=reader.section(Storage, ("storage",), Storage.model_validate({}, context=place)),
        server=reader.section(Server, ("server",), Server()),
        document=document,
        secrets={each: defined[each] for each in sorted(document.names_under(()))},
    )
    document.refuse()
    return config


def _discover(config: Config, known: Mapping[Path, PluginConfig]) -> list[ConfigError]:
    """Adds what the discovery folders hold to the plugins; the errors are of those that cannot be taken."""
    if not config.discovery.enabled:
        return []
    from hector_host.config.discovery import discover

    found = discover(config.discovery.paths, config.plugins, known)
    config.plugins.update(found.plugins)
    config.manifests.update(found.manifests)
    return [ConfigError(config.redact(error.what), config.redact(error.step)) for error in found.errors]


def _doubted(config: Config) -> Config:
    """The configuration with its warnings."""
    config.warnings.extend(warnings(config))
    return config


def _dot_env(folder: Path, file: Path) -> dict[str, str]:
    problems: list[Problem] = []
    found = variables.beside(folder, problems)
    if problems:
        raise InvalidFileError(str(file.parent / ".env"), problems)
    return found


def _check_top(document: documents.Document) -> None:
    """The root is a mapping of `SECTIONS`, in the one version that there is."""
    if document.value is None:
        document.blame((), "says nothing", OTHERWISE)
        document.refuse()
    if not isinstance(document.value, dict):
        document.blame((), f"{shown(document.value)} is not a mapping", f"Begin with one of {', '.join(SECTIONS)}.")
        document.refuse()
    for key in document.value:
        if key not in SECTIONS:
            document.blame((key,), "unknown key", meant(key, SECTIONS, "Known keys"))
    version = document.value.get("version", "1")
    if version != "1" and not (type(version) is int and version == 1):
        written = as_written(version, ("version",), document)
        document.blame(("version",), f"{written} is not a version that this Hector reads", 'Write version: "1".')
