"""What a plugin is doing, and the event that tells when that changes."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class State(enum.Enum):
    """Where a plugin is in its life."""

    DISCOVERED = "discovered"
    """Known, nothing of it runs."""
    STARTING = "starting"
    """Its process is spawned or its address dialled; no call may go to it yet."""
    READY = "ready"
    """It takes calls."""
    DRAINING = "draining"
    """It gets no new calls and finishes what it has."""
    FAILED = "failed"
    """It is not started again by itself."""
    STOPPED = "stopped"
    """The host stopped it."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """One plugin went from one state to another.

    Attributes:
        name: The plugin's key in the configuration.
        reason: Why, for machines and people: `exit:N`, `signal:N`, `start_timeout`, `handshake`, `protocol`, `health`,
            `exec`, `options`, `kind`, `lock` after a failure, else words such as "started" or "stopped by the host".
    """

    name: str
    old: State
    new: State
    reason: str
