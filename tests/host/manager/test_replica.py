"""One place of a plugin through starts, deaths, stops and interruptions, over instances that are made of facts."""

import asyncio
import gc
import logging
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from hector_host.errors import PluginError, StartError
from hector_host.manager import replica as module
from hector_host.manager import restart
from hector_host.manager.admission import Admission
from hector_host.manager.failure import Failure
from hector_host.manager.lease import Ticket
from hector_host.manager.replica import Replica
from hector_host.manager.states import State

TICKET = Ticket("GenerateText")


class Answers:
    """A channel whose health checks are answered at once, or never."""

    def unary_unary(self, method):
        async def check(*_: Any, **__: Any) -> bytes:
            return b"\x08\x01"

        return check


@dataclass
class Instance:
    """One start.

    Attributes:
        opens: What `open` raises; None: it opens.
        pauses: The names of methods that wait until they are interrupted.
        breaks: The names of methods that have a bug.
    """

    opens: Exception | None = None
    pauses: frozenset[str] = frozenset()
    breaks: frozenset[str] = frozenset()
    kind: str = "llm_provider"
    exclusive: bool = False
    address: str = ""
    command: tuple[str, ...] = ("plugin",)
    pid: int = 7
    over: bool = False
    end: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    log: list[str] = field(default_factory=list)

    async def _step(self, name: str) -> None:
        self.log.append(name)
        await asyncio.sleep(0)
        if name in self.breaks:
            raise RuntimeError(name)
        if name in self.pauses:
            await asyncio.Event().wait()

    def start(self) -> None:
        self.log.append("start")

    async def open(self) -> Any:
        await self._step("open")
        if self.opens is not None:
            raise self.opens
        return SimpleNamespace(
            channel=Answers(), metadata=(), version="1", failure=None, label="llm_provider/x", services=frozenset()
        )

    async def ended(self) -> str:
        await self._step("ended")
        return await asyncio.shield(self.end)

    def failure(self) -> PluginError | None:
        return PluginError("llm_provider/x: its process ended (signal 9)") if self.end.done() else None

    async def bury(self) -> None:
        await self._step("bury")

    async def close(self, grace: float) -> None:
        await self._step("close")

    def discard(self) -> None:
        self.log.append("discard")


class Place:
    """A replica with everything around it.

    Attributes:
        instances: All that were made, oldest first.
        made: What the next ones are made with; without one they are plain.
    """

    def __init__(self, *made: dict[str, Any], max_deaths: int = 5, window: float = 60.0) -> None:
        self.made = list(made)
        self.instances: list[Instance] = []
        self.changes: list[str] = []
        self.deaths: list[module.Death] = []
        self.broken = False
        limits = SimpleNamespace(max_deaths=max_deaths, window=window)
        plugin = SimpleNamespace(name="x", kind="llm_provider", restart=limits, max_concurrency=2)
        config = SimpleNamespace(redact=str)
        kills = SimpleNamespace(read=lambda: 0, rose_since=lambda _: False)
        book = SimpleNamespace(path="x.log", lines=0, last=lambda *_: [])
        edition: Any = SimpleNamespace(plugin=plugin, config=config, book=book, kills=kills, attachment=None)
        self.replica = Replica(1, edition, self._make, self, for_ever=False)
        self.admission = Admission(2, 10, [self.replica])

    def _make(self) -> Any:
        self.instances.append(Instance(**(self.made.pop(0) if self.made else {})))
        return self.instances[-1]

    def changed(self, replica: Replica, old: State, reason: str) -> None:
        self.changes.append(f"{replica.state.value}: {reason}")

    async def died(self, replica: Replica, death: module.Death) -> None:
        self.deaths.append(death)
        await asyncio.sleep(0)
        if self.broken:
            raise RuntimeError("a full disk")

    def dies(self, reason: str = "signal:9") -> None:
        self.instances[-1].end.set_result(reason)


