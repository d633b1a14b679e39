"""Plugins that are replaced while they run: no call is lost, whatever the replacement is like."""

import asyncio
import os
import shutil
import signal

import pytest

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, StreamTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector_host import config
from hector_host.errors import CallError, ConfigError, PluginError, StartError
from hector_host.manager import State, instance, smoke
from hector_host.providers.call import Call
from hector_host.providers.rpc import Rpc

PATIENT = Call(patience=20)
NEVER = 3600.0


def says(echo, *texts, delay=0.0, **more):
    """A plugin whose model `script` answers so."""
    return {"path": str(echo), "config": {"replies": [{"text": text, "delay": delay} for text in texts]}, **more}


class Caller:
    """Calls the plugin `x`, and keeps what goes wrong."""

    def __init__(self, manager, name="x"):
        self.manager = manager
        self.name = name
        self.rpc = Rpc(f"llm/{name}", name, manager, LLMProviderStub)
        self.failed = []
        self.answers = []
        self._busy = []

    async def say(self, call=PATIENT):
        return (await self.rpc.unary("GenerateText", GenerateTextRequest(model="script"), call)).text

    async def stream(self):
        pieces = []
        request = StreamTextRequest(model="script")
        await self.rpc.stream("StreamText", request, PATIENT, lambda piece: pieces.append(piece.text), "")
        return "".join(pieces)

    async def __aenter__(self):
        """32 callers, half of them with streams, until it is left."""
        self._busy = [asyncio.create_task(self._call(self.say if n % 2 else self.stream)) for n in range(32)]
        return self

    async def __aexit__(self, *_):
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _call(self, ask):
        while True:
            try:
                self.answers.append(await ask())
            except PluginError as error:
                self.failed.append(error)
            await asyncio.sleep(0.005)

    @property
    def status(self):
        return self.manager.status(self.name)

    @property
    def pids(self):
        return [replica.pid for replica in self.status.replicas if replica.pid]

    @property
    def idle(self):
        return (self.status.in_flight, self.status.queued) == (0, 0)


async def refused(manager, error=StartError):
    with pytest.raises(error) as caught:
        await manager.reload("x")
    return str(caught.value)


async def test_a_hundred_reloads_lose_no_call(host, echo, until):
    async with host.manager(x=says(echo, "one two three", delay=0.02, max_queue=1000)) as manager:
        caller = Caller(manager)
        await caller.say()
        async with caller:
            await until(lambda: len(caller.answers) > 32)
            for _ in range(100):
                await manager.reload("x")
            done = len(caller.answers)
            await until(lambda: len(caller.answers) > done + 32)
        await until(lambda: len(caller.pids) == 1)
        assert caller.failed == []
        assert set(caller.answers) == {"one two three"}
        assert caller.idle
        assert caller.status.replicas[0].number == 101
    assert sum(change.new is State.READY for change in host.changes) == 101
    assert sum(change.new is State.STOPPED for change in host.changes) == 101
    drained = [change.reason for change in host.changes if change.new is State.DRAINING]
    assert drained == ["replaced"] * 100 + ["stopped by the host"]


async def test_twenty_reloads_to_a_broken_build_lose_no_call_and_are_told(host, echo, until):
    folder = host.folder / "plugin"
    folder.mkdir()
    shutil.copy(echo, folder / "echo")
    (folder / "plugin.yaml").write_text("plugin: {name: x, version: '1', kinds: [llm_provider], command: [./echo]}\n")
    broken = folder / "broken"
    broken.write_text("#!/bin/sh\necho out of luck >&2\nexit 3\n")
    broken.chmod(0o755)
    async with host.manager(x=says(folder, "one two", delay=0.02, max_queue=1000)) as manager:
        caller = Caller(manager)
        await caller.say()
        pids = caller.pids
        shutil.copy(folder / "echo", folder / "good")
        broken.replace(folder / "echo")
        async with caller:
            await until(lambda: len(caller.answers) > 32)
            reports = [await refused(manager) for _ in range(20)]
            done = len(caller.answers)
            await until(lambda: len(caller.answers) > done + 32)
        first, *logged, last = reports[0].splitlines()
        assert first == "llm_provider/x: its process ended (exit code 3) before it was ready"
        assert (logged[-1], last) == ("    out of luck", f"  Its log: {host.log('x')}")
        assert {(report.splitlines()[0], report.splitlines()[-1]) for report in reports} == {(first, last)}
        assert caller.failed == []
        assert (caller.pids, caller.status.state) == (pids, State.READY)
        (folder / "good").replace(folder / "echo")
        await manager.reload("x")
        assert await caller.say() == "one two"
        assert caller.pids != pids


