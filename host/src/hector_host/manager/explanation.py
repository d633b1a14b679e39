"""From what went wrong in a start to the error that its user reads, and the reason that machines read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector_host.errors import ConfigError, HectorError, StartError
from hector_host.manager.failure import Failure

if TYPE_CHECKING:
    from hector_host.config import Config, PluginConfig
    from hector_host.manager.connect.rejection import Rejected

SHOWN_LINES = 10
"""Lines of a plugin's log that an error shows."""


def explained(
    error: Exception, who: str, plugin: PluginConfig, config: Config, logged: list[str]
) -> tuple[Exception, str]:
    """The error for everybody who waits for the plugin, and the reason of the state change.

    Args:
        error: A `Failure`, a `Rejected`, an error of the configuration; anything else is a bug and stays as it is.
        who: The plugin as messages name it.
        plugin: The plugin's part of `config`.
        config: Knows the lines of the file, and the secrets.
        logged: The last lines of its log since this start began, which explain some failures.
    """
    if isinstance(error, Failure):
        what = f"{who}: {config.redact(error.what)}" + (_last_lines(logged) if error.show_log else "")
        return StartError(what, error.step), error.reason
    if isinstance(error, HectorError):
        return error, "manifest"
    from hector_host.manager.connect.rejection import Rejected

    if isinstance(error, Rejected):
        return _rejected(error, who, plugin, config), "options"
    return error, "internal"


def _last_lines(lines: list[str]) -> str:
    return (
        "".join(f"\n  {line}" for line in ["last log lines:", *(f"  {line}" for line in lines)])
        if lines
        else ("\n  it logged nothing")
    )


def _rejected(error: Rejected, who: str, plugin: PluginConfig, config: Config) -> ConfigError:
    said = [(each.field, each.words) for each in error.violations] or [((), error.words)]
    places = [(config.locate(*plugin.key, "config", *field), config.redact(words)) for field, words in said]
    return ConfigError("\n".join(f"{place}: {words}" for place, words in places), f"{who} says so of its options.")
