"""Which faults come, to whom, in which order: all of it follows from a seed."""

import random
from collections import Counter
from dataclasses import dataclass
from itertools import chain, cycle

from chaos import world

SHARES = {"kill": 40, "stop": 12, "socket": 12, "garbage": 18, "flood": 18}
"""Percent of the faults of plugins."""
HOST_SHARE = 50
"""One fault of so many is the host's death."""
EMBEDDER_SHARE = 50
"""One fault of so many is the embedder's, where it has to load PyTorch first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The faults of one run.

    Attributes:
        plugins: The faults of each plugin, in their order.
        deaths: How often the host is killed. That happens in the first quarter of the run, so that the rest of it is
            one host's, whose memory can be followed.
    """

    seed: int
    plugins: dict[str, tuple[str, ...]]
    deaths: int

    @property
    def faults(self) -> int:
        """Of the plugins."""
        return sum(map(len, self.plugins.values()))

    def random(self, name: str) -> random.Random:
        """Chance for one part of the run, whatever the others draw."""
        return random.Random(f"{self.seed} {name}")


def plan(seed: int, faults: int, *, light: bool) -> Plan:
    """A plan of so many faults.

    Args:
        light: The embedder has no model to load, and gets as many faults as the others.
    """
    chance = random.Random(seed)
    deaths = max(1, faults // HOST_SHARE)
    rest = faults - deaths
    dealt = list(chain.from_iterable([kind] * (rest * share // 100) for kind, share in SHARES.items()))
    dealt += ["kill"] * (rest - len(dealt))
    chance.shuffle(dealt)
    names = list(world.PLUGINS)
    chance.shuffle(names)
    hands: dict[str, list[str]] = {name: [] for name in names}
    if not light:
        names.remove(world.EMBEDDER)
        few = faults // EMBEDDER_SHARE
        hands[world.EMBEDDER], dealt = dealt[:few], dealt[few:]
    for kind, name in zip(dealt, cycle(names), strict=False):
        hands[name].append(kind)
    return Plan(seed, {name: tuple(hands[name]) for name in world.PLUGINS}, deaths)


def counted(plan: Plan) -> Counter[str]:
    """How many faults of each kind there are."""
    return Counter(chain.from_iterable(plan.plugins.values())) + Counter(host=plan.deaths)
