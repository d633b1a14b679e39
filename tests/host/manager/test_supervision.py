"""Real processes that die, hang or fail to start, and what their callers and watchers see of it."""

import asyncio
import os
import re
import signal
import statistics
import time
from itertools import chain, repeat

import grpc
import psutil
import pytest

from hector.plugin.v1.embedder_pb2 import EmbedTextRequest
from hector.plugin.v1.embedder_pb2_grpc import EmbedderProviderStub
from hector.plugin.v1.llm_pb2 import GenerateTextRequest, ListModelsRequest, StreamTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector.plugin.v1.tool_pb2 import ExecuteToolRequest
from hector.plugin.v1.tool_pb2_grpc import ToolProviderStub
from hector_host.errors import CallError, NotFoundError, PluginError, StartError
from hector_host.manager import State, health, replica, restart
from hector_host.manager.lease import Ticket
from hector_host.providers.call import Call
from hector_host.providers.rpc import Rpc

PATIENT = Call(patience=20)
NEVER = 3600.0


@pytest.fixture
def at_once(monkeypatch):
    """Whoever died is started again without delay."""
    monkeypatch.setattr(replica.random, "random", lambda: 0.0)


@pytest.fixture
def late(monkeypatch):
    """Whoever died is started again after 25 s."""
    monkeypatch.setattr(replica.random, "random", lambda: 0.5)
    monkeypatch.setattr(restart, "FIRST_BOUND", 50.0)
    monkeypatch.setattr(restart, "BOUND_LIMIT", 50.0)


@pytest.fixture
def quick(monkeypatch):
    """Health is looked after many times a second."""
    monkeypatch.setattr(health, "INTERVAL", 0.05)
    monkeypatch.setattr(health, "RECHECK", 0.05)
    monkeypatch.setattr(health, "TIMEOUT", 0.3)


class Caller:
    """Calls the plugin `x`."""

    def __init__(self, manager):
        self.manager = manager
        self.rpc = Rpc("llm/x", "x", manager, LLMProviderStub)

    async def say(self, text="hi", call=PATIENT, model="echo"):
        return (await self.rpc.unary("GenerateText", GenerateTextRequest(prompt=text, model=model), call)).text

    async def models(self, call=PATIENT):
        return await self.rpc.unary("ListModels", ListModelsRequest(), call)

    async def fails(self, call, error=CallError):
        with pytest.raises(error) as caught:
            await self.say(call=call)
        return caught.value

    @property
    def status(self):
        return self.manager.status("x")

    @property
    def pid(self):
        return self.status.replicas[0].pid

    @property
    def idle(self):
        return (self.status.in_flight, self.status.queued) == (0, 0)


async def kill(caller, number=signal.SIGKILL):
    """After the pause from which on a process is looked at before it gets a call.

    A process that was killed is dead when this returns, and the host has not had the time to hear of it.
    """
    await asyncio.sleep(replica.QUIET)
    process = psutil.Process(caller.pid)
    process.send_signal(number)
    while number == signal.SIGKILL and process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        pass


def asked(host, rpc):
    """How often the plugin got that call."""
    file = host.data("x") / "calls"
    return [line.split()[0] for line in file.read_text().splitlines()].count(rpc) if file.exists() else 0


async def test_who_dies_is_started_again_and_calls_that_may_wait_do(host, echo, until):
    async with host.manager(x={"path": str(echo)}) as manager:
        caller = Caller(manager)
        assert await caller.say("one") == "one"
        pids = [caller.pid]
        for text in ("two", "three"):
            await kill(caller)
            assert await caller.say(text) == text
            pids.append(caller.pid)
        assert len(set(pids)) == 3
        status = caller.status
        assert (status.state, status.restarts, status.next_attempt) == (State.READY, 2, None)
        assert (status.in_flight, status.queued, status.failures) == (0, 0, 0)
        assert status.calls == 3
    life = ["ready: healthy", "backoff: signal:9", "starting: next attempt"]
    assert host.states == [
        "starting: needed",
        *life * 2,
        "ready: healthy",
        "draining: stopped by the host",
        "stopped: stopped by the host",
    ]
    assert [change.old for change in host.changes[1:]] == [change.new for change in host.changes[:-1]]
    assert {(change.name, change.replica) for change in host.changes} == {("x", 1)}


