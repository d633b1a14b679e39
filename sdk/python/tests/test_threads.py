import asyncio
import contextvars
import threading

import pytest

from hector_sdk import threads

NAME = contextvars.ContextVar("name", default="nobody")


async def test_results_errors_and_context_come_through():
    NAME.set("somebody")
    assert await threads.run(lambda a, b: (a, b, NAME.get()), 1, b=2) == (1, 2, "somebody")
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    with pytest.raises(RuntimeError, match=r"raised StopIteration\(\)$"):
        await threads.run(lambda: next(iter(())))


async def test_a_thread_that_is_abandoned_harms_nobody():
    release, ended = threading.Event(), threading.Event()

    def work():
        release.wait(10)
        ended.set()

    task = asyncio.create_task(threads.run(work))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    assert await asyncio.to_thread(ended.wait, 10)
