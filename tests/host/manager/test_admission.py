"""Which replica gets a call, who waits, and who is told what: without a process, on replicas that are mere facts."""

import asyncio
import gc
from typing import Any

import pytest
from grpc import StatusCode

from hector_host.errors import PluginError
from hector_host.manager.admission import Admission, QueueFullError
from hector_host.manager.lease import Lease, Ticket

TICKET = Ticket("GenerateText")


class Replica:
    """As much of a replica as a place needs: `plugin` is what takes the calls."""

    def __init__(self, name: str, *, well: bool = True, up: bool = True, alive: bool = True) -> None:
        self.plugin: str | None = name if up else None
        self.well = well
        self.alive = alive
        self.leases: set[Lease] = set()
        self.codes: list[StatusCode | None] = []

    @property
    def in_flight(self) -> int:
        return len(self.leases)

    def lives(self) -> bool:
        return self.alive

    def released(self, lease: Lease, code: StatusCode | None) -> None:
        self.codes.append(code)
        self.leases.discard(lease)

    def vacated(self, lease: Lease) -> None:
        self.leases.discard(lease)


def over(*replicas: Replica, concurrency: int = 1, length: int = 10) -> Admission:
    found: Any = replicas
    return Admission(concurrency, length, found)


def down() -> Exception:
    return PluginError("llm_provider/x: is down")


async def waiting(*awaitables) -> list[asyncio.Task]:
    """Tasks that have got as far as they get by themselves."""
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    await settle()
    return tasks


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def taken(admission: Admission, count: int) -> list[str]:
    """Who got the next calls."""
    leases = [admission.take(TICKET) for _ in range(count)]
    return [lease.plugin if lease is not None else "-" for lease in leases]


async def test_the_least_loaded_gets_the_next():
    admission = over(Replica("a"), Replica("b"), Replica("c"), concurrency=2)
    assert taken(admission, 7) == ["a", "b", "c", "a", "b", "c", "-"]
    next(iter(admission.replicas[1].leases)).release()
    assert taken(admission, 2) == ["b", "-"]


async def test_the_healthy_come_first_whatever_their_load():
    admission = over(Replica("a", well=False), Replica("b"), concurrency=2)
    assert taken(admission, 5) == ["b", "b", "a", "a", "-"]


async def test_who_is_down_or_has_just_died_gets_none():
    admission = over(Replica("a", up=False), Replica("b", alive=False), Replica("c"))
    assert taken(admission, 2) == ["c", "-"]


async def test_calls_get_their_turn_in_the_order_in_which_they_came():
    admission = over(Replica("a"))
    first = admission.take(TICKET)
    order = []

    async def call(number: int) -> None:
        lease = await admission.wait(TICKET, 0, 10)
        order.append(number)
        lease.release()

    tasks = await waiting(*map(call, range(8)))
    assert admission.queued == 8
    assert admission.take(TICKET) is None
    first.release()
    await asyncio.gather(*tasks)
    assert order == list(range(8))
    assert (admission.calls, admission.failures, admission.queued) == (9, 0, 0)


async def test_who_comes_while_others_wait_waits_behind_them():
    admission = over(Replica("a", up=False))
    (task,) = await waiting(admission.wait(TICKET, 0, 10))
    admission.replicas[0].plugin = "a"  # and nobody has said so yet
    assert admission.take(TICKET) is None
    admission.open()
    assert (await task).plugin == "a"


async def test_a_queue_has_an_end():
    admission = over(Replica("a"), length=2)
    admission.take(TICKET)
    tasks = await waiting(*(admission.wait(TICKET, 0, 10) for _ in range(2)))
    with pytest.raises(QueueFullError):
        await admission.wait(TICKET, 0, 10)
    tasks.pop().cancel()
    await settle()
    tasks += await waiting(admission.wait(TICKET, 0, 10))
    assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()


async def test_a_queue_of_no_length_refuses_only_who_would_have_to_wait():
    admission = over(Replica("a"), length=0)
    lease = await admission.wait(TICKET, 0, 10)
    with pytest.raises(QueueFullError):
        await admission.wait(TICKET, 0, 10)
    lease.release()
    (await admission.wait(TICKET, 0, 10)).release()


