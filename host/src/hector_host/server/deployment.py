"""What a run runs on: configuration, providers and runtime of one moment, replaced together.

A run that has begun ends on what it began with, whatever is put in its place meanwhile.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hector_host.config import Config
    from hector_host.registry import Registry
    from hector_host.runtime.runtime import Runtime


@dataclass(frozen=True, slots=True, eq=False)
class Deployment:
    """One edition of the configuration, ready to run."""

    config: Config
    registry: Registry
    runtime: Runtime


@dataclass(slots=True)
class _Use:
    runs: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Deployments:
    """The deployment for new runs, and those that older runs are still on.

    Attributes:
        current: For new runs.
    """

    def __init__(self, first: Deployment) -> None:
        self.current = first
        self._uses: dict[Deployment, _Use] = {}

    @contextmanager
    def use(self) -> Iterator[Deployment]:
        """The deployment of one new run, which is kept until that ends."""
        deployment = self.current
        use = self._uses.setdefault(deployment, _Use())
        use.runs += 1
        try:
            yield deployment
        finally:
            use.runs -= 1
            if not use.runs:
                del self._uses[deployment]
                use.over.set()

    async def old_ones_unused(self) -> None:
        """Returns when no run is on another deployment than the current one."""
        while old := [use for deployment, use in self._uses.items() if deployment is not self.current]:
            await old[0].over.wait()


def plugins_needed(config: Config) -> list[str]:
    """The plugins that the agents need, each once. An agent whose references do not hold needs none: calls tell why."""
    needed: dict[str, None] = {}
    for agent in config.agents.values():
        try:
            needed.update(dict.fromkeys(config.plugins_of(agent)))
        except ConfigError:  # one of the configuration's warnings, which have been shown
            continue
    return list(needed)
