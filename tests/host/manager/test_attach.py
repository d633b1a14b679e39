"""A plugin whose calls go to a process that somebody else runs: stopped at will, ended, started again, and left."""

import asyncio
import os
import shutil
import signal
from contextlib import asynccontextmanager, suppress

import far
import grpc
import psutil
import pytest

from hector.plugin.v1 import plugin_pb2
from hector.plugin.v1.llm_pb2 import GenerateTextRequest, StreamTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector_host import config
from hector_host.errors import CallError, ConfigError, NotFoundError, PluginError, StartError
from hector_host.manager import State, health, replacement
from hector_host.manager.attachment import TIMEOUT, Attachment
from hector_host.manager.launch.lock import DirectoryLock
from hector_host.providers.call import Call
from hector_host.providers.rpc import Rpc


@pytest.fixture
def servers():
    serving = far.Servers()
    yield serving
    serving.close()


def own(echo, **more):
    """A plugin whose own process answers "own"."""
    return {"path": str(echo), "config": {"replies": ["own"]}, **more}


@asynccontextmanager
async def by_hand(echo, address):
    """The same program, listening there: started as a person would."""
    process = await asyncio.create_subprocess_exec(echo, "--listen", address, stdout=asyncio.subprocess.PIPE)
    try:
        await process.stdout.readline()
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def ask(manager, name="x", patience=20.0, model="script"):
    rpc = Rpc(f"llm/{name}", name, manager, LLMProviderStub)
    return (
        await rpc.unary("GenerateText", GenerateTextRequest(prompt="hi", model=model), Call(patience=patience))
    ).text


async def refused(attempt, error=StartError):
    with pytest.raises(error) as caught:
        await attempt
    assert type(caught.value) is error
    return str(caught.value)


async def test_the_process_gets_the_options_the_name_and_the_data_directory(host, echo, servers):
    servicer, port = servers.plugin()
    async with host.manager(x=own(echo)) as manager:
        assert await ask(manager) == "own"
        await manager.attach("x", f"127.0.0.1:{port}")
        assert await ask(manager) == "far"
        assert servicer.configured == [("x", {"replies": ["own"]}, str(host.data("x")))]
        status = manager.status("x")
        assert (status.attached, status.source, status.state) == (f"127.0.0.1:{port}", "path", State.READY)
        await manager.detach("x")
        assert (await ask(manager), manager.status("x").attached) == ("own", "")


async def test_a_process_on_another_machine_gets_no_data_directory():
    near = ["127.0.0.1:1", "localhost:1", "[::1]:1", "unix:/s", "dns:///localhost:1", "127.9.9.9:1"]
    assert [Attachment(each, owner=True).guarded for each in near] == [True] * len(near)
    elsewhere = ["10.0.0.1:1", "debugger:1", "dns:///debugger:1", "[fe80::1]:1"]
    assert [Attachment(each, owner=True).guarded for each in elsewhere] == [False] * len(elsewhere)
    assert not Attachment("127.0.0.1:1", owner=False).guarded


async def test_a_process_that_stands_still_is_waited_for(host, echo, until, monkeypatch):
    misses = []
    tell = health.Health._tell
    monkeypatch.setattr(health.Health, "_tell", lambda self, unwell: (misses.append(unwell), tell(self, unwell)))
    for name in ("INTERVAL", "RECHECK", "TIMEOUT"):
        monkeypatch.setattr(health, name, 0.05)
    address = f"127.0.0.1:{far.free_port()}"
    async with host.manager(x=own(echo, security={"timeout": "100ms"})) as manager, by_hand(echo, address) as process:
        await manager.ready("x")
        await manager.attach("x", address)
        number = manager.status("x").replicas[-1].number
        os.kill(process.pid, signal.SIGSTOP)
        await until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        call = asyncio.create_task(ask(manager))
        await until(lambda: manager.state("x") is State.DEGRADED)
        seen = len(host.changes)
        # Longer than any other plugin is given, and than a call of its own process may take.
        await until(lambda: misses.count("health") > 3 * health.MISSES)
        assert (manager.state("x"), call.done(), host.changes[seen:]) == (State.DEGRADED, False, [])
        os.kill(process.pid, signal.SIGCONT)
        assert await call == "own"
        await until(lambda: manager.state("x") is State.READY)
        assert manager.status("x").replicas[-1].number == number
        plugin = await manager.ready("x")
        assert plugin.timeout == TIMEOUT


