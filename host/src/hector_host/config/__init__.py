"""The configuration: pure, and imports nothing of the host but its errors.

`load` reads one YAML file and judges its form; what the file only names is judged by `check`, or by the command that
uses it.
"""

from hector_host.config.agents import AgentConfig, Prompt, Reasoning
from hector_host.config.configuration import Config
from hector_host.config.host import Discovery, Server, Storage
from hector_host.config.kinds import Kind
from hector_host.config.loading import find, load
from hector_host.config.plugins import TLS, PluginConfig, Restart, Security
from hector_host.config.problems import InvalidFileError, KeyPath, Problem
from hector_host.config.provided import DatabaseConfig, EmbedderConfig, LLMConfig, ToolConfig
from hector_host.config.references import check
from hector_host.config.stores import DocumentStoreConfig

__all__ = [
    "TLS",
    "AgentConfig",
    "Config",
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
    "Restart",
    "Security",
    "Server",
    "Storage",
    "ToolConfig",
    "check",
    "find",
    "load",
]
