"""Finds, launches, watches and stops plugin processes.

Nothing here imports gRPC before the processes are spawned.
"""

from hector_host.manager.lines import Record
from hector_host.manager.manager import Manager
from hector_host.manager.plugin import Plugin
from hector_host.manager.states import State, StateChange

__all__ = ["Manager", "Plugin", "Record", "State", "StateChange"]
