"""From a name in the configuration to the provider behind it.

Each provider is made once; its plugin starts, at the latest, when it is first called. What a kind needs is imported
with its first provider: most commands use two or three of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from hector_host.config import Config
    from hector_host.manager import Manager
    from hector_host.providers.database import DatabaseProvider
    from hector_host.providers.embedder import EmbedderProvider
    from hector_host.providers.llm import LLMProvider
    from hector_host.providers.reasoning import ReasoningProvider
    from hector_host.providers.tool import ToolProvider

ProviderT = TypeVar("ProviderT")


class Registry:
    """The providers of one configuration.

    Those of an entry raise NotFoundError when the configuration declares none of that name.
    """

    def __init__(self, config: Config, manager: Manager) -> None:
        self._config = config
        self._manager = manager
        self._made: dict[tuple[type, str], object] = {}

    def llm(self, name: str) -> LLMProvider:
        """An entry of `llms:`."""
        from hector_host.providers.llm import LLMProvider

        return self._once(LLMProvider, name, lambda: LLMProvider(name, self._config.llm(name), self._manager))

    def embedder(self, name: str) -> EmbedderProvider:
        """An entry of `embedders:`."""
        from hector_host.providers.embedder import EmbedderProvider

        return self._once(
            EmbedderProvider, name, lambda: EmbedderProvider(name, self._config.embedder(name), self._manager)
        )

    def database(self, name: str) -> DatabaseProvider:
        """An entry of `databases:`."""
        from hector_host.providers.database import DatabaseProvider

        return self._once(
            DatabaseProvider, name, lambda: DatabaseProvider(name, self._config.database(name), self._manager)
        )

    def tools(self, plugin: str) -> ToolProvider:
        """The tools of a plugin (not of an entry of `tools:`, which may name just one of them)."""
        from hector_host.providers.tool import ToolProvider

        return self._once(ToolProvider, plugin, lambda: ToolProvider(plugin, self._manager))

    def reasoning(self, plugin: str) -> ReasoningProvider:
        """The strategy of a plugin."""
        from hector_host.providers.reasoning import ReasoningProvider

        return self._once(ReasoningProvider, plugin, lambda: ReasoningProvider(plugin, self._manager))

    def _once(self, kind: type[ProviderT], name: str, make: Callable[[], ProviderT]) -> ProviderT:
        made = self._made.get((kind, name))
        if not isinstance(made, kind):
            made = make()
            self._made[kind, name] = made
        return made
