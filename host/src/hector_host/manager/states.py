"""What a plugin is doing, and the event that tells when that changes."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class State(enum.Enum):
    """Where a plugin, or one of its replicas, is in its life."""

    DISCOVERED = "discovered"
    """Known, nothing of it runs."""
    STARTING = "starting"
    """Its process is spawned or its address dialled; no call may go to it yet."""
    READY = "ready"
    """It takes calls."""
    DEGRADED = "degraded"
    """It takes calls and does not do well: not healthy, late with answers, or some of its replicas are down."""
    DRAINING = "draining"
    """It gets no new calls and finishes what it has."""
    BACKOFF = "backoff"
    """It ended or did not start, and is started again in a moment."""
    FAILED = "failed"
    """It ended too often, or for a reason that a new start does not mend."""
    STOPPED = "stopped"
    """The host stopped it."""


SERVING = frozenset({State.READY, State.DEGRADED})
"""It takes calls."""
DOWN = frozenset({State.BACKOFF, State.FAILED, State.STOPPED})
"""Nothing of it runs."""
OUT = DOWN | {State.DRAINING}
"""It takes no calls, and is not about to."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """One replica of a plugin went from one state to another.

    Attributes:
        name: The plugin's key in the configuration.
        reason: Why, for machines and people: `exit:N`, `signal:N`, `oom`, `start_timeout`, `health`, `unresponsive`,
            `handshake`, `protocol`, `connection`, `exec`, `options`, `kind`, `lock`, `manifest` after a failure, else
            words such as "healthy" or "stopped by the host".
        replica: Its number, from 1; unique in the plugin for as long as the host lives.
    """

    name: str
    old: State
    new: State
    reason: str
    replica: int = 1