async def test_who_gives_up_waiting_leaves_no_trace():
    admission = over(Replica("a"))
    lease = admission.take(TICKET)
    tasks = await waiting(*(admission.wait(TICKET, 0, 10) for _ in range(3)))
    tasks[0].cancel()
    tasks[2].cancel()
    await settle()
    assert admission.queued == 1
    lease.release()
    assert (await tasks[1]).plugin == "a"


async def test_a_place_that_comes_in_the_moment_of_giving_up_goes_to_the_next():
    replica = Replica("a")
    admission = over(replica)
    lease = admission.take(TICKET)
    first, second = await waiting(admission.wait(TICKET, 0, 10), admission.wait(TICKET, 0, 10))
    lease.release()  # hands the place to the first
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    (await second).release()
    assert replica.in_flight == 0
    assert replica.codes == [None, None]  # nothing was said of the call that never was
    assert admission.calls == 2


async def test_who_is_cancelled_and_refused_in_one_moment_is_cancelled():
    admission = over(Replica("a"))
    admission.take(TICKET)
    (task,) = await waiting(admission.wait(TICKET, 0, 10))
    admission.close(down, None)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gc.collect()  # an error that nobody heard of would be warned of here


async def test_a_turn_that_does_not_come_in_time():
    admission = over(Replica("a"))
    lease = admission.take(TICKET)
    with pytest.raises(TimeoutError):
        await admission.wait(TICKET, 0, 0.01)
    assert admission.queued == 0
    lease.release()
    assert taken(admission, 1) == ["a"]


@pytest.mark.parametrize(("patience", "soonest"), [(0, 0.1), (0, 0), (0, None), (5, None), (0.1, 0.2), (0, -1)])
async def test_who_cannot_be_helped_by_waiting_is_told_at_once(patience, soonest):
    admission = over(Replica("a", up=False))
    (before,) = await waiting(admission.wait(TICKET, patience, 10))
    admission.close(down, soonest)
    for task in (before, *await waiting(admission.wait(TICKET, patience, 10), admission.opened(patience))):
        assert task.done()
        with pytest.raises(PluginError, match=r"^llm_provider/x: is down$"):
            await task
    assert admission.queued == 0


async def test_patience_lasts_until_it_is_up_again():
    admission = over(Replica("a", up=False))
    admission.close(down, 0.1)
    call, watcher = await waiting(admission.wait(TICKET, 5, 10), admission.opened(5))
    assert not call.done()
    assert not watcher.done()
    admission.replicas[0].plugin = "a"
    admission.open()
    assert (await call).plugin == "a"
    await watcher


async def test_patience_ends():
    admission = over(Replica("a", up=False))
    admission.close(down, 0.01)
    with pytest.raises(PluginError, match=r"^llm_provider/x: is down$"):
        await admission.wait(TICKET, 0.05, 10)
    with pytest.raises(PluginError, match=r"^llm_provider/x: is down$"):
        await admission.opened(0.05)


async def test_the_time_until_the_next_attempt_passes():
    admission = over(Replica("a", up=False))
    admission.close(down, 0.2)
    with pytest.raises(PluginError):
        await admission.wait(TICKET, 0.1, 10)
    await asyncio.sleep(0.15)
    (task,) = await waiting(admission.wait(TICKET, 0.1, 10))
    assert not task.done()  # the attempt is 0.05 s away by now
    with pytest.raises(PluginError):
        await task


async def test_a_worse_outage_ends_all_patience():
    admission = over(Replica("a", up=False))
    admission.close(down, 0.1)
    patient, impatient = await waiting(admission.wait(TICKET, 100, 1000), admission.wait(TICKET, 10, 1000))
    admission.close(down, 50)
    await settle()
    assert (patient.done(), impatient.done()) == (False, True)
    admission.close(down, None)
    await settle()
    assert patient.done()
    for task in (patient, impatient):
        with pytest.raises(PluginError):
            await task


