"""Nothing is left, however a plugin or its host ends. The fixture `host` proves it after each of these tests."""

import asyncio
import json
import os
import signal
import sys
import time

import psutil
import pytest
from grpc.aio import AioRpcError

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc
from hector_host.errors import PluginError, StartError
from hector_host.manager import State
from hector_host.manager.launch import local

RUN = """
import asyncio, sys
from pathlib import Path
from hector_host import config
from hector_host.manager import Manager

async def main():
    def say(change):
        print(change.new.value, flush=True)

    async with Manager(config.load(Path(sys.argv[1])), say) as manager:
        manager.start(["x", "y"])
        print("started", flush=True)
        await manager.ready("x")
        await manager.ready("y")
        print("all ready", flush=True)
        if sys.argv[2:] != ["leave"]:
            await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_shutdown_is_asked_for_where_it_is_served(host):
    async with host.manager(x=host.faulty("raw", shutdown="exit", deaf=True)) as manager:
        plugin = await manager.ready("x")
    assert (host.data("x") / "shutdown").exists()
    assert not psutil.pid_exists(plugin.pid)


async def test_a_plugin_that_only_answers_shutdown_is_terminated(host):
    async with host.manager(x=host.faulty("raw", shutdown="ignore")) as manager:
        plugin = await manager.ready("x")
    assert (host.data("x") / "shutdown").exists()
    assert not psutil.pid_exists(plugin.pid)


async def test_a_plugin_deaf_to_sigterm_is_killed(host):
    async with host.manager(x=host.faulty("raw", deaf=True)) as manager:
        plugin = await manager.ready("x")
    assert not psutil.pid_exists(plugin.pid)


async def test_a_plugin_deaf_to_all_requests_is_dead_within_the_time_for_them(host):
    async with host.manager(x=host.faulty("raw", shutdown="ignore", deaf=True)) as manager:
        plugin = await manager.ready("x")
        begun = time.monotonic()
    assert time.monotonic() - begun < 2 * local.STOP_PAUSE + 1
    assert (host.data("x") / "shutdown").exists()
    assert not psutil.pid_exists(plugin.pid)
    assert host.states[-2:] == ["draining: stopped by the host", "stopped: stopped by the host"]


async def test_children_and_daemons_of_a_plugin_die_with_it(host, until):
    async with host.manager(x=host.faulty("family")) as manager:
        manager.start(["x"])
        file = host.data("x") / "family"
        await until(file.exists)
        family = [int(pid) for pid in file.read_text().split()]
        assert len(family) == 3
        assert all(psutil.pid_exists(pid) for pid in family)
    assert not any(psutil.pid_exists(pid) for pid in family)
    assert host.states == ["starting: needed", "stopped: stopped by the host"]


async def test_a_stop_in_the_middle_of_a_start_tells_those_who_wait(host, until):
    async with host.manager(x=host.faulty("says", stderr="hello\n")) as manager:
        waiting = asyncio.create_task(manager.ready("x"))
        await until(lambda: host.lines)
    with pytest.raises(PluginError) as caught:
        await waiting
    assert str(caught.value) == "llm_provider/x: was stopped by the host"


async def test_a_call_in_flight_finishes(host, until):
    async with host.manager(x=host.faulty("raw", delay=0.5)) as manager:
        plugin = await manager.ready("x")
        stub = llm_pb2_grpc.LLMProviderStub(plugin.channel)
        call = asyncio.ensure_future(stub.GenerateText(llm_pb2.GenerateTextRequest(prompt="long")))
        other = await stub.GenerateText(llm_pb2.GenerateTextRequest(prompt="first"))
        assert json.loads(other.text)["prompt"] == "first"
    assert json.loads((await call).text)["prompt"] == "long"


async def test_calls_after_the_death_of_a_plugin_name_it(host, until):
    async with host.manager(x=host.faulty("raw")) as manager:
        plugin = await manager.ready("x")
        os.kill(plugin.pid, signal.SIGKILL)
        stub = llm_pb2_grpc.LLMProviderStub(plugin.channel)
        with pytest.raises(AioRpcError):
            await stub.GenerateText(llm_pb2.GenerateTextRequest(prompt="hi"))
        assert plugin.failure is not None
        assert str(plugin.failure) == f"llm_provider/x: its process ended (signal 9)\n  Its log: {host.log('x')}"
        await until(lambda: manager.state("x") is State.BACKOFF)
        assert (await manager.ready("x", patience=5)).pid != plugin.pid
    assert host.states[:4] == ["starting: needed", "ready: healthy", "backoff: signal:9", "starting: next attempt"]


async def test_what_a_dead_plugin_started_dies_at_once(host, until):
    async with host.manager(x=host.faulty("family")) as manager:
        manager.start(["x"])
        file = host.data("x") / "family"
        await until(file.exists)
        leader, *others = [int(pid) for pid in file.read_text().split()]
        os.kill(leader, signal.SIGKILL)
        await until(lambda: not any(psutil.pid_exists(pid) for pid in others))
        with pytest.raises(StartError):
            await manager.ready("x")


async def test_an_error_in_the_block_passes_and_stops_the_plugins(host):
    pids = []

    async def run():
        async with host.manager(x=host.faulty("raw")) as manager:
            pids.append((await manager.ready("x")).pid)
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match=r"^on purpose$"):
        await run()
    assert not psutil.pid_exists(pids[0])


async def test_cancellation_twice_still_leaves_nothing(host, until):
    plugins = []

    async def run():
        async with host.manager(x=host.faulty("raw", deaf=True)) as manager:
            plugins.append(await manager.ready("x"))
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await until(lambda: plugins)
    task.cancel()
    await until(lambda: host.states[-1].startswith("draining"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(plugins[0].pid)


async def test_plugins_stop_side_by_side(host):
    slow = {name: host.faulty("raw", deaf=True) for name in ("a", "b", "c", "d")}
    async with host.manager(**slow) as manager:
        manager.start(slow)
        await asyncio.gather(*(manager.ready(name) for name in slow))
        host.changes.clear()
    begun = [change for change in host.changes if change.new is State.DRAINING]
    assert host.changes[:4] == begun


async def heard(process, word):
    while (line := await process.stdout.readline()).decode().strip() != word:
        assert line, "the host ended too early"


@pytest.fixture
async def run(host):
    """Starts a host as a process of its own, with a plugin that ends at once and one that is deaf to SIGTERM."""

    async def start(*arguments):
        file = str(host.write(x=host.faulty("raw"), y=host.faulty("raw", deaf=True)).absolute())
        return await asyncio.create_subprocess_exec(sys.executable, "-c", RUN, file, *arguments, stdout=-1, stderr=-1)

    return start


@pytest.mark.parametrize("moment", ["started", "all ready"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, -2)])
async def test_a_host_that_gets_a_signal_takes_its_plugins_with_it(run, moment, number, code):
    process = await run()
    await heard(process, moment)
    process.send_signal(number)
    _, errors = await process.communicate()
    assert process.returncode == code, errors.decode()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -2)])
async def test_a_host_that_gets_another_signal_while_it_stops_leaves_nothing(run, number, code):
    process = await run()
    await heard(process, "all ready")
    process.send_signal(number)
    await heard(process, "draining")
    process.send_signal(number)
    _, errors = await process.communicate()
    assert process.returncode == code, errors.decode()


async def test_a_signal_while_the_host_ends_by_itself(run):
    process = await run("leave")
    await heard(process, "draining")
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    assert process.returncode == 143, errors.decode()
