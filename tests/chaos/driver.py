"""One run: the host is started, killed and started again while every plugin gets one fault after the other."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chaos import traces
from chaos.endpoint import endpoint
from chaos.faults import FAULTS, GoneError, inflict
from chaos.oracle import Oracle
from chaos.outcome import Outcome
from chaos.plan import Plan
from chaos.subject import HostEndedError, Subject
from chaos.world import World, world
from hector_host.manager import health

ORPHAN_LIMIT = 1.0
"""Seconds after the host's death in which all that it started is gone."""
RECOVERY_LIMIT = 120.0
"""Seconds in which a plugin takes calls again, a model to load and a busy machine counted in."""
BREATH = 0.3
"""Seconds between two faults that nothing else needs, at most."""
LEAD = 0.1
"""The part of its faults by which a plugin may be ahead of the others: who gets few has time between them."""
STARTING = 2.0
"""Seconds, at most, that a host gets which is killed while its plugins start."""
DYING_SHARE = 0.25
"""The part of the run in which the host is killed."""
WARM_SHARE = 0.35
"""The part of the run after which the host that lives on is warm."""
TELLING = 10.0
"""Seconds between two lines of progress."""
CHECKED_AT_START = 200
"""Vectors and runs, the last ones acknowledged, that each new host looks for; the last host looks for all."""


