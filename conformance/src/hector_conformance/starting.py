"""A start that comes to nothing, in words of who runs the suite: the host's own, without the file that it was given."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from hector_host.errors import ConfigError, HectorError, StartError
from hector_host.manager.failure import Failure
from hector_host.manager.launch.plan import plan

if TYPE_CHECKING:
    from hector_conformance.target import Target
    from hector_host.config import Config
    from hector_host.manager.launch.plan import LaunchPlan

_PLACE = re.compile(r"^\S*hector-[^/\s]*\.yaml(?::\d+)?: plugins\.\S+?\.config(?:\.(?P<key>\S+))?: ", re.MULTILINE)
_STEP = "A plugin prints a handshake as its first line or listens on a port, and serves a service of hector.plugin.v1."
_SLOW_STEP = f"{_STEP}\nGive a slow one more time: timeout in conformance.yaml beside it."
_KIND_STEP = "Say what it provides with --kind, for example --kind llm_provider."
_LATE = re.compile(r" within [0-9.]+ s\b")
_ADDRESS_STEP = "Name the address of a plugin that runs: of a gRPC server with a service of hector.plugin.v1."


def planned(config: Config, target: Target) -> LaunchPlan:
    """How the plugin is started.

    Raises:
        StartError: There is nothing that could be run.
        ConfigError: Its manifest is wrong.
    """
    try:
        return plan(config.plugins[target.name], config, os.environ)
    except Failure as failure:
        raise StartError(f"{target.text}: {failure.what}", _STEP) from None


def refused(error: HectorError, target: Target) -> HectorError:
    """The host's error about the plugin, about what the user named."""
    if isinstance(error, ConfigError):
        what = _PLACE.sub(lambda found: f"{target.text}: option {found['key']}: " if found["key"] else "", error.what)
        return ConfigError(what, "Give the options that it needs with --config, or in conformance.yaml beside it.")
    what = error.what.partition(": ")[2] or error.what
    if what.startswith("nothing says what it provides"):
        return StartError(f"{target.text}: {what}", _KIND_STEP)
    step = _ADDRESS_STEP if target.path is None else _SLOW_STEP if _LATE.search(what) else _STEP
    return StartError(f"{target.text}: {what}", step)