async def test_calls_to_a_plugin_that_is_down_fail_at_once_and_say_when_it_comes_back(host, echo, until, late):
    async with host.manager(x={"path": str(echo)}) as manager:
        caller = Caller(manager)
        await caller.say()
        await kill(caller)
        await until(lambda: manager.state("x") is State.BACKOFF)
        text = f"llm_provider/x: its process ended (signal 9); next attempt in 25 s\n  Its log: {host.log('x')}"
        error = await caller.fails(Call())
        assert str(error) == text
        assert (error.code, error.retryable) == (grpc.StatusCode.UNAVAILABLE, True)
        assert str(await caller.fails(Call(patience=5))) == text  # 5 s would not help
        with pytest.raises(CallError) as caught:
            await manager.ready("x", patience=5)
        assert str(caught.value) == text
        assert abs(caller.status.next_attempt - time.time() - 25) < 5
        assert caller.pid == 0
        assert caller.idle
        times = []
        for _ in range(101):
            begun = time.perf_counter()
            await caller.fails(Call())
            times.append(time.perf_counter() - begun)
        assert statistics.median(times) < 0.005


async def test_a_call_while_it_is_started_again_is_told_that(host, until, late, monkeypatch):
    async with host.manager(x=host.faulty("raw", health=["SERVING"])) as manager:
        caller = Caller(manager)
        await caller.say()
        monkeypatch.setattr(restart, "FIRST_BOUND", 0.0)
        await kill(caller)
        await until(lambda: manager.state("x") is not State.READY)
        await until(lambda: manager.state("x") is State.STARTING)
        error = await caller.fails(Call())
        assert str(error) == (
            f"llm_provider/x: its process ended (signal 9); it is being started again\n  Its log: {host.log('x')}"
        )
        assert error.retryable
        assert await caller.say()


async def test_who_ends_with_one_command_promises_no_next_attempt_and_says_all_of_the_last(
    host, until, late, monkeypatch
):
    chances = chain([0.0], repeat(0.5))  # the second start comes at once, and the third late
    monkeypatch.setattr(replica.random, "random", lambda: next(chances))
    async with host.over(host.write(x=host.faulty("exits", code=3, stderr="boom\n")), lasting=False) as manager:
        manager.start(["x"])
        await until(lambda: manager.status("x").restarts == 1 and manager.state("x") is State.BACKOFF)
        error = await Caller(manager).fails(Call(), StartError)
        assert manager.status("x").next_attempt is not None
        assert str(error) == (
            "llm_provider/x: its process ended (exit code 3) before it was ready\n"
            f"  last log lines:\n    boom\n  Its log: {host.log('x')}"
        )


async def test_a_crash_loop_at_the_start_ends(host, until, at_once):
    plugin = host.faulty("exits", code=3, stderr="boom\n")
    async with host.manager(x=plugin | {"restart": {"max_deaths": 2}}) as manager:
        manager.start(["x"])
        await until(lambda: manager.state("x") is State.FAILED)
        caller = Caller(manager)
        error = await caller.fails(PATIENT, StartError)
        assert str(error) == (
            "llm_provider/x: its process ended (exit code 3) before it was ready; next attempt in 30 s\n"
            f"  Its log: {host.log('x')}"
        )
        times = []
        for _ in range(51):
            begun = time.perf_counter()
            await caller.fails(PATIENT, StartError)
            times.append(time.perf_counter() - begun)
        assert statistics.median(times) < 0.005
    assert host.states == [
        "starting: needed",
        "backoff: exit:3",
        "starting: next attempt",
        "backoff: exit:3",
        "starting: next attempt",
        "failed: exit:3",
    ]


async def test_a_crash_with_every_call_ends_too(host, echo, until, at_once):
    async with host.manager(x={"path": str(echo), "restart": {"max_deaths": 3}}) as manager:
        caller = Caller(manager)
        for _ in range(3):
            await caller.say()
            await kill(caller)
        await caller.say()
        await kill(caller)
        await until(lambda: manager.state("x") is State.FAILED)
        error = await caller.fails(PATIENT)
        assert str(error) == (
            f"llm_provider/x: its process ended (signal 9); next attempt in 30 s\n  Its log: {host.log('x')}"
        )
        assert error.retryable


async def test_who_was_given_up_is_tried_once_more_later(host, echo, until, at_once, monkeypatch):
    monkeypatch.setattr(restart, "FIRST_RETRY", 0.3)
    program = host.folder / "plugin"
    program.write_text("#!/bin/sh\nexit 4\n")
    program.chmod(0o755)
    async with host.manager(x={"path": "./plugin", "restart": {"max_deaths": 0}}) as manager:
        manager.start(["x"])
        await until(lambda: host.states.count("failed: exit:4") == 2)
        program.unlink()
        program.symlink_to(echo)
        caller = Caller(manager)
        assert await caller.say("mended") == "mended"
    tried = ["failed: exit:4", "starting: next attempt"]
    assert host.states[1:5] == tried * 2


