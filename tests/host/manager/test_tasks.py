"""What goes wrong in a task that nobody waits for, and what is meant."""

import asyncio

import pytest

from hector_host.manager.tasks import log_failure


async def ended(coroutine):
    task = asyncio.create_task(coroutine, name="x leaves")
    task.add_done_callback(log_failure)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    await asyncio.sleep(0)


async def test_an_error_is_logged_with_the_task_that_had_it(caplog):
    async def fail():
        raise ZeroDivisionError

    await ended(fail())
    (record,) = (each for each in caplog.records if each.name == log_failure.__module__)
    assert (record.levelname, record.message, record.exc_info[0]) == ("ERROR", "x leaves: failed", ZeroDivisionError)


@pytest.mark.parametrize("seconds", [0, 60], ids=["over", "cancelled"])
async def test_an_end_that_was_meant_is_not_logged(caplog, seconds):
    await ended(asyncio.sleep(seconds))
    assert [each for each in caplog.records if each.name == log_failure.__module__] == []