async def test_patience_does_not_begin_anew_with_each_failed_attempt():
    admission = over(Replica("a", up=False))
    admission.close(down, 0.01)
    (task,) = await waiting(admission.wait(TICKET, 0.1, 1000))
    deadline = asyncio.get_running_loop().time() + 5
    while not task.done():
        assert asyncio.get_running_loop().time() < deadline
        admission.close(down, 0.01)
        await asyncio.sleep(0.005)
    with pytest.raises(PluginError):
        await task


async def test_a_patient_call_that_finds_the_queue_full_leaves_no_timer():
    admission = over(Replica("a", up=False), length=0)
    admission.close(down, 0.01)
    with pytest.raises(QueueFullError):
        await admission.wait(TICKET, 0.02, 10)
    await asyncio.sleep(0.05)
    gc.collect()  # an error that nobody heard of would be warned of here


async def test_a_pause_is_waited_for_without_patience():
    admission = over(Replica("a", up=False))
    admission.close(down, 10)
    (patient,) = await waiting(admission.wait(TICKET, 11, 20))
    admission.pause()
    impatient, watcher = await waiting(admission.wait(TICKET, 0, 20), admission.opened(0))
    assert [each.done() for each in (patient, impatient, watcher)] == [False] * 3
    admission.replicas[0].plugin = "a"
    admission.open()
    (await patient).release()
    (await impatient).release()
    await watcher


async def test_who_waits_for_it_to_come_up_waits_for_no_place():
    admission = over(Replica("a", up=False))
    (watcher,) = await waiting(admission.opened(0))
    calls = await waiting(*(admission.wait(TICKET, 0, 10) for _ in range(2)))
    admission.replicas[0].plugin = "a"
    admission.open()
    await watcher
    await admission.opened(0)  # all places are taken, and it is up
    assert admission.queued == 1
    (await calls[0]).release()
    (await calls[1]).release()
    assert admission.calls == 2


async def test_failures_are_counted_unless_they_say_nothing_against_the_plugin():
    admission = over(Replica("a"))
    for code in (None, StatusCode.CANCELLED, StatusCode.UNIMPLEMENTED, StatusCode.INTERNAL, StatusCode.UNAVAILABLE):
        admission.take(TICKET).release(code)
    assert (admission.calls, admission.failures) == (5, 2)


async def test_more_places_serve_more_of_those_who_wait():
    admission = over(Replica("a"))
    admission.take(TICKET)
    tasks = await waiting(*(admission.wait(TICKET, 0, 10) for _ in range(3)))
    admission.concurrency = 3
    admission.open()
    await settle()
    assert [task.done() for task in tasks] == [True, True, False]
    tasks[0].result().release()
    (await tasks[2]).release()


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_every_place_comes_back(seed):
    """Calls that come, work, are cancelled and time out, over replicas that come and go."""
    import random

    dice = random.Random(seed)  # noqa: S311 (a test)
    replicas = [Replica(name) for name in "abc"]
    admission = over(*replicas, concurrency=2, length=5)

    async def call() -> None:
        try:
            lease = await admission.wait(TICKET, dice.choice([0, 0.003]), dice.choice([0.001, 0.005]))
        except (PluginError, QueueFullError, TimeoutError):
            return
        try:
            await asyncio.sleep(dice.random() * 0.002)
        finally:
            lease.release(dice.choice([None, StatusCode.UNAVAILABLE]))

    tasks = []
    for _ in range(200):
        tasks.append(asyncio.ensure_future(call()))
        if dice.random() < 0.3:
            dice.choice(tasks).cancel()
        if dice.random() < 0.2:
            replica = dice.choice(replicas)
            replica.plugin = None if replica.plugin else "up"
            if any(each.plugin for each in replicas):
                admission.open()
            else:
                admission.close(down, dice.choice([0.001, None]))
        await asyncio.sleep(dice.random() * 0.0005)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [replica.in_flight for replica in replicas] == [0, 0, 0]
    assert admission.queued == 0
    assert all(isinstance(task.exception(), None.__class__) for task in tasks if not task.cancelled())
