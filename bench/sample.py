"""How a comparison is sampled, and what is said of it.

The two sides take turns, round by round, so that whatever else the machine does falls on both. What is compared is a
ratio; the times themselves are only as good as the machine was quiet.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True)
class Comparison:
    """One claim and what was measured of it.

    Attributes:
        ours: Seconds (or what `unit` says), a value for each sample.
        theirs: The same of the floor or the peer.
        limit: The ratio that is claimed at most; None where there is only something to see.
    """

    claim: str
    ours_name: str
    theirs_name: str
    ours: list[float]
    theirs: list[float]
    limit: float | None
    unit: str = "ms"
    scale: float = 1000.0
    note: str = ""

    @property
    def ours_median(self) -> float:
        return statistics.median(self.ours) * self.scale

    @property
    def theirs_median(self) -> float:
        return statistics.median(self.theirs) * self.scale

    @property
    def ratio(self) -> float:
        return self.ours_median / self.theirs_median

    @property
    def holds(self) -> bool:
        return self.limit is None or self.ratio <= self.limit


async def take_turns(
    ours: Callable[[], Awaitable[float]], theirs: Callable[[], Awaitable[float]], rounds: int, warm_up: int = 2
) -> tuple[list[float], list[float]]:
    """Samples of both, one after the other, the first few left out. Each function returns its own seconds."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + warm_up):
        # Who goes first changes, so that neither always finds the caches that the other left.
        order = ((0, ours), (1, theirs)) if number % 2 else ((1, theirs), (0, ours))
        for side, function in order:
            seconds = await function()
            if number >= warm_up:
                taken[side].append(seconds)
    return taken