async def until(holds: Callable[[], Any]) -> None:
    """Looks at each turn of the loop: a replica that is started again at once is down for a few of them."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0)


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(module.random, "random", lambda: 0.0)


async def test_one_life_after_another(at_once):
    place = Place()
    place.replica.start()
    for number in range(1, 4):
        await until(lambda: place.replica.state is State.READY)
        assert len(place.instances) == number
        place.dies()
        await until(lambda: place.replica.state is not State.READY)
    await until(lambda: place.replica.state is State.READY)
    await place.replica.stop(0)
    life = ["ready: healthy", "backoff: signal:9", "starting: next attempt"]
    assert place.changes == [
        "starting: needed",
        *life * 3,
        "ready: healthy",
        "draining: stopped by the host",
        "stopped: stopped by the host",
    ]
    assert place.replica.restarts == 3
    assert [instance.log for instance in place.instances[:3]] == [["start", "open", "ended", "bury", "close"]] * 3
    assert place.instances[3].log == ["start", "open", "ended", "close"]
    assert str(place.replica.error) == "llm_provider/x: was stopped by the host"


async def test_the_next_attempt_comes_when_it_was_told_however_long_the_burial_takes(monkeypatch):
    monkeypatch.setattr(module.random, "random", lambda: 0.999)
    place = Place()
    place.replica.start()
    await until(lambda: place.replica.plugin)
    lease = place.admission.take(TICKET)
    place.dies()
    await until(lambda: place.replica.next_attempt)
    told = place.replica.next_attempt
    await asyncio.sleep(0.1)
    lease.release()
    await until(lambda: place.replica.state is State.STARTING)
    assert -0.01 < place.replica.since - told < 0.09
    assert place.replica.next_attempt is None
    await place.replica.stop(0)


@pytest.mark.parametrize("broken", ["bury", "close", "ended", "died"])
async def test_a_bug_on_the_way_down_does_not_keep_it_down(at_once, caplog, broken):
    place = Place({"breaks": frozenset({broken})})
    place.broken = broken == "died"
    with caplog.at_level(logging.ERROR):
        place.replica.start()
        await until(lambda: place.replica.opened)
        if broken != "ended":
            place.dies()
        await until(lambda: place.replica.restarts == 1 and place.replica.state is State.READY)
    reason = "internal" if broken == "ended" else "signal:9"
    assert place.changes[:4] == ["starting: needed", "ready: healthy", f"backoff: {reason}", "starting: next attempt"]
    told = {"ended": "cannot be watched", "died": "its death could not be noted"}.get(broken, "could not be cleaned up")
    assert [record.getMessage() for record in caplog.records] == [f"llm_provider/x: {told}"]
    await place.replica.stop(0)


async def test_a_health_check_of_garbage_is_no_answer(at_once, monkeypatch):
    from hector_host.manager import health

    async def garbage(*_: Any, **__: Any) -> bytes:
        return b"\xff\xff"

    monkeypatch.setattr(Answers, "unary_unary", lambda *_: garbage)
    monkeypatch.setattr(health, "INTERVAL", 0.001)
    monkeypatch.setattr(health, "RECHECK", 0.001)
    place = Place()
    place.replica.start()
    await until(lambda: place.replica.restarts)
    assert place.changes[1:4] == ["ready: healthy", "degraded: health", "backoff: health"]
    assert str(place.deaths[0].error) == "llm_provider/x: did not answer its health checks\n  Its log: x.log"
    await place.replica.stop(0)


@pytest.mark.parametrize("moment", ["open", "ended", "bury", "close", "died", "backoff"])
async def test_a_stop_at_any_moment(monkeypatch, moment):
    monkeypatch.setattr(restart, "FIRST_BOUND", 1000.0)
    place = Place({"pauses": frozenset({moment})})
    place.replica.start()
    await until(lambda: "open" in place.instances[0].log)
    if moment != "open":
        await until(lambda: place.replica.state is State.READY)
    if moment in {"bury", "close", "died", "backoff"}:
        place.dies()
        await until(lambda: place.deaths if moment in {"died", "backoff"} else moment in place.instances[0].log)
    place.instances[0].pauses = frozenset()
    await place.replica.stop(0)
    assert place.replica.state is State.STOPPED
    assert place.replica.plugin is None
    assert place.replica.next_attempt is None
    assert place.instances[0].log[-1] == "close"
    assert len(place.instances) == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("moment", ["open", "ended", "bury", "close"])
async def test_an_interrupted_stop_is_finished_by_discarding(moment):
    place = Place({"pauses": frozenset({moment, "close"})})
    place.replica.start()
    await until(lambda: "open" in place.instances[0].log)
    if moment in {"bury", "close"}:
        await until(lambda: place.replica.state is State.READY)
        place.dies()
        await until(lambda: moment in place.instances[0].log)
    stopping = asyncio.create_task(place.replica.stop(10))
    await asyncio.sleep(0.01)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    place.replica.discard()
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    assert place.replica.state is State.STOPPED
    assert place.instances[0].log[-1] == "discard"


async def test_calls_finish_before_the_connection_goes():
    place = Place()
    place.replica.start()
    await until(lambda: place.replica.plugin)
    lease = place.admission.take(TICKET)
    stopping = asyncio.create_task(place.replica.stop(20))
    await until(lambda: place.replica.state is State.DRAINING)
    assert place.admission.take(TICKET) is None
    await asyncio.sleep(0.02)
    assert "close" not in place.instances[0].log
    lease.release()
    await stopping
    assert place.replica.in_flight == 0
    assert place.instances[0].log[-1] == "close"


async def test_a_call_that_does_not_finish_gets_its_grace():
    place = Place()
    place.replica.start()
    await until(lambda: place.replica.plugin)
    place.admission.take(TICKET)
    begun = time.monotonic()
    await place.replica.stop(0.2)
    assert 0.2 <= time.monotonic() - begun < 5


async def test_calls_hear_of_a_death_before_their_connection_goes():
    place = Place()
    place.replica.start()
    await until(lambda: place.replica.plugin)
    lease = place.admission.take(TICKET)
    place.dies()
    await until(lambda: "bury" in place.instances[0].log)
    assert "close" not in place.instances[0].log
    lease.unused()
    await until(lambda: "close" in place.instances[0].log)
    assert place.admission.calls == 0
    await until(lambda: place.deaths)
    assert place.deaths[0].leases == (lease,)
    await place.replica.stop(0)


async def test_who_is_draining_does_not_become_healthy():
    place = Place()
    place.replica.start()
    await until(lambda: place.replica.plugin)
    place.admission.take(TICKET)
    stopping = asyncio.create_task(place.replica.stop(0.05))
    await until(lambda: place.replica.state is State.DRAINING)
    place.replica.unwell("health")
    place.replica.recovered()
    await stopping
    assert place.changes[2:] == ["draining: stopped by the host", "stopped: stopped by the host"]


async def test_a_place_that_nobody_used_is_no_answer(at_once):
    place = Place()
    place.replica.start()
    for streak in range(1, 4):
        await until(lambda: place.replica.plugin)
        place.admission.take(TICKET).unused()
        place.dies()
        await until(lambda: place.replica.plugin is None)
        assert place.replica._history.streak == streak
    await until(lambda: place.replica.plugin)
    place.admission.take(TICKET).release()
    place.dies()
    await until(lambda: place.replica.plugin is None)
    assert place.replica._history.streak == 1
    await place.replica.stop(0)


async def test_a_thousand_restarts_cost_no_memory(at_once):
    place = Place(max_deaths=1000, window=0.001)
    place.replica.start()

    async def live(times: int) -> None:
        for _ in range(times):
            await until(lambda: place.replica.plugin)
            place.dies()
            await until(lambda: place.replica.plugin is None)
            place.changes.clear()
            place.deaths.clear()
            del place.instances[:-1]

    await live(200)
    gc.collect()
    tracemalloc.start()
    try:
        before, objects = tracemalloc.get_traced_memory()[0], len(gc.get_objects())
        await live(1000)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 100_000
        assert len(gc.get_objects()) - objects < 500
    finally:
        tracemalloc.stop()
    assert place.replica.restarts >= 1199
    assert place.replica.deaths < 100
    await place.replica.stop(0)


async def test_a_start_that_fails_for_good_is_not_repeated():
    place = Place({"opens": Failure("handshake", "speaks protocol 7, this host speaks 1")})
    place.replica.start()
    await until(lambda: place.deaths)
    await until(place.replica._task.done)
    assert place.changes == ["starting: needed", "failed: handshake"]
    assert isinstance(place.replica.error, StartError)
    assert place.replica.next_attempt is None
    await place.replica.stop(0)
    assert place.replica.state is State.FAILED