async def test_a_cause_that_stays_fails_at_once_and_for_good(host, until):
    async with host.manager(x={"path": "./gone"}) as manager:
        caller = Caller(manager)
        texts = {str(await caller.fails(call, StartError)) for call in (PATIENT, Call(), PATIENT)}
        (text,) = texts
        assert text == (
            f"llm_provider/x: there is nothing at {host.folder}/gone\n"
            "  hector.yaml:5: plugins.llm_providers.x.path names it: build the plugin, or mend the path."
        )
        assert (caller.status.state, caller.status.reason) == (State.FAILED, "exec")
        assert caller.status.next_attempt is None
    assert host.states == ["starting: needed", "failed: exec"]


async def test_an_exit_without_an_error_is_a_death(host, until):
    async with host.manager(x=host.faulty("exits", code=0)) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
        assert str(caught.value) == (
            "llm_provider/x: its process ended (exit code 0) before it was ready\n"
            f"  it logged nothing\n  Its log: {host.log('x')}"
        )
    assert host.states[:2] == ["starting: needed", "backoff: exit:0"]


async def test_who_says_that_it_does_not_serve_is_degraded_until_it_does(host, until, quick):
    statuses = ["SERVING", "SERVING", "NOT_SERVING", "NOT_SERVING", "SERVING"]
    async with host.manager(x=host.faulty("raw", health=statuses)) as manager:
        caller = Caller(manager)
        await caller.say()
        await until(lambda: manager.state("x") is State.DEGRADED)
        assert await caller.say()  # it takes calls nevertheless
        await until(lambda: manager.state("x") is State.READY)
    assert host.states[:4] == ["starting: needed", "ready: healthy", "degraded: health", "ready: healthy"]


@pytest.mark.parametrize("busy", [False, True])
async def test_who_is_stopped_is_noticed_killed_and_replaced(host, echo, until, quick, busy):
    async with host.manager(x={"path": str(echo), "config": {"replies": [{"text": "x", "delay": NEVER}]}}) as manager:
        caller = Caller(manager)
        await caller.say()
        hangs = asyncio.create_task(caller.say(model="script")) if busy else None
        await until(lambda: caller.status.in_flight == busy)
        pid = caller.pid
        await kill(caller, signal.SIGSTOP)
        await until(lambda: host.states[-1].startswith("backoff"))
        assert await caller.say("again") == "again"
        assert caller.pid != pid
        if hangs is not None:
            with pytest.raises(CallError) as caught:
                await hangs
            assert str(caught.value) == (
                f"llm_provider/x: its process ended (signal 9), during GenerateText\n  Its log: {host.log('x')}"
            )
            assert caught.value.code is grpc.StatusCode.UNAVAILABLE
        assert caller.idle
    assert host.states[1:4] == ["ready: healthy", "degraded: health", "backoff: health"]


async def test_who_is_stopped_while_its_calls_have_a_deadline(host, echo, until, quick, monkeypatch):
    plugin = {"path": str(echo), "security": {"timeout": "100ms"}}
    async with host.manager(x=plugin) as manager:
        caller = Caller(manager)
        await caller.say()
        await kill(caller, signal.SIGSTOP)
        error = await caller.fails(PATIENT)
        assert str(error) == (
            "llm_provider/x: GenerateText did not answer within 0.1 s\n"
            f"  Give it more time with security.timeout of plugin x, or look into its log: {host.log('x')}"
        )
        await until(lambda: host.states[-1].startswith("backoff"))
        assert await caller.say("again") == "again"


async def test_who_is_stopped_is_noticed_within_fifteen_seconds(host, echo, until):
    async with host.manager(x={"path": str(echo)}) as manager:
        caller = Caller(manager)
        await caller.say()
        begun = time.monotonic()
        await kill(caller, signal.SIGSTOP)
        await until(lambda: host.states[-1].startswith("backoff"), 30)
        assert time.monotonic() - begun <= 15
        with pytest.raises(CallError) as caught:
            await caller.say(call=Call())
        first, step = str(caught.value).splitlines()
        soon = r"(next attempt in 0\.[012] s|it is being started again)"
        assert re.fullmatch(rf"llm_provider/x: did not answer its health checks; {soon}", first)
        assert step == f"  Its log: {host.log('x')}"