async def test_a_build_without_a_service_of_the_old_one_is_refused(host, until):
    plugin = host.faulty("raw", describe=["LLMProvider", "EmbedderProvider"], serve=["LLMProvider", "EmbedderProvider"])
    async with host.manager(groups=False, x=plugin) as manager:
        old = await manager.ready("x")
        manager.config.plugin("x").config["describe"] = ["LLMProvider"]
        assert await refused(manager) == (
            "llm_provider/x: the new one does not offer what the old one offers: hector.plugin.v1.EmbedderProvider\n"
            "  Build it with that service, or stop the host to replace it by something else."
        )
        assert await manager.ready("x") is old


async def test_a_build_that_fails_its_first_call_is_refused(host, until, monkeypatch):
    async with host.manager(x=host.faulty("provider")) as manager:
        old = await manager.ready("x")
        manager.config.plugin("x").config["fail"] = {"ListModels": [["INTERNAL", "no\x07 luck"]]}
        assert await refused(manager) == (
            "llm_provider/x: the new one fails its first call: ListModels: INTERNAL: no\\x07 luck\n"
            f"  Its log: {host.log('x')}"
        )
        manager.config.plugin("x").config.update(fail={}, hang=["ListModels"])
        monkeypatch.setattr(smoke, "TIMEOUT", 0.2)
        assert (await refused(manager)).startswith(
            "llm_provider/x: the new one fails its first call: ListModels: DEADLINE_EXCEEDED"
        )
        assert await manager.ready("x") is old
    assert [change.replica for change in host.changes if change.new is State.STOPPED] == [2, 3, 1]


async def test_a_build_that_dies_of_its_first_call_is_refused(host, echo, until, monkeypatch):
    async with host.manager(x=says(echo, "one")) as manager:
        old = await manager.ready("x")

        async def deadly(plugin, _):
            os.kill(plugin.pid, signal.SIGKILL)
            await until(lambda: host.states[-1] == "backoff: signal:9")

        monkeypatch.setattr(smoke, "check", deadly)
        assert await refused(manager, PluginError) == (
            f"llm_provider/x: its process ended (signal 9)\n  Its log: {host.log('x')}"
        )
        assert await manager.ready("x") is old


async def test_old_calls_end_under_the_old_options_and_new_ones_begin_under_the_new(host, echo, until):
    async with host.manager(x=says(echo, "old", delay=0.5)) as manager:
        caller = Caller(manager)
        before = asyncio.create_task(caller.say())
        await until(lambda: caller.status.in_flight)
        host.write(x=says(echo, "new"), y=says(echo, "more"))
        changes = await manager.apply(config.load(host.file))
        assert (changes.added, changes.removed, changes.changed, changes.failed) == (("y",), (), ("x",), {})
        assert await caller.say() == "new"
        assert not before.done()
        assert await before == "old"
        assert await Caller(manager, "y").say() == "more"


async def test_no_call_sees_neither_the_old_options_nor_the_new(host, echo, until):
    async with host.manager(x=says(echo, "0", max_queue=1000)) as manager:
        caller = Caller(manager)
        await caller.say()
        async with caller:
            for number in range(1, 11):
                host.write(x=says(echo, str(number), max_queue=1000))
                await manager.apply(config.load(host.file))
                assert await caller.say() == str(number)
        assert caller.failed == []
        assert set(caller.answers) <= {str(number) for number in range(11)}


