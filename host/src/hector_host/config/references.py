"""Names that nothing declares, paths that are not there, and plugins used as what they are not.

They are no mistakes of form: a file may be written before its plugins are built. So loading only notes them; the command that
would use one of them fails, and `check` fails for all.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from hector_host.config.configuration import undeclared
from hector_host.config.kinds import Kind
from hector_host.config.problems import InvalidFileError, Problem
from hector_host.config.sections import Reasoning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hector_host.config.configuration import Config
    from hector_host.config.problems import KeyPath
    from hector_host.config.sections import AgentConfig


def warnings(config: Config) -> list[str]:
    """`file:line: key: what` of all of them, in the order of the lines."""
    return [problem.at(config.document.name) for problem in doubts(config)]


def check(config: Config) -> None:
    """Judges the file as if everything in it were to be used now.

    Raises:
        ConfigError: All warnings, with their next steps.
    """
    found = doubts(config)
    if found:
        raise InvalidFileError(config.document.name, found)


def doubts(config: Config) -> list[Problem]:
    """All of them, in the order of the lines."""
    found = [*_providers(config), *_stores(config), *_agents(config), *_paths(config)]
    return sorted(found, key=lambda problem: problem.line)


def _providers(config: Config) -> Iterator[Problem]:
    sections = {
        Kind.LLM: config.llms,
        Kind.EMBEDDER: config.embedders,
        Kind.DATABASE: config.databases,
        Kind.TOOL: config.tools,
    }
    for kind, entries in sections.items():
        for entry in entries.values():
            yield from _plugin(config, entry.plugin, (*entry.key, "type"), kind)


def _plugin(config: Config, name: str, key: KeyPath, kind: Kind) -> Iterator[Problem]:
    yield from _missing(config, config.plugins, name, key, "plugin", "plugins")
    plugin = config.plugins.get(name)
    if plugin and plugin.kind not in (None, kind):
        what = f'the plugin "{name}" stands under {plugin.kind.group}' if plugin.kind else ""
        step = f"Use one of {kind.group}, or declare it directly under plugins if it serves several kinds."
        yield Problem(config.document.line(key), key, what, step)


def _stores(config: Config) -> Iterator[Problem]:
    for store in config.document_stores.values():
        yield from _missing(config, config.embedders, store.embedder, (*store.key, "embedder"), "embedder", "embedders")
        yield from _missing(config, config.databases, store.database, (*store.key, "database"), "database", "databases")


def _agents(config: Config) -> Iterator[Problem]:
    for agent in config.agents.values():
        yield from _missing(config, config.llms, agent.llm, (*agent.key, "llm"), "llm", "llms")
        for index, name in enumerate(agent.tools or []):
            yield from _missing(config, config.tools, name, (*agent.key, "tools", index), "tool", "tools")
        for index, name in enumerate(agent.document_stores):
            key = (*agent.key, "document_stores", index)
            yield from _missing(config, config.document_stores, name, key, "document store", "document_stores")
        if agent.reasoning.plugin is not None:
            key = (*agent.key, "reasoning", "engine")
            yield from _plugin(config, agent.reasoning.plugin, key, Kind.REASONING)
            yield from _likely_typos(config, agent)


def _likely_typos(config: Config, agent: AgentConfig) -> Iterator[Problem]:
    """Options of an engine that are nearly keys of ours: what was meant for the host would go to the plugin."""
    for name in agent.reasoning.options:
        near = get_close_matches(name, Reasoning.model_fields, n=1, cutoff=0.8)
        if near:
            key = (*agent.key, "reasoning", name)
            what = f"goes to the plugin {agent.reasoning.plugin} as an option"
            yield Problem(config.document.line(key), key, what, f"Did you mean {near[0]}?")


def _missing(
    config: Config, declared: Mapping[str, object], name: str, key: KeyPath, kind: str, section: str
) -> Iterator[Problem]:
    if name not in declared:
        what, step = undeclared(declared, name, kind, section)
        yield Problem(config.document.line(key), key, what, step)


def _paths(config: Config) -> Iterator[Problem]:
    named: list[tuple[KeyPath, Path | None]] = []
    for plugin in config.plugins.values():
        named.append(((*plugin.key, "path"), plugin.path))
        if plugin.tls:
            named += [((*plugin.key, "tls", name), getattr(plugin.tls, name)) for name in ("ca", "cert", "key")]
    named += [((*store.key, "path"), store.path) for store in config.document_stores.values()]
    for key, path in named:
        if path is not None and not path.exists():
            yield Problem(config.document.line(key), key, f'"{path}" is not there', "Paths begin at the folder of the file.")