async def test_calls_fail_with_the_way_back_until_it_is_there_again(host, echo, until):
    address = f"127.0.0.1:{far.free_port()}"
    back = "  Start it there again, or route the calls back: hector plugin detach x"
    async with host.manager(x=own(echo)) as manager:
        await manager.ready("x")
        async with by_hand(echo, address):
            await manager.attach("x", address)
            assert await ask(manager) == "own"
        await until(lambda: manager.state("x") is State.BACKOFF)
        lost = await refused(ask(manager, patience=0), CallError)
        assert lost.startswith(f"llm_provider/x: is attached to {address}")
        assert lost.endswith(f"\n{back}")
        await until(lambda: manager.status("x").restarts > 0 and manager.state("x") is State.BACKOFF)
        gone = await refused(ask(manager, patience=0), CallError)
        first, last = gone.splitlines()
        assert first.startswith(
            f"llm_provider/x: is attached to {address}: nobody listens at {address}; next attempt in "
        )
        assert last == back
        async with by_hand(echo, address):
            assert await ask(manager) == "own"  # waited for: the next attempt is near
            assert all(change.reason != "exec" for change in host.changes)
            assert [replica.pid for replica in manager.status("x").replicas] == [0]
        assert manager.dossier("x") is None


async def test_a_call_whose_process_goes_says_where_it_went(host, echo, until):
    address = f"127.0.0.1:{far.free_port()}"
    late = own(echo, config={"replies": [{"text": "late", "delay": 60}]})
    async with host.manager(x=late) as manager, by_hand(echo, address) as process:
        await manager.ready("x")
        await manager.attach("x", address)
        rpc = Rpc("llm/x", "x", manager, LLMProviderStub)
        request = StreamTextRequest(prompt="hi", model="script")
        stream = asyncio.create_task(rpc.stream("StreamText", request, Call(), lambda _: None, ""))
        await until(lambda: manager.status("x").in_flight)
        process.kill()
        said = await refused(stream, CallError)
    assert said == (
        f"llm_provider/x: is attached to {address}, and the connection was lost, during StreamText\n"
        "  Start it there again, or route the calls back: hector plugin detach x"
    )


async def test_who_cannot_take_its_place_is_refused_and_the_old_one_goes_on(host, echo, servers):
    class Picky(far.FarPlugin):
        def Configure(self, request, context):  # noqa: N802
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "replies: not these")

    class Other(far.FarPlugin):
        def Describe(self, request, context):  # noqa: N802
            return plugin_pb2.DescribeResponse(services=["hector.plugin.v1.ToolProvider"])

    picky, other = (f"127.0.0.1:{servers.plugin(servicer=each())[1]}" for each in (Picky, Other))
    nobody = f"127.0.0.1:{far.free_port()}"
    async with host.manager(x=own(echo)) as manager:
        pid = (await manager.ready("x")).pid
        assert await refused(manager.attach("x", nobody)) == (
            f"llm_provider/x: nobody listens at {nobody}\n  Start llm_provider x there, or name another address."
        )
        assert await refused(manager.attach("x", other)) == (
            "llm_provider/x: the configuration lists it as llm_provider, its process serves tool_provider\n"
            "  Start llm_provider x there, or name another address."
        )
        assert await refused(manager.attach("x", picky), ConfigError) == (
            "hector.yaml:6: plugins.llm_providers.x.config: replies: not these\n"
            "  llm_provider/x says so of its options."
        )
        assert await refused(manager.attach("y", nobody), NotFoundError) == (
            "y: no plugin is named so\n  There are: x."
        )
        assert await refused(manager.detach("x"), PluginError) == (
            "llm_provider/x: is not attached\n  Its calls go where the configuration says."
        )
        assert (await ask(manager), manager.status("x").attached) == ("own", "")
        assert [replica.pid for replica in manager.status("x").replicas] == [pid]


