"""The configuration as a value: what is declared, where it stands in the file, and who uses whom."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from hector_host.config.problems import meant
from hector_host.errors import ConfigError, NotFoundError, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hector_host.config.document import Document
    from hector_host.config.entry import Entry
    from hector_host.config.plugins import PluginConfig
    from hector_host.config.problems import KeyPath
    from hector_host.config.sections import (
        AgentConfig,
        DatabaseConfig,
        Discovery,
        DocumentStoreConfig,
        EmbedderConfig,
        LLMConfig,
        Provided,
        Server,
        Storage,
        ToolConfig,
    )

E = TypeVar("E", bound="Entry")

SECRET_LENGTH = 4
"""Characters from which on a variable's value is taken for a secret: shorter ones are in every text."""


@dataclass(frozen=True)
class Config:
    """A file that is right in its form.

    What its user names and is not there is a `NotFoundError` (`agent`, `llm`, …); what the file itself names and is not
    there is a `ConfigError` at that place (`llm_of`, `tools_of`, `plugin_of`, …).

    Attributes:
        file: Absolute.
        folder: Of the file; relative paths begin here.
        warnings: `file:line: key: what` of every name that nothing declares and every path that is not there.
        document: The values and lines behind the entries.
        secrets: Values of the variables in use, by the variables' names.
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

    def locate(self, *path: str | int) -> str:
        """`hector.yaml:12: plugins.llm_providers.x.path`: the line of that key, or of the nearest that holds it."""
        return self.document.locate(path)

    def redact(self, text: str) -> str:
        """The text with the values of variables replaced by their names, as they are and as JSON writes them."""
        forms = {}
        for name, value in self.secrets.items():
            if len(value) >= SECRET_LENGTH:
                forms[value] = forms[json.dumps(value)[1:-1]] = f"${{{name}}}"
        for value in sorted(forms, key=len, reverse=True):
            text = text.replace(value, forms[value])
        return text

    def agent(self, name: str) -> AgentConfig:
        """The agent of that name. Raises `NotFoundError`."""
        return _named(self.agents, name, "agent")

    def llm(self, name: str) -> LLMConfig:
        """The language model of that name. Raises `NotFoundError`."""
        return _named(self.llms, name, "llm")

    def embedder(self, name: str) -> EmbedderConfig:
        """The embedder of that name. Raises `NotFoundError`."""
        return _named(self.embedders, name, "embedder")

    def database(self, name: str) -> DatabaseConfig:
        """The database of that name. Raises `NotFoundError`."""
        return _named(self.databases, name, "database")

    def tool(self, name: str) -> ToolConfig:
        """The tool of that name. Raises `NotFoundError`."""
        return _named(self.tools, name, "tool")

    def document_store(self, name: str) -> DocumentStoreConfig:
        """The document store of that name. Raises `NotFoundError`."""
        return _named(self.document_stores, name, "document store")

    def plugin(self, name: str) -> PluginConfig:
        """The plugin of that name. Raises `NotFoundError`."""
        return _named(self.plugins, name, "plugin")

    def llm_of(self, agent: AgentConfig, override: str | None = None) -> LLMConfig:
        """The agent's language model, or the one that its caller names instead.

        Raises:
            ConfigError: The agent's own is not declared.
            NotFoundError: The caller's is not.
        """
        if override is not None:
            return self.llm(override)
        return self._meant(self.llms, agent.llm, (*agent.key, "llm"), "llm", "llms")

    def tools_of(self, agent: AgentConfig) -> list[ToolConfig]:
        """The tools that the agent may use: those it lists, or all. Raises `ConfigError`."""
        if agent.tools is None:
            return list(self.tools.values())
        return [
            self._meant(self.tools, name, (*agent.key, "tools", index), "tool", "tools")
            for index, name in enumerate(agent.tools)
        ]

    def stores_of(self, agent: AgentConfig) -> list[DocumentStoreConfig]:
        """The document stores that the agent may search. Raises `ConfigError`."""
        return [
            self._meant(self.document_stores, name, (*agent.key, "document_stores", index), "document store", "document_stores")
            for index, name in enumerate(agent.document_stores)
        ]

    def embedder_of(self, store: DocumentStoreConfig) -> EmbedderConfig:
        """What embeds the store's passages. Raises `ConfigError`."""
        return self._meant(self.embedders, store.embedder, (*store.key, "embedder"), "embedder", "embedders")

    def database_of(self, store: DocumentStoreConfig) -> DatabaseConfig:
        """Where the store's vectors are. Raises `ConfigError`."""
        return self._meant(self.databases, store.database, (*store.key, "database"), "database", "databases")

    def engine_of(self, agent: AgentConfig) -> PluginConfig | None:
        """The plugin that reasons for the agent, None for the built-in engine. Raises `ConfigError`."""
        name = agent.reasoning.plugin
        key = (*agent.key, "reasoning", "engine")
        return None if name is None else self._meant(self.plugins, name, key, "plugin", "plugins")

    def plugin_of(self, entry: Provided) -> PluginConfig:
        """The plugin behind an entry. Raises `ConfigError`."""
        return self._meant(self.plugins, entry.plugin, (*entry.key, "type"), "plugin", "plugins")

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
            *(self.embedder_of(store) for store in stores),
            *(self.database_of(store) for store in stores),
        ]
        engine = self.engine_of(agent)
        plugins = [self.plugin_of(entry) for entry in entries] + ([engine] if engine else [])
        return list(dict.fromkeys(plugin.name for plugin in plugins))

    def _meant(self, declared: dict[str, E], name: str, key: KeyPath, kind: str, section: str) -> E:
        if name not in declared:
            what, step = undeclared(declared, name, kind, section)
            raise ConfigError(f"{self.locate(*key)}: {what}", step)
        return declared[name]


def undeclared(declared: Mapping[str, object], name: str, kind: str, section: str) -> tuple[str, str]:
    """What to say, and the next step, where the file names something that it does not declare."""
    step = meant(name, declared) or f"Declare it under {section}."
    return f'no {kind} is named "{quoted(name, 100)}"', step


def _named(declared: dict[str, E], name: str, kind: str) -> E:
    if name not in declared:
        what = f"{quoted(name, 100)}: no {kind} has this name"
        raise NotFoundError(what, meant(name, declared) or f"The file declares no {kind}.")
    return declared[name]
