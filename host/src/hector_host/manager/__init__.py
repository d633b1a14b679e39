"""Finds, launches, watches and stops plugin processes.

Nothing here imports gRPC before the processes are spawned, and nothing of a manager is imported by a command that talks
to a live host.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hector_host.manager.logs.lines import Record
    from hector_host.manager.manager import Manager
    from hector_host.manager.plugin import Plugin
    from hector_host.manager.states import State, StateChange

_HOMES = {"Record": "lines", "Manager": "manager", "Plugin": "plugin", "State": "states", "StateChange": "states"}

__all__ = ["Manager", "Plugin", "Record", "State", "StateChange"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
