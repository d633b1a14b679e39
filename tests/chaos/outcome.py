"""What came of a run."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from chaos.oracle import Oracle
from chaos.plan import Plan


@dataclass(slots=True)
class Outcome:
    """What is reported.

    Attributes:
        inflicted: Faults, by plugin (or "host") and kind.
        before: What the host that lived on had when it was warm, at rest.
        after: The same in the end.
        slowest_end: Seconds, at most, until nothing was left after a host's death.
        seconds: Of the whole run.
    """

    plan: Plan
    oracle: Oracle
    inflicted: Counter[tuple[str, str]] = field(default_factory=Counter)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    slowest_end: float = 0.0
    seconds: float = 0.0