async def test_a_pool_exhausted_by_hanging_calls_is_recycled(host, until):
    plugin = host.faulty("provider", hang=["GenerateText"])
    limits = {"security": {"timeout": "300ms"}, "max_concurrency": 8}
    async with host.manager(x=plugin | limits) as manager:
        caller = Caller(manager)
        await caller.models()
        before = caller.pid
        await asyncio.gather(*(caller.say() for _ in range(8)), return_exceptions=True)
        await until(lambda: any(state.startswith("backoff") for state in host.states))
        assert len((await caller.models()).models) == 1
        assert caller.pid != before
        assert caller.idle
    assert host.states[1:4] in (
        ["ready: healthy", "degraded: unresponsive", "backoff: unresponsive"],
        ["ready: healthy", "backoff: unresponsive", "starting: next attempt"],
    )


async def test_a_few_hanging_calls_make_it_degraded_and_an_answer_well_again(host, until):
    plugin = host.faulty("provider", hang=["GenerateText"])
    async with host.manager(x=plugin | {"security": {"timeout": "100ms"}}) as manager:
        caller = Caller(manager)
        await caller.models()
        await asyncio.gather(*(caller.say() for _ in range(5)), return_exceptions=True)
        await until(lambda: manager.state("x") is State.DEGRADED)
        assert caller.status.reason == "unresponsive"
        await caller.models()
        await until(lambda: manager.state("x") is State.READY)
        assert caller.status.failures == 5


async def test_a_deadline_is_kept_and_the_place_is_free_again(host, until):
    plugin = host.faulty("provider", hang=["GenerateText"]) | {"security": {"timeout": "1s"}}
    async with host.manager(x=plugin) as manager:
        caller = Caller(manager)
        await caller.models()

        async def lasts():
            begun = time.monotonic()
            error = await caller.fails(PATIENT)
            assert error.code is grpc.StatusCode.DEADLINE_EXCEEDED
            return time.monotonic() - begun

        times = await asyncio.gather(*(lasts() for _ in range(3)))
        assert 1.0 <= min(times) <= 1.2
        assert caller.idle


async def test_a_tool_whose_process_dies_was_called_once_and_nobody_knows_how_far_it_came(host, until):
    plugin = {"tool_providers": {"x": host.faulty("provider", hang=["ExecuteTool"])}}
    async with host.manager(groups=False, **plugin) as manager:
        rpc = Rpc("tool/x", "x", manager, ToolProviderStub)
        task = asyncio.create_task(rpc.unary("ExecuteTool", ExecuteToolRequest(tool="t"), PATIENT))
        await until(lambda: asked(host, "ExecuteTool"))
        os.kill(manager.status("x").replicas[0].pid, signal.SIGKILL)
        with pytest.raises(CallError) as caught:
            await task
        assert str(caught.value) == (
            f"tool_provider/x: its process ended (signal 9), during ExecuteTool\n  Its log: {host.log('x')}"
        )
        assert caught.value.outcome_unknown
        await manager.ready("x", 20)
        assert asked(host, "ExecuteTool") == 1


async def test_an_embedding_whose_process_dies_is_made_by_the_next(host, until):
    plugin = {"embedder_providers": {"x": host.faulty("provider", hang=["EmbedText"])}}
    async with host.manager(groups=False, **plugin) as manager:
        rpc = Rpc("embedder/x", "x", manager, EmbedderProviderStub)
        task = asyncio.create_task(rpc.unary("EmbedText", EmbedTextRequest(text="t"), PATIENT))
        await until(lambda: asked(host, "EmbedText"))
        manager.config.plugin("x").config["hang"] = []  # the next start does not hang
        os.kill(manager.status("x").replicas[0].pid, signal.SIGKILL)
        assert list((await task).vector) == [1, 0, 0]
        assert asked(host, "EmbedText") == 2


async def test_a_stop_while_it_is_down_tells_those_who_wait(host, echo, until, late):
    async with host.manager(x={"path": str(echo)}) as manager:
        caller = Caller(manager)
        await caller.say()
        await kill(caller)
        await until(lambda: manager.state("x") is State.BACKOFF)
        waits = asyncio.create_task(caller.say(call=Call(patience=60)))
        await until(lambda: caller.status.queued)
    with pytest.raises(CallError) as caught:
        await waits
    assert str(caught.value) == "llm_provider/x: was stopped by the host"
    assert not caught.value.retryable
    assert host.states[-1] == "stopped: stopped by the host"


