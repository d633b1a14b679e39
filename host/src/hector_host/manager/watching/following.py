"""A live host follows its files: a changed configuration is applied, a changed plugin is replaced.

Whatever goes wrong on the way is reported, and what ran before goes on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hector_host.errors import ConfigError, HectorError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hector_host.config import AgentConfig, Config
    from hector_host.manager.status import ConfigChanges
    from hector_host.manager.watching.watch import Watch


async def follow(
    watch: Watch,
    current: Callable[[], Config],
    apply: Callable[[Config], Awaitable[ConfigChanges]],
    reload: Callable[[str], Awaitable[None]],
    report: Callable[[str], None],
) -> None:
    """Follows until it is cancelled; only a fault of the watch itself ends it before, and is reported too.

    Args:
        watch: Entered and left here.
        current: The configuration that is served.
        apply: Goes over to another one.
        reload: Replaces what runs of a plugin.
        report: Told what was done, and what could not be done. Everything that these raise becomes a report.
    """
    follower = _Follower(current, apply, reload, report)
    try:
        async with watch:
            await follower.go_over(file=watch.everything)  # what changed between the first reading and now
            while True:
                changed = await watch.changed()
                if changed.config or changed.discovery:
                    await follower.go_over(file=changed.config)
                await asyncio.gather(*(follower.replace(name) for name in sorted(changed.plugins)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the host goes on
        report(f"watch: files are followed no longer: {error!r}")


class _Follower:
    """Does what a change asks for."""

    def __init__(
        self,
        current: Callable[[], Config],
        apply: Callable[[Config], Awaitable[ConfigChanges]],
        reload: Callable[[str], Awaitable[None]],
        report: Callable[[str], None],
    ) -> None:
        self._current = current
        self._apply = apply
        self._reload = reload
        self._report = report
        self._doubts: set[str] = set()

    async def go_over(self, *, file: bool) -> None:
        """Looks into the discovery folders again, and reads the `file`; applies what is right and new."""
        try:
            await self._go_over(file=file)
        except HectorError as error:
            self._report(f"{error}\n  The configuration that was read before stays in use.")
        except Exception as error:  # noqa: BLE001 - whatever it is, the host goes on
            self._report(f"watch: the configuration could not be applied: {error!r}")

    async def replace(self, name: str) -> None:
        """Replaces what runs of a plugin, if it is still there."""
        if name not in self._current().plugins:
            return
        try:
            await self._reload(name)
        except HectorError as error:
            self._report(f"{error}\n  Its files have changed; what ran before goes on.")
        except Exception as error:  # noqa: BLE001 - whatever it is, the host goes on
            self._report(f"watch: plugin {name} could not be replaced: {error!r}")

    async def _go_over(self, *, file: bool) -> None:
        from hector_host.config import rediscover, reread
        from hector_host.config.differences import differences

        refused: list[ConfigError] = []
        running = self._current()
        config = await asyncio.to_thread(reread if file else rediscover, running, refused.append)
        self._tell_new([*map(str, refused), *(f"warning: {warning}" for warning in config.warnings)], running)
        found = differences(running, config)
        if not found:
            return
        if file:
            _keep_working(running, config)
        changes = await self._apply(config)
        told = {"added": changes.added, "removed": changes.removed, "changed": (*changes.changed, *found.sections)}
        words = "; ".join(f"{word} {', '.join(names)}" for word, names in told.items() if names)
        self._report(f"{f'{config.document.name}: read again' if file else 'discovery'}: {words}")
        for error in changes.failed.values():
            self._report(f"{error}\n  What ran before goes on.")
        if "server" in found.sections:
            self._report(f"{config.locate('server')}: takes effect when the host is started anew")

    def _tell_new(self, doubts: list[str], running: Config) -> None:
        """Reports what was not reported before: a manifest stays broken through many changes of others."""
        known = self._doubts | {f"warning: {warning}" for warning in running.warnings}
        for doubt in dict.fromkeys(doubts):
            if doubt not in known:
                self._report(doubt)
        self._doubts = set(doubts)


def _keep_working(running: Config, config: Config) -> None:
    """Raises the ConfigError of an agent whose names held until now: a slip of the pen takes no agent away."""
    for name, agent in config.agents.items():
        if name in running.agents and _holds(running, running.agents[name]):
            config.plugins_of(agent)


def _holds(config: Config, agent: AgentConfig) -> bool:
    try:
        config.plugins_of(agent)
    except ConfigError:
        return False
    return True