async def test_new_bounds_hold_at_once(host, echo, until):
    async with host.manager(x=says(echo, "one", delay=0.3, max_concurrency=1)) as manager:
        caller = Caller(manager)
        tasks = [asyncio.create_task(caller.say()) for _ in range(6)]
        await until(lambda: caller.status.queued == 5)
        host.write(x=says(echo, "two", delay=0.3, max_concurrency=2, max_queue=0))
        await manager.apply(config.load(host.file))
        await until(lambda: caller.status.in_flight == 3)  # one of the old, two of the new
        with pytest.raises(CallError, match="has 3 calls waiting"):
            await caller.say()
        assert sorted(await asyncio.gather(*tasks)) == ["one", *["two"] * 5]


async def test_options_that_the_new_one_rejects_leave_the_old_one(host, echo, until):
    async with host.manager(x=says(echo, "old")) as manager:
        caller = Caller(manager)
        await caller.say()
        host.write(x={"path": str(echo), "config": {"replies": [1]}})
        changes = await manager.apply(config.load(host.file))
        assert isinstance(changes.failed["x"], ConfigError)
        assert str(changes.failed["x"]) == (
            "hector.yaml:8: plugins.llm_providers.x.config.replies[0]: 1 is not a map\n"
            "  llm_provider/x says so of its options."
        )
        assert await caller.say() == "old"


async def test_a_plugin_that_is_taken_out_finishes_its_calls(host, echo, until):
    async with host.manager(x=says(echo, "bye", delay=0.3), y=says(echo, "y")) as manager:
        caller = Caller(manager)
        call = asyncio.create_task(caller.say())
        await until(lambda: caller.status.in_flight)
        host.write(y=says(echo, "y"))
        changes = await manager.apply(config.load(host.file))
        assert (changes.added, changes.removed, changes.changed) == ((), ("x",), ())
        assert await call == "bye"
        await until(lambda: host.states[-1] == "stopped: stopped by the host")
        assert [status.name for status in manager.statuses()] == ["y"]


async def test_a_reload_revives_what_was_given_up(host, echo, until):
    program = host.folder / "plugin"
    program.write_text("#!/bin/sh\nexit 4\n")
    program.chmod(0o755)
    plugin = says(echo, "revived") | {"path": "./plugin", "restart": {"max_deaths": 0}}
    async with host.manager(x=plugin) as manager:
        manager.start(["x"])
        await until(lambda: manager.state("x") is State.FAILED)
        assert (await refused(manager)).startswith(
            "llm_provider/x: its process ended (exit code 4) before it was ready"
        )
        assert manager.state("x") is State.FAILED
        program.unlink()
        program.symlink_to(echo)
        await manager.reload("x")
        assert (manager.state("x"), manager.status("x").next_attempt) == (State.READY, None)
        assert await Caller(manager).say(Call()) == "revived"


async def test_a_reload_of_what_never_ran_starts_nothing(host, echo):
    async with host.manager(x=says(echo, "x")) as manager:
        await manager.reload("x")
        assert manager.state("x") is State.DISCOVERED
    assert host.changes == []


async def test_a_reload_during_the_first_start_loses_nobody_who_waits(host, until):
    async with host.manager(x=host.faulty("raw", late=NEVER)) as manager:
        manager.start(["x"])
        waiting = [asyncio.create_task(manager.ready("x")) for _ in range(3)]
        call = asyncio.create_task(Caller(manager).say())
        await asyncio.sleep(0)
        manager.config.plugin("x").config["late"] = 0
        await manager.reload("x")
        assert {plugin.pid for plugin in await asyncio.gather(*waiting)} == set(Caller(manager).pids[-1:])
        assert await call


