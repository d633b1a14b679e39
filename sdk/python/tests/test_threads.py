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


def test_an_executor_that_has_a_thread_for_each():
    executor, release = threads.Threads(), threading.Event()
    hung = [executor.submit(release.wait, 10) for _ in range(50)]
    assert executor.submit(divmod, 7, 2).result(10) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        executor.submit(lambda: 1 // 0).result(10)
    release.set()
    assert all(each.result(10) for each in hung)
