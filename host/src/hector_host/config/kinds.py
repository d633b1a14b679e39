"""The five kinds of plugins: their names in the YAML, and the service of the contract behind each."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a plugin provides. The value is the name that manifests, labels and errors use."""

    LLM = "llm_provider"
    DATABASE = "database_provider"
    EMBEDDER = "embedder_provider"
    TOOL = "tool_provider"
    REASONING = "reasoning_strategy"

    @property
    def group(self) -> str:
        """The key under `plugins` that holds plugins of this kind: `llm_providers`."""
        return _GROUPS[self]

    @property
    def service(self) -> str:
        """The full name of its service: `hector.plugin.v1.LLMProvider`."""
        return f"hector.plugin.v1.{_SERVICES[self]}"

    @classmethod
    def of_group(cls, group: str) -> Kind | None:
        """The kind whose plugins the group holds, None for any other key."""
        return next((kind for kind in cls if kind.group == group), None)


_GROUPS = {
    Kind.LLM: "llm_providers",
    Kind.DATABASE: "database_providers",
    Kind.EMBEDDER: "embedder_providers",
    Kind.TOOL: "tool_providers",
    Kind.REASONING: "reasoning_strategies",
}

_SERVICES = {
    Kind.LLM: "LLMProvider",
    Kind.DATABASE: "DatabaseProvider",
    Kind.EMBEDDER: "EmbedderProvider",
    Kind.TOOL: "ToolProvider",
    Kind.REASONING: "ReasoningStrategy",
}
