"""The configuration as a value: what is declared, where it stands in the file, and who uses whom."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from hector_host.config.problems import meant, place
from hector_host.errors import ConfigError, NotFoundError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hector_host.config.agents import AgentConfig
    from hector_host.config.document import Document
    from hector_host.config.entry import Entry
    from hector_host.config.host import Discovery, Server, Storage
    from hector_host.config.plugins import PluginConfig
    from hector_host.config.problems import KeyPath
    from hector_host.config.provided import DatabaseConfig, EmbedderConfig, LLMConfig, Provided, ToolConfig
    from hector_host.config.search import Mode
    from hector_host.config.stores import DocumentStoreConfig

E = TypeVar("E", bound="Entry")

SECTIONS = {
    "plugins": "plugin",
    "llms": "llm",
    "embedders": "embedder",
    "databases": "database",
    "tools": "tool",
    "document_stores": "document store",
    "agents": "agent",
}
"""The sections of entries, and what errors call one of their entries."""

SECRET_LENGTH = 4
"""Characters from which on a variable's value is taken for a secret: shorter ones are in every text."""
EARLIER_LIMIT = 1000
"""Values of earlier editions that are kept secret; the newest ones."""


@dataclass(frozen=True)
class Config:
    """A file that is right in its form.

    What a user names and is not there is a `NotFoundError` (`agent`, `llm`, …); what the file itself names and is not
    there is a `ConfigError` at that place (`llm_of`, `tools_of`, `plugin_of`, …).

    Attributes:
        file: Absolute.
        folder: Of the file; relative paths begin here.
        warnings: `file:line: key: what` of every name that nothing declares and every path that is not there.
        document: The values and lines behind the entries.
        manifests: By their keys, where the plugins are described that were discovered.
        secrets: Values of the variables in use, by the variables' names.
        earlier_secrets: Names and values of earlier editions that this one has not, the oldest first.
    """

    file: Path
    folder: Path
    plugins: dict[str, PluginConfig]
    discovery: Discovery
    llms: dict[str, LLMConfig]
    embedders: dict[str, EmbedderConfig]
    databases: dict[str, DatabaseConfig]
    tools: dict[str, ToolConfig]
    document_stores: dict[str, DocumentStoreConfig]
    agents: dict[str, AgentConfig]
    storage: Storage
    server: Server
    document: Document = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)
    warnings: list[str] = field(default_factory=list)
    manifests: dict[KeyPath, Path] = field(default_factory=dict)
    earlier_secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def after(self, earlier: Config) -> Config:
        """The same in the place of an earlier edition, whose secrets stay secret: what it started may live on."""
        known = dict.fromkeys((*earlier.earlier_secrets, *earlier.secrets.items()))
        kept = [each for each in known if each not in self.secrets.items()]
        return replace(self, earlier_secrets=tuple(kept[-EARLIER_LIMIT:]))

    def locate(self, *path: str | int) -> str:
        """`hector.yaml:12: plugins.llm_providers.x.path`: the line of that key, or of the nearest that holds it.

        What was discovered stands in no line of the file: its manifest is named.
        """
        manifest = self.manifests.get(path[:2])
        return place(str(manifest), 0, path[2:]) if manifest else self.document.locate(path)

    def redact(self, text: str) -> str:
        """The text with values of variables replaced by their names: whole, line by line, and as JSON writes them."""
        pattern = self._pattern
        return pattern.sub(lambda found: f"${{{self._forms[found.group()]}}}", text) if pattern else text

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        """The longest first, so that none stays because a part of it was replaced."""
        forms = sorted(self._forms, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, forms))) if forms else None

    @cached_property
    def _forms(self) -> dict[str, str]:
        """The names of the variables by the forms of their values."""
        secrets = (*self.earlier_secrets, *self.secrets.items())
        values = {part: name for name, value in secrets for part in (value, *value.splitlines())}
        forms = {form: name for value, name in values.items() for form in (value, json.dumps(value)[1:-1])}
        return {form: name for form, name in forms.items() if len(form.strip()) >= SECRET_LENGTH}

    def agent(self, name: str) -> AgentConfig:
        """The agent of that name. Raises `NotFoundError`."""
        return self._asked("agents", self.agents, name)

    def llm(self, name: str) -> LLMConfig:
        """The language model of that name. Raises `NotFoundError`."""
        return self._asked("llms", self.llms, name)

    def embedder(self, name: str) -> EmbedderConfig:
        """The embedder of that name. Raises `NotFoundError`."""
        return self._asked("embedders", self.embedders, name)

    def database(self, name: str) -> DatabaseConfig:
        """The database of that name. Raises `NotFoundError`."""
        return self._asked("databases", self.databases, name)

    def tool(self, name: str) -> ToolConfig:
        """The tool of that name. Raises `NotFoundError`."""
        return self._asked("tools", self.tools, name)

    def document_store(self, name: str) -> DocumentStoreConfig:
        """The document store of that name. Raises `NotFoundError`."""
        return self._asked("document_stores", self.document_stores, name)

    def plugin(self, name: str) -> PluginConfig:
        """The plugin of that name. Raises `NotFoundError`."""
        return self._asked("plugins", self.plugins, name)

    def llm_of(self, agent: AgentConfig, override: str | None = None) -> LLMConfig:
        """The agent's language model, or the one that its caller names instead.

        Raises:
            ConfigError: The agent's own is not declared.
            NotFoundError: The caller's is not.
        """
        if override is not None:
            return self.llm(override)
        return self._meant("llms", self.llms, agent.llm, (*agent.key, "llm"))

    def tools_of(self, agent: AgentConfig) -> list[ToolConfig]:
        """The tools that the agent may use: those it lists, or all. Raises `ConfigError`."""
        if agent.tools is None:
            return list(self.tools.values())
        named = enumerate(agent.tools)
        return [self._meant("tools", self.tools, name, (*agent.key, "tools", index)) for index, name in named]

    def stores_of(self, agent: AgentConfig) -> list[DocumentStoreConfig]:
        """The document stores that the agent may search. Raises `ConfigError`."""
        section = "document_stores"
        named = enumerate(agent.document_stores)
        return [self._meant(section, self.document_stores, name, (*agent.key, section, index)) for index, name in named]

    def embedder_of(self, store: DocumentStoreConfig) -> EmbedderConfig:
        """What embeds the store's passages. Raises `ConfigError`."""
        return self._meant("embedders", self.embedders, store.embedder, (*store.key, "embedder"))

    def database_of(self, store: DocumentStoreConfig) -> DatabaseConfig:
        """Where the store's vectors are. Raises `ConfigError`."""
        return self._meant("databases", self.databases, store.database, (*store.key, "database"))

    def reranker_of(self, store: DocumentStoreConfig) -> EmbedderConfig | None:
        """What orders the passages of a search anew, None for nothing. Raises `ConfigError`."""
        rerank = store.search.rerank
        key = (*store.key, "search", "rerank", "embedder")
        return None if rerank is None else self._meant("embedders", self.embedders, rerank.embedder, key)

    def search_plugins(
        self, store: DocumentStoreConfig, modes: Iterable[Mode] = (), *, rerank: bool = True
    ) -> list[str]:
        """The names of the plugins that searches of a store need, each once. Raises `ConfigError`.

        Args:
            modes: Of the searches. Empty: the store's own.
            rerank: Whether their passages are ordered anew where the store says so.
        """
        vectors = set(modes or (store.search.mode,)) - {"keyword"}
        entries: list[Provided | None] = [self.embedder_of(store), self.database_of(store)] if vectors else []
        entries += [self.reranker_of(store)] if rerank else []
        return list(dict.fromkeys(self.plugin_of(entry).name for entry in entries if entry is not None))

    def index_plugins(self, stores: Iterable[str]) -> list[str]:
        """The names of the plugins that indexing these stores needs, each once. Raises `ConfigError`."""
        entries = [self.document_store(name) for name in stores]
        provided = [of for entry in entries for of in (self.embedder_of(entry), self.database_of(entry))]
        return list(dict.fromkeys(self.plugin_of(of).name for of in provided))

    def engine_of(self, agent: AgentConfig) -> PluginConfig | None:
        """The plugin that reasons for the agent, None for the built-in engine. Raises `ConfigError`."""
        name = agent.reasoning.plugin
        key = (*agent.key, "reasoning", "engine")
        return None if name is None else self._meant("plugins", self.plugins, name, key)

    def plugin_of(self, entry: Provided) -> PluginConfig:
        """The plugin behind an entry. Raises `ConfigError`."""
        return self._meant("plugins", self.plugins, entry.plugin, (*entry.key, "type"))

    def plugins_of(self, agent: AgentConfig, llm_override: str | None = None) -> list[str]:
        """The names of the plugins that a call of the agent needs, each once.

        Raises:
            ConfigError: The file names something on the way that it does not declare.
            NotFoundError: There is no llm of the name that is to be used instead.
        """
        stores = self.stores_of(agent)
        entries = [
            self.llm_of(agent, llm_override),
            *self.tools_of(agent),
        ]
        engine = self.engine_of(agent)
        plugins = [self.plugin_of(entry).name for entry in entries]
        plugins += [name for store in stores for name in self.search_plugins(store)]
        return list(dict.fromkeys([*plugins, *([engine.name] if engine else [])]))

    def _asked(self, section: str, declared: dict[str, E], name: str) -> E:
        if name not in declared:
            raise not_declared(section, declared, name, self.document.name)
        return declared[name]

    def _meant(self, section: str, declared: dict[str, E], name: str, key: KeyPath) -> E:
        if name not in declared:
            what, step = undeclared(declared, name, section)
            raise ConfigError(f"{self.locate(*key)}: {self.redact(what)}", self.redact(step))
        return declared[name]


def undeclared(declared: Iterable[str], name: str, section: str) -> tuple[str, str]:
    """What to say, and the next step, where the file names something that it does not declare."""
    return f'no {SECTIONS[section]} is named "{quoted(name, 100)}"', meant(
        name, declared
    ) or f"Declare it under {section}."


def not_declared(section: str, declared: Iterable[str], name: str, file: str) -> NotFoundError:
    """What a user hears who names something that the file does not declare."""
    step = meant(name, declared) or f"{file} declares none."
    return NotFoundError(f"{quoted(name, 100)}: no {SECTIONS[section]} is named so", step)
