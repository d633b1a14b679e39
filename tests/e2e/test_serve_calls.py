"""Calls of a live host: side by side, cancelled, interactive, too slow, and what the journal says of them."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import grpc.aio
import psutil
import pytest
from commandline import until

from hector.host.v1.hector_pb2 import (
    AnswerQuestionRequest,
    CallRequest,
    ExplainPluginRequest,
    ListRunsRequest,
    ReloadPluginRequest,
    WatchPluginsRequest,
)
from hector.host.v1.hector_pb2_grpc import HectorStub
from hector.host.v1.supervision_pb2 import PluginState
from hector_host.api.errors import rebuilt
from hector_host.errors import NotFoundError, StartError

from .conftest import FAULTY, PLUGINS, echo, gated, open_gate
from .serving import serving

CALLERS = 16


@pytest.fixture
def host(hector):
    hector.write(echo())
    with serving(hector) as live:
        yield live


def asking():
    """A configuration whose agent `a` asks its user for a colour and says the answer."""
    document = echo(reasoning={"engine": "plugin:asking"})
    document["plugins"]["reasoning_strategies"] = {
        "asking": {"path": str(FAULTY / "strategy.py"), "config": {"fault": "ask"}}
    }
    return document


def kinds(events):
    return [event.WhichOneof("event") for event in events]


async def failure(address, request, rpc="Call"):
    """The error that a client of the API rebuilds."""
    async with grpc.aio.insecure_channel(address) as channel:
        answer = getattr(HectorStub(channel), rpc)(request)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await (answer.read() if rpc == "Call" else answer)
    return failed.value.code(), rebuilt(failed.value)


def test_sixteen_callers_at_once(host):
    with ThreadPoolExecutor(CALLERS) as callers:
        messages = [f"message {number} of {caller}" for caller in range(CALLERS) for number in range(5)]
        assert list(callers.map(host.answer, messages)) == messages
    assert host.plugin("echo").failures == 0
    assert host.plugin("echo").in_flight == 0
    assert host.runs() == ["finished"] * 20


def test_events_are_those_of_the_run(host):
    events = host.call("Hello there", session_id="friday")
    assert kinds(events) == ["run_started", "text_delta", "text_delta", "generation_finished", "run_finished"]
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5]
    assert events[0].run_started.session_id == "friday"


def test_the_journal_tells_of_a_run(host):
    events = host.call("Hello")
    (summary,) = host.stub.ListRuns(ListRunsRequest()).runs
    assert (summary.run_id, summary.agent, summary.question) == (events[0].run_id, "a", "Hello")
    whole = host.run(summary.run_id)
    assert whole.summary == summary
    assert [part.text for part in whole.answer.parts] == ["Hello"]
    assert [(effect.iteration, effect.request.WhichOneof("effect")) for effect in whole.effects] == [(1, "generate")]
    assert [step.kind for step in whole.steps] == ["generate"]


def test_runs_are_listed_up_to_a_limit_and_by_session(host):
    for session in ("one", "two", "one"):
        host.call("Hello", session_id=session)
    listed = host.stub.ListRuns(ListRunsRequest(limit=2)).runs
    assert [run.session_id for run in listed] == ["one", "two"]
    assert len(host.stub.ListRuns(ListRunsRequest(session_id="one")).runs) == 2


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (CallRequest(agent="b", message="Hello"), "b: no agent is named so\n  There are: a."),
        (CallRequest(agent="a", message="Hello", llm="x"), "x: no llm is named so\n  There are: m."),
    ],
    ids=["agent", "llm"],
)
async def test_what_is_not_there_is_the_same_error_as_without_a_server(host, request_, words):
    code, error = await failure(host.address, request_)
    assert code is grpc.StatusCode.NOT_FOUND
    assert isinstance(error, NotFoundError)
    assert str(error) == words


async def test_an_empty_message_is_refused(host):
    code, error = await failure(host.address, CallRequest(agent="a"))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert str(error) == "message: is empty\n  A call says which agent is asked, and what."


async def test_a_plugin_that_does_not_start_is_named(hector):
    hector.write(
        {
            "plugins": {"llm_providers": {"gone": {"command": ["/bin/false"]}}},
            "llms": {"m": {"type": "plugin:gone"}},
            "agents": {"a": {"llm": "m"}},
        }
    )
    with serving(hector) as live:
        until(lambda: live.plugin("gone").state == PluginState.PLUGIN_STATE_FAILED)
        code, error = await failure(live.address, CallRequest(agent="a", message="Hello"))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert isinstance(error, StartError)
        assert error.what.startswith("llm_provider/gone: its process ended (exit code 1) before it was ready")
        explained = live.stub.ExplainPlugin(ExplainPluginRequest(plugin="gone"))
        assert (explained.crash.reason, explained.crash.exit_code) == ("exit:1", 1)
        assert explained.plugin.state == PluginState.PLUGIN_STATE_FAILED
        assert explained.plugin.HasField("next_attempt")


async def test_a_run_that_is_not_there_is_told(host):
    code, error = await failure(host.address, AnswerQuestionRequest(run_id="x", effect_id="e"), "AnswerQuestion")
    assert code is grpc.StatusCode.NOT_FOUND
    assert str(error) == "run 'x': waits for no answer to 'e'\n  It has its answer, or has ended."


def test_a_cancelled_call_cancels_its_run(hector):
    hector.write(gated())
    with serving(hector) as live:
        call = live.begin("Hello")
        run = next(call).run_id
        next(call)
        assert live.runs() == ["running"]
        call.cancel()
        until(lambda: live.runs() == ["cancelled"])
        assert live.run(run).summary.HasField("finished")
        until(lambda: live.plugin("gated").in_flight == 0)
        open_gate(hector)
        assert live.answer("Hello") == "one two three"


def test_a_client_that_is_killed_cancels_its_run(hector):
    hector.write(gated())
    client = (
        "import sys, grpc\n"
        "from hector.host.v1.hector_pb2 import CallRequest\n"
        "from hector.host.v1.hector_pb2_grpc import HectorStub\n"
        "for event in HectorStub(grpc.insecure_channel(sys.argv[1])).Call(CallRequest(agent='a', message='Hello')):\n"
        "    print(event.WhichOneof('event'), flush=True)\n"
    )
    with serving(hector) as live:
        with subprocess.Popen([sys.executable, "-c", client, live.address], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"run_started\n"
            process.kill()
        until(lambda: live.runs() == ["cancelled"])


def test_cancelled_calls_leave_nothing_behind(hector):
    hector.write(gated())
    with serving(hector) as live:
        process = psutil.Process(live.command.pid)
        first = live.begin("Hello")
        next(first)
        before = (process.num_fds(), process.num_threads())
        for _ in range(20):
            call = live.begin("Hello")
            next(call)
            call.cancel()
        until(lambda: live.runs() == ["cancelled"] * 20)
        assert live.plugin("gated").in_flight == 1
        assert process.num_fds() <= before[0] + 1
        assert process.num_threads() <= before[1] + 2
        first.cancel()


def test_who_reads_too_slowly_loses_the_run_and_the_host_keeps_its_memory(hector):
    pieces = {"count": 4000, "size": 16 << 10}
    hector.write(
        {
            "plugins": {"llm_providers": {"talker": {"path": str(PLUGINS / "talker.py"), "config": pieces}}},
            "llms": {"m": {"type": "plugin:talker"}},
            "agents": {"a": {"llm": "m", "tools": []}},
        }
    )
    with serving(hector) as live:
        live.until_ready("talker")
        call = live.begin("Hello")
        run = next(call).run_id
        until(lambda: live.runs() == ["cancelled"])
        assert psutil.Process(live.command.pid).memory_info().rss < 250 << 20
        with pytest.raises(grpc.RpcError) as slow:
            list(call)
        assert slow.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert slow.value.details() == (
            f"run {run}: cancelled: its events were read too slowly, and too many of them waited"
        )


def test_an_interactive_caller_answers_the_question_of_a_run(hector):
    hector.write(asking())
    with serving(hector) as live:
        call = live.begin("Hello", interactive=True)
        events = [next(call)]
        while events[-1].WhichOneof("event") != "question":
            events.append(next(call))
        asked = events[-1]
        answer = AnswerQuestionRequest(run_id=asked.run_id, effect_id=asked.question.effect_id, answer="Pears")
        live.stub.AnswerQuestion(answer)
        events += call
        assert "Pears" in events[-1].run_finished.answer
        with pytest.raises(grpc.RpcError) as late:
            live.stub.AnswerQuestion(answer)
        assert late.value.code() is grpc.StatusCode.NOT_FOUND


def test_without_somebody_to_answer_a_question_fails_the_run(hector):
    hector.write(asking())
    with serving(hector) as live:
        failed = live.call("Hello")[-1].run_failed
    assert failed.kind == "RunError"
    assert failed.error.startswith("the agent asks, and nobody is there to answer: ")


def test_a_request_that_is_too_large_is_refused(host):
    with pytest.raises(grpc.RpcError) as refused:
        host.call("x" * (9 << 20))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert host.answer("Hello") == "Hello"


def test_watching_begins_with_all_plugins_and_tells_each_change(host):
    host.until_ready("echo")
    watching = host.stub.WatchPlugins(WatchPluginsRequest(), timeout=30)
    first = next(watching)
    assert ([plugin.name for plugin in first.plugins], len(first.changes)) == (["echo"], 0)
    process = first.plugins[0].replicas[0].pid
    assert first.plugins[0].resources.memory > 1 << 20
    psutil.Process(process).kill()
    changes = []
    while not changes or changes[-1].new_state != PluginState.PLUGIN_STATE_READY:
        told = next(watching)
        changes += told.changes
    assert changes[0].reason == "signal:9"
    assert told.plugins[0].state == PluginState.PLUGIN_STATE_READY
    assert told.plugins[0].replicas[0].pid not in (0, process)
    assert told.plugins[0].restarts == 1
    watching.cancel()


def test_figures_come_again_when_they_are_asked_for(host):
    host.until_ready("echo")
    request = WatchPluginsRequest()
    request.refresh.FromMilliseconds(100)
    watching = host.stub.WatchPlugins(request, timeout=30)
    calls = next(watching).plugins[0].calls
    host.call("Hello")
    assert next(told for told in watching if told.plugins and told.plugins[0].calls > calls)
    watching.cancel()


def test_a_plugin_is_reloaded_while_calls_go_on(host):
    before = host.until_ready("echo").replicas[0]
    with ThreadPoolExecutor(4) as callers:
        answers = callers.map(host.answer, ["Hello"] * 40)
        reloaded = host.stub.ReloadPlugin(ReloadPluginRequest(plugin="echo"), timeout=30).plugin
        assert set(answers) == {"Hello"}
    assert reloaded.state == PluginState.PLUGIN_STATE_READY
    until(lambda: [replica.number for replica in host.plugin("echo").replicas] == [before.number + 1])


@pytest.mark.parametrize("rpc", ["ReloadPlugin", "ExplainPlugin"])
async def test_an_unknown_plugin_is_told(host, rpc):
    request = {"ReloadPlugin": ReloadPluginRequest, "ExplainPlugin": ExplainPluginRequest}[rpc](plugin="ecko")
    code, error = await failure(host.address, request, rpc)
    assert code is grpc.StatusCode.NOT_FOUND
    assert str(error) == "ecko: no plugin is named so\n  Did you mean echo?"


async def test_many_who_watch_and_leave_leave_nothing(host):
    async with grpc.aio.insecure_channel(host.address) as channel:
        for _ in range(20):
            watching = HectorStub(channel).WatchPlugins(WatchPluginsRequest())
            await watching.read()
            watching.cancel()
    await asyncio.to_thread(host.answer, "Hello")
    assert psutil.Process(host.command.pid).num_threads() < 60
