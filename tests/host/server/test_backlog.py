"""Events that wait for a slow reader: in order, and never too many."""

import asyncio

from hector.host.v1.run_pb2 import RunEvent
from hector_host.server.backlog import Backlog


def event(name: str) -> RunEvent:
    return RunEvent(run_id=name)


async def test_events_come_in_order_up_to_the_end():
    backlog = Backlog()
    reading = asyncio.create_task(backlog.get())
    await asyncio.sleep(0)
    for name in ("a", "b"):
        assert backlog.put(event(name))
    backlog.close()
    assert [await reading, await backlog.get(), await backlog.get(), await backlog.get()] == [
        event("a"),
        event("b"),
        None,
        None,
    ]


async def test_no_more_wait_than_may():
    backlog = Backlog(most_events=2)
    assert [backlog.put(event(name)) for name in "abc"] == [True, True, False]
    await backlog.get()
    assert backlog.put(event("d"))
    assert [await backlog.get(), await backlog.get()] == [event("b"), event("d")]


async def test_no_more_bytes_wait_than_may_but_one_event_is_always_taken():
    backlog = Backlog(most_bytes=10)
    assert backlog.put(event("x" * 100))
    assert not backlog.put(event("y"))
    await backlog.get()
    assert backlog.put(event("y"))


async def test_what_waits_can_be_let_go_of():
    backlog = Backlog(most_events=1, most_bytes=10)
    assert backlog.put(event("x" * 8))
    backlog.clear()
    assert backlog.put(event("y" * 8))
    assert await backlog.get() == event("y" * 8)
