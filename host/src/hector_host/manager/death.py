"""How one instance of a plugin ended, or did not start: what its dossier and its callers are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hector_host.manager.lease import Lease
    from hector_host.manager.restart import Verdict

OUT_OF_MEMORY = "oom"
KILLED = "signal:9"

WORDS = {
    "health": "did not answer its health checks",
    "unresponsive": "answered none of the calls that it had",
    "connection": "lost its connection",
    "internal": "cannot be watched any more, which is a bug of Hector",
    "warden": "was ended because the process that watches over it was killed",
}
"""Reasons that no process tells, in words."""


@dataclass(frozen=True, slots=True)
class Death:
    """How one instance ended, or did not start.

    Attributes:
        reason: As in `StateChange`.
        error: For callers: who, what, and the next step.
        started: When it was spawned or dialled, in seconds of Unix time.
        ended: When it ended, by `time.monotonic`, as the leases have it.
        pid: Its process; 0 for none.
        version: What it said of itself.
        leases: The calls that it had.
        verdict: What follows.
    """

    reason: str
    error: Exception
    started: float
    ended: float
    pid: int
    version: str
    leases: tuple[Lease, ...]
    verdict: Verdict
