"""Whether and when a replica that ended is started again. Pure: time and chance come in.

The delay before the next start is drawn between nothing and a bound that doubles with each death (full jitter), so
that replicas which died together do not come back together. The bound is for those whom a new start does not help: who
answered a call or a health check since the last one begins with the first bound again. Who dies too often, helped or
not, is given up and tried once where the bounds end; if that one start ends too, the next waits twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FIRST_BOUND = 0.2
"""Seconds, at most, before the first new start."""
BOUND_LIMIT = 30.0
"""Seconds that no delay exceeds, unless somebody wants it sooner."""
SETTLED = 60.0
"""Seconds of taking calls after which all earlier deaths are forgotten."""
FIRST_RETRY = 30.0
"""Seconds after which a replica that was given up is tried once. What a plugin needs to start may be late by seconds:
one start then costs nothing, and minutes without the plugin cost much."""
RETRY_LIMIT = 3600.0


@dataclass(frozen=True, slots=True)
class Intensity:
    """How often it may die.

    Attributes:
        max_deaths: How many deaths within the window are too many; None: never.
        window: Seconds.
        bound_limit: Seconds that no delay exceeds before it is given up.
    """

    max_deaths: int | None
    window: float
    bound_limit: float = BOUND_LIMIT


@dataclass(frozen=True, slots=True)
class History:
    """What is remembered of a replica's deaths.

    Attributes:
        deaths: When it died, by a monotonic clock, as far back as the window goes.
        streak: Deaths since it last answered a call or a health check.
        given_up: How often it was given up since it was last settled.
    """

    deaths: tuple[float, ...] = ()
    streak: int = 0
    given_up: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a death.

    Attributes:
        gives_up: It died too often, or for a reason that stays.
        delay: Seconds until it is started again; None: it is not, by itself.
    """

    history: History
    gives_up: bool
    delay: float | None


def after_death(  # noqa: PLR0913 (each is a fact that the verdict depends on)
    history: History,
    intensity: Intensity,
    *,
    now: float,
    ready_for: float,
    answered: bool,
    permanent: bool,
    chance: float,
) -> Verdict:
    """The verdict on one more death.

    Args:
        now: By the clock of `history.deaths`.
        ready_for: Seconds for which it took calls before it died; 0 when it never did.
        answered: It answered at least one call or health check.
        permanent: It died of what a new start does not mend.
        chance: From 0 up to 1, drawn anew each time.
    """
    if ready_for >= SETTLED:
        history = History()
    recent = (*(death for death in history.deaths if now - death < intensity.window), now)
    history = replace(history, deaths=recent, streak=1 if answered else history.streak + 1)
    if permanent:
        return Verdict(history, gives_up=True, delay=None)
    too_many = intensity.max_deaths is not None and (len(recent) > intensity.max_deaths or history.given_up > 0)
    if too_many:
        delay = min(FIRST_RETRY * 2**history.given_up, RETRY_LIMIT)
        return Verdict(replace(history, given_up=history.given_up + 1), gives_up=True, delay=delay)
    bound = min(FIRST_BOUND * 2 ** min(history.streak - 1, 16), intensity.bound_limit)
    return Verdict(history, gives_up=False, delay=chance * bound)
