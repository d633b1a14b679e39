"""Several processes of one plugin: one list, of which each call gets the least loaded."""

import asyncio
import os
import random
import signal

import pytest

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, ListModelsRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector_host import config
from hector_host.errors import CallError, StartError
from hector_host.manager import State, replica, restart
from hector_host.manager.lease import Ticket
from hector_host.providers.call import Call
from hector_host.providers.rpc import Rpc

PATIENT = Call(patience=20)


def three(echo, *replies, **more):
    return {"path": str(echo), "config": {"replies": list(replies)}, "replicas": 3, **more}


async def all_up(manager, until, count=3):
    await manager.ready("x")
    await until(lambda: [each.state for each in manager.status("x").replicas] == [State.READY] * count)
    return manager.status("x").replicas


async def test_three_processes_each_with_a_number(host, echo, until):
    async with host.manager(x=three(echo)) as manager:
        replicas = await all_up(manager, until)
        assert [each.number for each in replicas] == [1, 2, 3]
        assert len({each.pid for each in replicas}) == 3
        assert manager.state("x") is State.READY
        assert manager.serving("x") is manager.serving("x")
    assert sorted((change.replica, change.new.value) for change in host.changes) == [
        (number, state) for number in (1, 2, 3) for state in ("draining", "ready", "starting", "stopped")
    ]


async def test_the_first_call_waits_for_the_first_of_them_alone(host, until):
    slow = {"replicas": 2, "restart": {"max_deaths": 0}}
    async with host.manager(x=host.faulty("raw", late=0) | slow) as manager:
        manager.start(["x"])
        waiting = asyncio.create_task(manager.ready("x"))
        await until(lambda: all(each.pid for each in manager.status("x").replicas))
        os.kill(manager.status("x").replicas[0].pid, signal.SIGKILL)
        assert (await waiting).pid == manager.status("x").replicas[1].pid
        assert manager.state("x") is State.DEGRADED
        assert manager.status("x").reason == "signal:9"


async def test_each_call_goes_to_the_least_loaded(host, echo, until):
    async with host.manager(x=three(echo, max_concurrency=2)) as manager:
        replicas = await all_up(manager, until)
        leases = [await manager.lease("x", Ticket("m")) for _ in range(6)]
        pids = [lease.plugin.pid for lease in leases]
        assert sorted(pids[:3]) == sorted(pids[3:]) == sorted(each.pid for each in replicas)
        assert [each.in_flight for each in manager.status("x").replicas] == [2, 2, 2]
        waiting = asyncio.create_task(manager.lease("x", Ticket("m")))
        await until(lambda: manager.status("x").queued)
        leases[4].release()
        assert (await waiting).plugin.pid == pids[4]
        for lease in (*leases[:4], leases[5], waiting.result()):
            lease.release()
        assert manager.status("x").in_flight == 0


async def test_one_of_three_that_dies_under_load_fails_no_call_that_may_be_repeated(host, echo, until):
    async with host.manager(x=three(echo, "one", restart={"max_deaths": 1000})) as manager:
        await all_up(manager, until)
        rpc = Rpc("llm/x", "x", manager, LLMProviderStub)
        answers, failures = [], []

        async def call():
            while True:
                try:
                    answers.append(await rpc.unary("ListModels", ListModelsRequest(), PATIENT))
                except CallError as error:
                    failures.append(error)
                await asyncio.sleep(0.002)

        callers = [asyncio.create_task(call()) for _ in range(16)]
        for _ in range(8):
            up = [each for each in await all_up(manager, until) if each.pid]
            seen = len(host.changes)
            os.kill(random.choice(up).pid, signal.SIGKILL)  # noqa: S311 (a test)
            await until(lambda seen=seen: [change.new for change in host.changes[seen:]][:1] == [State.BACKOFF])
        await all_up(manager, until)
        done = len(answers)
        await until(lambda: len(answers) > done + 16)
        for task in callers:
            task.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        assert failures == []
        assert manager.status("x").in_flight == 0
        assert manager.status("x").restarts == 8


async def test_the_plugin_is_degraded_while_some_are_down_and_down_when_all_are(host, echo, until, monkeypatch):
    monkeypatch.setattr(replica.random, "random", lambda: 0.5)
    monkeypatch.setattr(restart, "FIRST_BOUND", 50.0)
    monkeypatch.setattr(restart, "BOUND_LIMIT", 50.0)
    async with host.manager(x=three(echo)) as manager:
        rpc = Rpc("llm/x", "x", manager, LLMProviderStub)
        replicas = await all_up(manager, until)
        for each in replicas[:2]:
            os.kill(each.pid, signal.SIGKILL)
        await until(lambda: [each.state for each in manager.status("x").replicas][:2] == [State.BACKOFF] * 2)
        status = manager.status("x")
        assert (status.state, status.reason) == (State.DEGRADED, "signal:9")
        assert status.next_attempt == min(each.next_attempt for each in status.replicas if each.next_attempt)
        assert (await rpc.unary("GenerateText", GenerateTextRequest(prompt="a", model="echo"), Call())).text == "a"
        os.kill(replicas[2].pid, signal.SIGKILL)
        await until(lambda: manager.state("x") is State.BACKOFF)
        with pytest.raises(CallError) as caught:
            await rpc.unary("GenerateText", GenerateTextRequest(prompt="a", model="echo"), Call())
        assert str(caught.value) == (
            f"llm_provider/x: its process ended (signal 9); next attempt in 25 s\n  Its log: {host.log('x')}"
        )


async def test_one_that_does_not_do_well_gets_calls_last(host, until, monkeypatch):
    async with host.manager(x=host.faulty("raw") | {"replicas": 2}) as manager:
        await all_up(manager, until, 2)
        first, second = manager._supervisors["x"]._current.replicas
        first.unwell("health")
        assert manager.state("x") is State.DEGRADED
        leases = [await manager.lease("x", Ticket("m")) for _ in range(17)]
        assert [lease.plugin is second.plugin for lease in leases] == [True] * 16 + [False]
        for lease in leases:
            lease.release()


async def test_a_reload_replaces_all_of_them(host, echo, until):
    async with host.manager(x=three(echo, "old")) as manager:
        rpc = Rpc("llm/x", "x", manager, LLMProviderStub)
        old = {each.pid for each in await all_up(manager, until)}
        host.write(x=three(echo, "new"))
        await manager.apply(config.load(host.file))
        for _ in range(6):
            assert (await rpc.unary("GenerateText", GenerateTextRequest(model="script"), PATIENT)).text == "new"
        await until(lambda: [each.number for each in manager.status("x").replicas] == [4, 5, 6])
        assert old.isdisjoint({each.pid for each in manager.status("x").replicas})


async def test_another_number_of_them_is_a_change(host, echo, until):
    async with host.manager(x=three(echo)) as manager:
        await all_up(manager, until)
        host.write(x=three(echo) | {"replicas": 1})
        await manager.apply(config.load(host.file))
        await until(lambda: [each.number for each in manager.status("x").replicas] == [4])


async def test_none_of_them_starts(host):
    async with host.manager(x=host.faulty("exits", code=3) | {"replicas": 2}) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
        assert (
            str(caught.value).splitlines()[0] == "llm_provider/x: its process ended (exit code 3) before it was ready"
        )
