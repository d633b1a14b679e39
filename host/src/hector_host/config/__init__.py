"""The configuration: pure, and imports nothing of the host but its errors.

`load` reads one YAML file and judges its form; what the file only names is judged by `check`, or by the command that
uses it.

Its modules are imported when one of their names is first used: a command that finds a live host reads no file.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hector_host.config.agents import AgentConfig, Prompt, Reasoning
    from hector_host.config.configuration import Config
    from hector_host.config.finding import find
    from hector_host.config.host import Discovery, Server, Storage
    from hector_host.config.kinds import Kind
    from hector_host.config.loading import declared, load, rediscover, reread
    from hector_host.config.plugins import TLS, PluginConfig, Restart, Security
    from hector_host.config.problems import ConfigErrors, InvalidFileError, KeyPath, Problem
    from hector_host.config.provided import DatabaseConfig, EmbedderConfig, LLMConfig, ToolConfig
    from hector_host.config.references import check
    from hector_host.config.search import Rerank, Search
    from hector_host.config.stores import DocumentStoreConfig

_MODULES = {
    "agents": ("AgentConfig", "Prompt", "Reasoning"),
    "configuration": ("Config",),
    "finding": ("find",),
    "host": ("Discovery", "Server", "Storage"),
    "kinds": ("Kind",),
    "loading": ("declared", "load", "rediscover", "reread"),
    "plugins": ("TLS", "PluginConfig", "Restart", "Security"),
    "problems": ("ConfigErrors", "InvalidFileError", "KeyPath", "Problem"),
    "provided": ("DatabaseConfig", "EmbedderConfig", "LLMConfig", "ToolConfig"),
    "references": ("check",),
    "search": ("Rerank", "Search"),
    "stores": ("DocumentStoreConfig",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "TLS",
    "AgentConfig",
    "Config",
    "ConfigErrors",
    "DatabaseConfig",
    "Discovery",
    "DocumentStoreConfig",
    "EmbedderConfig",
    "InvalidFileError",
    "KeyPath",
    "Kind",
    "LLMConfig",
    "PluginConfig",
    "Problem",
    "Prompt",
    "Reasoning",
    "Rerank",
    "Restart",
    "Search",
    "Security",
    "Server",
    "Storage",
    "ToolConfig",
    "check",
    "declared",
    "find",
    "load",
    "rediscover",
    "reread",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
