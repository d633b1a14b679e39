"""Names that nothing declares, paths that are not there, and plugins used as what they are not.

They are no mistakes of form: a file may be written before its plugins are built. So loading only notes them; the
command that would use one of them fails, and `check` fails for all.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from hector_host.config.agents import Reasoning
from hector_host.config.configuration import undeclared
from hector_host.config.kinds import Kind
from hector_host.config.problems import InvalidFileError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hector_host.config.agents import AgentConfig
    from hector_host.config.configuration import Config
    from hector_host.config.problems import KeyPath
    from hector_host.config.provided import Provided


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
    judge = _Judge(config)
    found = [*judge.providers(), *judge.stores(), *judge.agents(), *judge.paths()]
    return sorted(found, key=lambda problem: problem.line)


class _Judge:
    """Looks at every name and path of a configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def providers(self) -> Iterator[Problem]:
        sections: list[tuple[Kind, list[Provided]]] = [
            (Kind.LLM, [*self._config.llms.values()]),
            (Kind.EMBEDDER, [*self._config.embedders.values()]),
            (Kind.DATABASE, [*self._config.databases.values()]),
            (Kind.TOOL, [*self._config.tools.values()]),
        ]
        for kind, entries in sections:
            for entry in entries:
                yield from self._plugin(entry.plugin, (*entry.key, "type"), kind)

    def stores(self) -> Iterator[Problem]:
        for store in self._config.document_stores.values():
            yield from self._missing("embedders", store.embedder, (*store.key, "embedder"))
            yield from self._missing("databases", store.database, (*store.key, "database"))
            if store.search.rerank:
                key = (*store.key, "search", "rerank", "embedder")
                yield from self._missing("embedders", store.search.rerank.embedder, key)

    def agents(self) -> Iterator[Problem]:
        for agent in self._config.agents.values():
            yield from self._missing("llms", agent.llm, (*agent.key, "llm"))
            for index, name in enumerate(agent.tools or []):
                yield from self._missing("tools", name, (*agent.key, "tools", index))
            for index, name in enumerate(agent.document_stores):
                yield from self._missing("document_stores", name, (*agent.key, "document_stores", index))
            if agent.reasoning.plugin is not None:
                yield from self._plugin(agent.reasoning.plugin, (*agent.key, "reasoning", "engine"), Kind.REASONING)
                yield from self._likely_typos(agent)

    def paths(self) -> Iterator[Problem]:
        for key, path in self._named_paths():
            if path is not None and not path.exists():
                yield self._problem(key, f'"{path}" is not there', "A relative path begins at the folder of this file.")

    def _named_paths(self) -> Iterator[tuple[KeyPath, Path | None]]:
        for plugin in self._config.plugins.values():
            yield (*plugin.key, "path"), plugin.path
            if plugin.tls:
                yield from (((*plugin.key, "tls", name), getattr(plugin.tls, name)) for name in ("ca", "cert", "key"))
        for store in self._config.document_stores.values():
            yield (*store.key, "path"), store.path

    def _plugin(self, name: str, key: KeyPath, kind: Kind) -> Iterator[Problem]:
        yield from self._missing("plugins", name, key)
        plugin = self._config.plugins.get(name)
        if plugin is None or plugin.kind is None or plugin.kind is kind:
            return
        manifest = self._config.manifests.get(plugin.key)
        if manifest is not None:
            step = f"{manifest} says so: use a {kind}."
            yield self._problem(key, f'"{name}" is a {plugin.kind}', step)
        else:
            step = f"Use one of {kind.group}, or declare it directly under plugins if it serves several kinds."
            yield self._problem(key, f'"{name}" stands under {plugin.kind.group}', step)

    def _likely_typos(self, agent: AgentConfig) -> Iterator[Problem]:
        """Options of an engine that are nearly keys of ours: what was meant for the host would go to the plugin."""
        for name in agent.reasoning.options:
            near = get_close_matches(name, Reasoning.model_fields, n=1, cutoff=0.8)
            if near:
                what = f"goes to the plugin {agent.reasoning.plugin} as an option"
                yield self._problem((*agent.key, "reasoning", name), what, f"Did you mean {near[0]}?")

    def _missing(self, section: str, name: str, key: KeyPath) -> Iterator[Problem]:
        declared = getattr(self._config, section)
        if name not in declared:
            yield self._problem(key, *undeclared(declared, name, section))

    def _problem(self, key: KeyPath, what: str, step: str) -> Problem:
        redact = self._config.redact
        return Problem(self._config.document.line(key), key, redact(what), redact(step))
