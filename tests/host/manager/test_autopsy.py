"""What is kept of each kind of death, read back from disk."""

import asyncio
import os
import shlex
import signal
import sys
import time

import grpc
import pytest

from hector.plugin.v1.llm_pb2 import GenerateTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector_host.errors import CallError, HectorError
from hector_host.manager import Manager, State, health, replica
from hector_host.manager.processes.memory import OomCounter
from hector_host.providers.call import Call
from hector_host.providers.rpc import Rpc

from .conftest import FAULTY


@pytest.fixture(autouse=True)
def once(monkeypatch):
    """Whoever died stays down for some seconds."""
    monkeypatch.setattr(replica.restart, "FIRST_BOUND", 100.0)
    monkeypatch.setattr(replica.restart, "BOUND_LIMIT", 100.0)
    monkeypatch.setattr(replica.random, "random", lambda: 0.5)


async def found(host, manager, until):
    """The dossier of the first death."""
    before = time.time()
    await until(lambda: manager.dossier("x"))
    dossier = manager.dossier("x")
    assert host.notices == []
    assert (dossier.plugin, dossier.kind, dossier.replica) == ("x", "llm_provider", 1)
    assert (dossier.host_pid, dossier.host_version) == (os.getpid(), "0.1.0")
    assert before - 60 < dossier.started <= dossier.died <= time.time()
    assert (dossier.restarts, dossier.deaths) == (0, 1)
    return dossier


async def test_a_process_that_was_killed_with_its_calls(host, until):
    async with host.manager(x=host.faulty("raw", describe=["LLMProvider"], delay=3600)) as manager:
        plugin = await manager.ready("x")
        rpc = Rpc("llm/x", "x", manager, LLMProviderStub)
        call = Call(run="run-1", agent="helper")
        task = asyncio.create_task(rpc.unary("GenerateText", GenerateTextRequest(), call))
        await until(lambda: manager.status("x").in_flight)
        await asyncio.sleep(0.1)
        os.kill(plugin.pid, signal.SIGKILL)
        with pytest.raises(CallError):
            await task
        dossier = await found(host, manager, until)
    assert (dossier.reason, dossier.signal, dossier.exit_code, dossier.out_of_memory) == ("signal:9", 9, None, False)
    assert dossier.words == "llm_provider/x: its process ended (signal 9)"
    assert (dossier.pid, dossier.version, dossier.state) == (plugin.pid, "7", "backoff")
    assert abs(dossier.next_attempt - dossier.died - 50) < 1
    assert dossier.command == shlex.join([sys.executable, str(FAULTY / "raw.py")])
    (interrupted,) = dossier.calls
    assert (interrupted.method, interrupted.run, interrupted.agent) == ("GenerateText", "run-1", "helper")
    assert 0.1 <= interrupted.seconds < 20


async def test_a_process_that_ended_by_itself_with_its_last_words(host, until):
    async with host.manager(x=host.faulty("raw", die=0.1)) as manager:
        manager.start(["x"])
        dossier = await found(host, manager, until)
    assert (dossier.reason, dossier.exit_code, dossier.signal) == ("exit:3", 3, None)
    assert dossier.log == ("out of luck",)
    assert (dossier.log_dropped, dossier.calls) == (0, ())


async def test_a_start_that_fails(host, until):
    async with host.manager(x=host.faulty("exits", code=4, stderr="one\n\x1b[31mtwo\n")) as manager:
        manager.start(["x"])
        dossier = await found(host, manager, until)
    assert (dossier.reason, dossier.exit_code, dossier.state) == ("exit:4", 4, "backoff")
    assert dossier.words == "llm_provider/x: its process ended (exit code 4) before it was ready"
    assert dossier.log == ("one", "\\x1b[31mtwo")
    assert dossier.version == ""
    assert dossier.pid