async def run(
    plan: Plan,
    folder: Path,
    *,
    light: bool,
    interval: float = health.INTERVAL,
    progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """The whole of it. Never raises for what the host does: that is a violation.

    Args:
        folder: Empty.
        light: The embedder has no model to load.
        interval: Seconds between two health checks of a plugin.
        progress: Told how far it is.
    """
    outcome = Outcome(plan, Oracle())
    started = time.monotonic()
    async with endpoint() as address:
        with world(folder, address, light=light) as place:
            await Driver(place, outcome, interval, progress).drive()
            outcome.oracle.violations += traces.in_files(place)
            outcome.oracle.judge()
    outcome.seconds = time.monotonic() - started
    return outcome


class Driver:
    """Gives every plugin its faults, each in its own time, and the host its deaths."""

    def __init__(self, place: World, outcome: Outcome, interval: float, progress: Callable[[str], None]) -> None:
        self._place = place
        self._plan = outcome.plan
        self._outcome = outcome
        self._interval = interval
        self._oracle = outcome.oracle
        self._progress = progress
        self._lives = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._busy = 0

    async def drive(self) -> None:
        await self._raise()
        try:
            await self._settle(first=True)
            async with asyncio.TaskGroup() as group:
                for plugin, kinds in self._plan.plugins.items():
                    group.create_task(self._torment(plugin, kinds))
                group.create_task(self._reign())
                group.create_task(self._tell())
            await self._close()
        except* (TimeoutError, HostEndedError) as errors:
            self._oracle.violated(f"the run was given up: {errors.exceptions!r}")
        finally:
            await self._kill()

    @property
    def _done(self) -> int:
        return self._outcome.inflicted.total()

    async def _raise(self) -> None:
        """Another host."""
        self._lives += 1
        self._subject = await Subject.start(self._place, self._oracle, self._lives, self._interval)

    async def _settle(self, *, first: bool = False) -> None:
        """A host that has just been started gets its callers, and finds what was kept."""
        subject, last = self._subject, -CHECKED_AT_START
        stored, runs = self._oracle.stored[last:], self._oracle.runs[last:]
        if first:
            await subject.ask("prepare")
        await subject.ask("work")
        await subject.ask("check", stored=stored, runs=runs)

    async def _torment(self, plugin: str, kinds: tuple[str, ...]) -> None:
        """One fault after the other; after each the plugin takes calls for at least as long as it took to start."""
        chance = self._plan.random(plugin)
        for done, kind in enumerate(kinds):
            await self._until_done((done / len(kinds) - LEAD) * self._plan.faults)
            while True:
                await self._quiet.wait()
                subject = self._subject
                await self._serving(subject, plugin, 0)
                sighting = subject.plugins[plugin]
                await asyncio.sleep(sighting.since + sighting.start - time.monotonic())
                await asyncio.sleep(chance.uniform(0, BREATH))
                if not subject.over and self._quiet.is_set() and await self._strike(subject, plugin, kind, chance):
                    break
                await asyncio.sleep(0.02)
            self._outcome.inflicted[plugin, kind] += 1

    async def _strike(self, subject: Subject, plugin: str, kind: str, chance: Any) -> bool:
        """One fault and the plugin's recovery; False if there was nobody to do it to."""
        pid = subject.plugins[plugin].pid
        self._busy += 1
        try:
            self._oracle.expect(plugin, kind)
            data = self._place.folder / ".hector/plugins" / plugin
            try:
                await asyncio.to_thread(inflict, kind, pid, data, chance)
            except GoneError:
                return False
            await self._serving(subject, plugin, pid if FAULTS[kind].deaths else 0)
        finally:
            self._busy -= 1
        return True

    async def _serving(self, subject: Subject, plugin: str, old: int) -> None:
        """Waits until a plugin takes calls, in another process than an old one; or the host is killed."""

        def serving() -> bool:
            sighting = subject.plugins[plugin]
            return sighting.state in {"ready", "degraded"} and sighting.pid not in {0, old}

        await subject.until(serving, f"{plugin} takes calls again", RECOVERY_LIMIT)

    async def _reign(self) -> None:
        """The host's deaths, and then one host that lives through the rest."""
        chance = self._plan.random("host")
        total, deaths = self._plan.faults, 0
        while deaths < self._plan.deaths:
            await self._until_done(total * DYING_SHARE * (deaths + 1) / self._plan.deaths)
            await asyncio.sleep(chance.uniform(0, BREATH))
            deaths += await self._replace()
            if deaths < self._plan.deaths and chance.random() < 0.5:  # before the plugins are ready, too
                await asyncio.sleep(chance.uniform(0, STARTING))
                deaths += await self._replace()
            await self._settle()
        await self._until_done(total * WARM_SHARE)
        async with self._rest():
            self._outcome.before = await self._subject.figures()
        await self._until_done(total + self._plan.deaths)

    async def _tell(self) -> None:
        while self._done < self._plan.faults + self._plan.deaths:
            self._progress(
                f"{self._done} faults, {self._oracle.answered} of {self._oracle.calls.total()} calls answered"
            )
            await asyncio.sleep(TELLING)

    async def _replace(self) -> int:
        """The host dies, and another one is started."""
        await self._kill()
        self._outcome.inflicted["host", "kill"] += 1
        await self._raise()
        return 1

    async def _kill(self) -> None:
        """The host dies, if it lives; all that it started is gone in a moment, its folder too."""
        subject = self._subject
        if not subject.running:
            return
        family = subject.family()
        await subject.kill()
        died = time.monotonic()
        while left := traces.of_a_host(self._place, family):
            if time.monotonic() - died > ORPHAN_LIMIT:
                self._oracle.violated(f"a second after the host's death there is {', '.join(left)}")
                break
            await asyncio.sleep(0.005)
        self._outcome.slowest_end = max(self._outcome.slowest_end, time.monotonic() - died)

    async def _until_done(self, faults: float) -> None:
        while self._done < faults:
            await asyncio.sleep(0.02)

    @asynccontextmanager
    async def _rest(self) -> AsyncIterator[None]:
        """All plugins are ready, nothing happens to them, and nobody calls."""
        self._quiet.clear()
        subject = self._subject
        await subject.until(lambda: not self._busy and subject.ready, "all plugins are ready", RECOVERY_LIMIT)
        await subject.ask("rest")
        yield
        await subject.ask("work")
        self._quiet.set()

    async def _close(self) -> None:
        """Every plugin is ready, everything is there that was acknowledged, and the host ends without a trace."""
        subject = self._subject
        async with self._rest():
            self._outcome.after = await subject.figures()
            self._oracle.compare(self._outcome.before, self._outcome.after)
            alive = {sighting.pid for sighting in subject.plugins.values()}
            self._oracle.violations += traces.of_plugins(self._place, alive)
            await subject.ask("check", stored=self._oracle.stored, runs=self._oracle.runs)
            states = {name: sighting.state for name, sighting in subject.plugins.items()}
            if set(states.values()) != {"ready"}:
                self._oracle.violated(f"in the end the plugins are {states}")
        code = await subject.end()
        if code != 0:
            self._oracle.violated(f"the host ended with {code}")