async def test_reloads_that_come_together_come_one_after_the_other(host, echo, until):
    async with host.manager(x=says(echo, "one")) as manager:
        caller = Caller(manager)
        await caller.say()
        await asyncio.gather(*(manager.reload("x") for _ in range(3)))
        await until(lambda: [replica.number for replica in caller.status.replicas] == [4])
    begun = [(change.new, change.replica) for change in host.changes if change.new in {State.STARTING, State.READY}]
    assert begun == [(state, number) for number in range(1, 5) for state in (State.STARTING, State.READY)]


async def test_calls_that_outlast_their_grace_are_told(host, echo, until, monkeypatch):
    monkeypatch.setattr(instance, "DRAIN_LIMIT", 0.2)
    async with host.manager(x=says(echo, "never", delay=NEVER)) as manager:
        caller = Caller(manager)
        calls = [asyncio.create_task(caller.say()), asyncio.create_task(caller.stream())]
        await until(lambda: caller.status.in_flight == 2)
        await manager.reload("x")
        for call, method in zip(calls, ("GenerateText", "StreamText"), strict=True):
            with pytest.raises(CallError) as caught:
                await call
            assert str(caught.value) == f"llm_provider/x: {method}: UNAVAILABLE: its connection was closed"
            assert caught.value.retryable
        await until(lambda: caller.idle)


@pytest.fixture
def owner(host, echo):
    """A plugin that owns its directory, with such replies."""
    folder = host.folder / "owner"
    folder.mkdir()
    shutil.copy(echo, folder / "echo")
    (folder / "plugin.yaml").write_text(
        "plugin: {name: x, version: '1', kinds: [llm_provider], command: [./echo], exclusive: true}\n"
    )

    def plugin(*texts, delay=0.0, **more):
        return says(folder, *texts, delay=delay, **more)

    return plugin


@pytest.fixture(params=[False, True], ids=["beside", "in place"])
def either(request, echo, owner):
    """A plugin that is replaced by one beside it, or by one in its place."""

    def plugin(*texts, delay=0.0):
        return owner(*texts, delay=delay) if request.param else says(echo, *texts, delay=delay)

    return plugin


def beside(host):
    """How many processes ran side by side at most."""
    running = most = 0
    for change in host.changes:
        running += (change.new is State.STARTING) - (change.new in {State.STOPPED, State.BACKOFF, State.FAILED})
        most = max(most, running)
    return most


async def test_a_plugin_that_owns_its_directory_stops_before_the_next_starts_and_calls_wait(host, owner, until):
    async with host.manager(x=owner("one", delay=0.05, max_queue=1000)) as manager:
        caller = Caller(manager)
        await caller.say()
        async with caller:
            await until(lambda: caller.answers)
            for _ in range(5):
                await manager.reload("x")
            done = len(caller.answers)
            await until(lambda: len(caller.answers) > done)
        assert caller.failed == []
        assert caller.idle
    assert beside(host) == 1
    assert [change.replica for change in host.changes if change.new is State.READY] == [1, 2, 3, 4, 5, 6]


async def test_an_owner_whose_replacement_does_not_start_comes_back(host, owner, until):
    async with host.manager(x=owner("one", delay=0.05, max_queue=1000)) as manager:
        caller = Caller(manager)
        await caller.say()
        async with caller:
            await until(lambda: caller.answers)
            host.write(x=owner("one", max_queue=1000) | {"config": {"replies": [1]}})
            changes = await manager.apply(config.load(host.file))
            assert str(changes.failed["x"]).startswith("hector.yaml:8: plugins.llm_providers.x.config.replies[0]: 1 is")
            await until(lambda: manager.state("x") is State.READY)
            done = len(caller.answers)
            await until(lambda: len(caller.answers) > done + 32)
        assert caller.failed == []
        assert caller.idle
    assert beside(host) == 1