async def test_another_address_a_reload_and_a_plugin_that_was_never_started(host, echo, servers, until):
    (first, one), (second, two) = servers.plugin(), servers.plugin()
    async with host.manager(x=own(echo)) as manager:
        await manager.attach("x", f"127.0.0.1:{one}")
        assert (await ask(manager), len(first.configured)) == ("far", 1)
        await manager.attach("x", f"127.0.0.1:{two}")
        assert (await ask(manager), len(second.configured)) == ("far", 1)
        await manager.reload("x")  # introduced once more
        assert (await ask(manager), len(second.configured)) == ("far", 2)
        assert manager.status("x").attached == f"127.0.0.1:{two}"
        await manager.detach("x")
        assert await ask(manager) == "own"
        await until(lambda: len(manager.status("x").replicas) == 1)


async def test_a_changed_configuration_waits_for_the_way_back(host, echo, servers):
    servicer, port = servers.plugin()
    async with host.manager(x=own(echo)) as manager:
        await manager.ready("x")
        await manager.attach("x", f"127.0.0.1:{port}")
        changed = own(echo) | {"config": {"replies": ["newest"]}}
        changes = await manager.apply(config.load(host.write(x=changed)))
        assert (changes.changed, changes.failed) == (("x",), {})
        assert await ask(manager) == "far"
        assert len(servicer.configured) == 1
        assert host.notices == [f"plugin x: stays attached to 127.0.0.1:{port}: its changes count once it is not"]
        await manager.detach("x")
        assert await ask(manager) == "newest"


async def test_a_way_back_that_fails_stays_attached(host, echo, servers):
    _, port = servers.plugin()
    program = host.folder / "program"
    shutil.copy(echo, program)
    async with host.manager(x=own(program)) as manager:
        await manager.ready("x")
        await manager.attach("x", f"127.0.0.1:{port}")
        broken = host.folder / "broken"
        broken.write_text("#!/bin/sh\nexit 3\n")
        broken.chmod(0o755)
        broken.replace(program)
        said = await refused(manager.detach("x"))
        assert said.startswith("llm_provider/x: its process ended (exit code 3) before it was ready")
        assert (await ask(manager), manager.status("x").attached) == ("far", f"127.0.0.1:{port}")


@pytest.fixture
def owner(host, echo):
    """A plugin that owns its data directory, and answers "own"."""
    folder = host.folder / "owner"
    folder.mkdir()
    shutil.copy(echo, folder / "echo")
    (folder / "plugin.yaml").write_text(
        "plugin: {name: owner, version: '1', kinds: [llm_provider], command: [./echo], exclusive: true}\n"
    )
    return {"path": str(folder), "config": {"replies": ["own"]}}


async def test_a_data_directory_is_handed_over_and_back_while_calls_wait(host, owner, servers, until):
    address = f"127.0.0.1:{far.free_port()}"
    async with host.manager(x=owner) as manager:
        await manager.ready("x")
        assert manager.status("x").exclusive
        attaching = asyncio.create_task(manager.attach("x", address))
        await until(lambda: manager.state("x") is State.STARTING)
        lock = DirectoryLock(host.data("x"))  # as the process would have it that is started now
        await lock.wait(20)
        waiting = asyncio.create_task(ask(manager))
        servicer, _ = servers.plugin(address)
        await attaching
        assert await waiting == "far"
        assert servicer.configured[-1][2] == str(manager.status("x").data)
        detaching = asyncio.create_task(manager.detach("x"))
        waiting = asyncio.create_task(ask(manager))
        await until(lambda: manager.status("x").queued == 1)
        assert not detaching.done()
        lock.release()
        servers.newest.stop(0)
        await detaching
        assert await waiting == "own"


async def test_a_data_directory_that_nobody_takes_or_gives_back(host, owner, servers, monkeypatch):
    monkeypatch.setattr(replacement, "HANDOVER", 0.3)
    nobody = f"127.0.0.1:{far.free_port()}"
    async with host.manager(x=owner) as manager:
        await manager.ready("x")
        assert (await refused(manager.attach("x", nobody))).startswith(f"llm_provider/x: nobody listens at {nobody}\n")
        assert await ask(manager) == "own"
        _, port = servers.plugin()
        await manager.attach("x", f"127.0.0.1:{port}")
        assert await refused(manager.detach("x")) == (
            f"llm_provider/x: the process at 127.0.0.1:{port} still has its data directory {host.data('x')}\n"
            "  One process at a time may use it: end that one, and try again."
        )
        assert await ask(manager) == "far"