@pytest.mark.parametrize(
    ("plugin", "reason", "words"),
    [
        ({"path": "./gone"}, "exec", "llm_provider/x: there is nothing at {folder}/gone"),
        (
            ("says", {"timeout": "200ms"}),
            "start_timeout",
            "llm_provider/x: printed no handshake and listened on no port",
        ),
        (
            ("says", {"stdout": "hello\n1|1|unix|/tmp/x|grpc|\n"}),
            "handshake",
            'llm_provider/x: printed a line before its handshake: "hello"',
        ),
        (
            ("raw", {"describe": ["EmbedderProvider"]}),
            "kind",
            "llm_provider/x: the configuration lists it as llm_provider, its process serves embedder_provider",
        ),
        (
            ("raw", {"describe": ["LLMProvider"], "reject": {"mood": "is unknown"}}),
            "options",
            "hector.yaml:6: plugins.llm_providers.x.config.mood: is unknown",
        ),
        (
            ("raw", {"describe": ["LLMProvider"], "status": ["INTERNAL", "KeyError"]}),
            "protocol",
            "llm_provider/x: Configure failed: INTERNAL: KeyError",
        ),
    ],
)
async def test_what_never_became_ready(host, until, plugin, reason, words):
    if isinstance(plugin, tuple):
        plugin = host.faulty(plugin[0], **plugin[1])
    async with host.manager(x=plugin) as manager:
        manager.start(["x"])
        dossier = await found(host, manager, until)
        assert dossier.state == ("backoff" if reason in {"start_timeout", "protocol"} else "failed")
        assert (dossier.next_attempt is None) == (dossier.state == "failed")
    assert (dossier.reason, dossier.exit_code, dossier.signal) == (reason, None, None)
    assert dossier.words.startswith(words.format(folder=host.folder))


async def test_what_no_longer_answers(host, until, monkeypatch):
    monkeypatch.setattr(health, "INTERVAL", 0.02)
    monkeypatch.setattr(health, "RECHECK", 0.02)
    monkeypatch.setattr(health, "TIMEOUT", 0.2)
    async with host.manager(x=host.faulty("raw", health=["SERVING"])) as manager:
        plugin = await manager.ready("x")
        os.kill(plugin.pid, signal.SIGSTOP)
        dossier = await found(host, manager, until)
    assert (dossier.reason, dossier.exit_code, dossier.signal) == ("health", None, None)
    assert dossier.words == "llm_provider/x: did not answer its health checks"
    assert dossier.pid == plugin.pid


async def test_what_the_kernel_killed_for_want_of_memory(host, until, monkeypatch):
    kills = [0]
    monkeypatch.setattr(OomCounter, "read", lambda _: kills[0])
    async with host.manager(x=host.faulty("raw")) as manager:
        plugin = await manager.ready("x")
        kills[0] += 1
        os.kill(plugin.pid, signal.SIGKILL)
        dossier = await found(host, manager, until)
        with pytest.raises(HectorError) as caught:
            await manager.ready("x")
    assert (dossier.reason, dossier.signal, dossier.out_of_memory) == ("oom", 9, True)
    words = "llm_provider/x: its process ended (signal 9): the system killed it for want of memory"
    assert dossier.words == words
    assert str(caught.value) == f"{words}; next attempt in 50 s\n  Its log: {host.log('x')}"
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert host.states[2] == "backoff: oom"


async def test_secrets_are_not_in_it(host, until):
    host.file.write_text(
        "version: '1'\n"
        "plugins:\n"
        "  llm_providers:\n"
        "    x:\n"
        f"      command: [{sys.executable}, -c, 'import os, sys; sys.exit(os.environ[\"TOKEN\"])', '${{TOKEN}}']\n"
    )
    (host.folder / ".env").write_text("TOKEN=sesame's-street\n")
    async with host.over(host.file) as manager:
        manager.start(["x"])
        dossier = await found(host, manager, until)
    assert "sesame" not in repr(dossier)
    assert dossier.log == ("${TOKEN}",)
    assert dossier.command.endswith("'${TOKEN}'")


async def test_it_outlives_its_host_and_a_stop_makes_none(host, until):
    async with host.manager(x=host.faulty("raw")) as manager:
        os.kill((await manager.ready("x")).pid, signal.SIGKILL)
        first = await found(host, manager, until)
    async with host.over(host.file) as manager:
        assert manager.dossier("x") == first
        await manager.ready("x")
    assert manager.dossier("x") == first
    assert isinstance(manager, Manager)
    assert host.changes[-1].new is State.STOPPED