async def test_a_manager_that_was_left_starts_nothing(host, echo):
    async with host.manager(x={"path": str(echo)}, y={"path": str(echo)}) as manager:
        caller = Caller(manager)
        await caller.say()
    for name in ("x", "y"):
        for ask in (manager.ready, lambda name: manager.lease(name, Ticket("m"), 20), manager.reload):
            with pytest.raises(PluginError) as caught:
                await ask(name)
            assert str(caught.value) == f"llm_provider/{name}: was stopped by the host"
    assert [change.name for change in host.changes if change.new is State.STARTING] == ["x"]


async def test_calls_that_come_while_the_manager_is_left_are_told(host, echo, until):
    config = {"replies": [{"text": "slow", "delay": 0.5}]}
    async with host.manager(x={"path": str(echo), "config": config, "max_concurrency": 1}) as manager:
        caller = Caller(manager)
        slow = asyncio.create_task(caller.say(model="script"))
        await until(lambda: caller.status.in_flight)
        queued = asyncio.create_task(caller.say())
        await until(lambda: caller.status.queued)
        leaving = asyncio.create_task(manager.__aexit__(None, None, None))
        await until(lambda: host.states[-1].startswith("draining"))
        for task in (queued, asyncio.create_task(caller.say())):
            with pytest.raises(CallError) as caught:
                await task
            assert str(caught.value) == "llm_provider/x: was stopped by the host"
        assert await slow == "slow"
        await leaving


async def test_a_call_that_outlasts_the_end_of_the_manager_is_told_who_ended_it(host, echo, until):
    config = {"replies": [{"text": "slow", "delay": NEVER}]}
    tasks = []
    manager = host.manager(x={"path": str(echo), "config": config})
    manager._grace = 0.1
    async with manager:
        caller = Caller(manager)
        stream = caller.rpc.stream(
            "StreamText", StreamTextRequest(prompt="x", model="script"), PATIENT, lambda _: None, "generate"
        )
        tasks += [asyncio.create_task(caller.say(model="script")), asyncio.create_task(stream)]
        await until(lambda: caller.status.in_flight == 2)
    for task, method in zip(tasks, ("GenerateText", "StreamText"), strict=True):
        with pytest.raises(CallError) as caught:
            await task
        assert str(caught.value).splitlines()[0] in {
            f"llm_provider/x: {method}: UNAVAILABLE: its connection was closed",
            f"llm_provider/x: its process ended (signal 15), during {method}",
            f"llm_provider/x: its process ended (exit code 0), during {method}",
        }
        assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert caller.idle


async def test_more_calls_than_there_is_room_for(host, until):
    plugin = host.faulty("provider", hang=["GenerateText"]) | {"max_concurrency": 2, "max_queue": 3}
    async with host.manager(x=plugin | {"security": {"timeout": "700ms"}}) as manager:
        caller = Caller(manager)
        await caller.models()
        tasks = [asyncio.create_task(caller.say(call=Call())) for _ in range(5)]
        await until(lambda: (caller.status.in_flight, caller.status.queued) == (2, 3))
        error = await caller.fails(PATIENT)
        step = (
            "  It gets 2 calls at a time, and 3 may wait: raise max_concurrency or max_queue of plugin x, "
            "or give it replicas."
        )
        assert str(error) == f"llm_provider/x: has 3 calls waiting\n{step}"
        assert (error.code, error.retryable) == (grpc.StatusCode.RESOURCE_EXHAUSTED, True)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert caller.idle
    assert f"llm_provider/x: had no place for GenerateText within 0.7 s\n{step}" in map(str, outcomes)


async def test_a_name_that_nothing_has(host, echo):
    async with host.manager(x={"path": str(echo)}) as manager:

        async def begins(name):
            manager.start([name])

        async def looks(name):
            return manager.status(name), manager.state(name), manager.serving(name), manager.dossier(name)

        for ask in (manager.ready, lambda name: manager.lease(name, Ticket("m")), manager.reload, begins, looks):
            with pytest.raises(NotFoundError) as caught:
                await ask("z")
            assert str(caught.value) == "z: no plugin is named so\n  There are: x."
    assert host.changes == []


async def test_whoever_watches_too_slowly_loses_the_oldest(host, echo, until, monkeypatch):
    from hector_host.manager import manager as module

    monkeypatch.setattr(module, "CHANGES_KEPT", 3)
    async with host.manager(x={"path": str(echo)}) as manager:
        with manager.changes() as changes:
            caller = Caller(manager)
            await caller.say()
            await kill(caller)
            await caller.say()
            kept = [changes.get_nowait().new for _ in range(changes.qsize())]
        assert kept == [State.BACKOFF, State.STARTING, State.READY]
        await kill(caller)
        await caller.say()
        assert changes.empty()