@pytest.mark.parametrize("moment", ["begun", "starting", "smoke"])
async def test_a_reload_that_is_cancelled_leaves_the_old_one(host, either, until, monkeypatch, moment):
    checking = asyncio.Event()

    async def slow(*_):
        checking.set()
        await asyncio.Event().wait()

    if moment == "smoke":
        monkeypatch.setattr(smoke, "check", slow)
    async with host.manager(x=either("one", delay=0.3)) as manager:
        caller = Caller(manager)
        await caller.say()
        call = asyncio.create_task(caller.say())
        await until(lambda: caller.status.in_flight)
        host.changes.clear()
        reloading = asyncio.create_task(manager.reload("x"))
        if moment == "smoke":
            await checking.wait()
        elif moment == "starting":
            await until(lambda: any(change.new is State.STARTING for change in host.changes))
        else:
            await until(lambda: host.changes)
        reloading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reloading
        assert await call == "one"
        assert await caller.say() == "one"
        await until(lambda: len(caller.pids) == 1)
        assert caller.idle


@pytest.mark.parametrize("times", [1, 2])
async def test_a_reload_may_be_cancelled_at_any_step(host, either, until, times):
    """Once, and again while it takes the new one away."""
    async with host.manager(x=either("one")) as manager:
        caller = Caller(manager)
        await caller.say()
        cut = 0
        for steps in (*range(12), *range(12, 60, 6), *range(60, 300, 60)):
            reloading = asyncio.create_task(manager.reload("x"))
            for _ in range(steps):
                await asyncio.sleep(0)
            for _ in range(times):
                reloading.cancel()
                await asyncio.sleep(0)
            outcome = (await asyncio.gather(reloading, return_exceptions=True))[0]
            assert outcome is None or isinstance(outcome, asyncio.CancelledError), steps
            cut += outcome is not None
            assert await caller.say() == "one", steps
            await until(lambda: len(caller.status.replicas) == 1)
            assert caller.idle, steps
        assert cut > 10
        await manager.reload("x")
        assert await caller.say() == "one"


@pytest.mark.parametrize("moment", ["begun", "starting", "smoke"])
async def test_a_manager_that_is_left_during_reloads_leaves_nothing(host, either, until, monkeypatch, moment):
    checking = asyncio.Event()
    real = smoke.check

    async def noted(*arguments):
        checking.set()
        await asyncio.sleep(0.01)
        await real(*arguments)

    monkeypatch.setattr(smoke, "check", noted)
    async with host.manager(x=either("one")) as manager:
        await Caller(manager).say()
        reloads = [asyncio.create_task(manager.reload("x")) for _ in range(3)]
        if moment == "smoke":
            await checking.wait()
        elif moment == "starting":
            await until(lambda: len(host.changes) > 2)
        else:
            await asyncio.sleep(0)
    outcomes = await asyncio.gather(*reloads, return_exceptions=True)
    assert all(isinstance(outcome, PluginError) for outcome in outcomes), outcomes
    assert {str(outcome).splitlines()[0] for outcome in outcomes} <= {
        "llm_provider/x: was stopped by the host",
        "llm_provider/x: the new one fails its first call: Describe: it was stopped meanwhile",
        "llm_provider/x: the new one fails its first call: ListModels: it was stopped meanwhile",
    }
    tasks = [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert tasks == []


async def test_a_plugin_that_dies_while_it_drains_is_not_started_again(host, echo, until):
    async with host.manager(x=says(echo, "one", delay=NEVER)) as manager:
        caller = Caller(manager)
        await manager.ready("x")
        call = asyncio.create_task(caller.say(Call()))
        await until(lambda: caller.status.in_flight)
        (old,) = caller.pids
        await manager.reload("x")
        os.kill(old, signal.SIGKILL)
        with pytest.raises(CallError) as caught:
            await call
        assert str(caught.value) == (
            f"llm_provider/x: its process ended (signal 9), during GenerateText\n  Its log: {host.log('x')}"
        )
        await until(lambda: old not in caller.pids)
        assert [status.state for status in caller.status.replicas] == [State.READY]
    assert [change.new for change in host.changes if change.replica == 1] == [
        State.STARTING,
        State.READY,
        State.DRAINING,
        State.STOPPED,
    ]
