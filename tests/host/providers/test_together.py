"""Calls side by side: every result in its place, and no call outlives the first failure."""

import asyncio

import pytest

from hector_host.errors import PluginError
from hector_host.providers.together import together


async def test_the_results_stand_in_the_order_of_the_calls():
    second_done = asyncio.Event()

    async def first() -> int:
        await second_done.wait()  # so they run at the same time, and end the other way round
        return 1

    async def second() -> int:
        second_done.set()
        return 2

    assert await together([first(), second()]) == [1, 2]


@pytest.mark.parametrize("results", [[], ["alone"]])
async def test_none_and_one(results):
    assert await together([asyncio.sleep(0, each) for each in results]) == results


async def test_the_first_failure_ends_the_others_and_is_told_as_it_is():
    ended = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    async def failing() -> None:
        await asyncio.sleep(0)  # until the other waits
        raise PluginError("it", "broke")

    with pytest.raises(PluginError) as told:
        await together([endless(), failing()])
    assert told.value.args == ("it", "broke")
    assert ended == ["endless"]
