"""Calls in flight: bounded in number and in what waits for their readers, and all of them end with the server."""

import asyncio

import pytest

from hector.host.v1.hector_pb2 import CallRequest
from hector.host.v1.run_pb2 import QuestionAsked, RunEvent, RunFinished, RunStarted
from hector_host.errors import NotFoundError
from hector_host.server.backlog import MOST_EVENTS
from hector_host.server.call import TooSlowError
from hector_host.server.calls import Calls, RequestError, StoppingError, TooManyCallsError


class Runtime:
    """Runs that do what their message says: `answer`, `wait` for ever, `ask`, `flood`, `refuse` or `break`."""

    def __init__(self):
        self.requests = []
        self.cancelled = 0
        self.flooding = asyncio.Event()

    async def run(self, request):
        self.requests.append(request)
        if request.message == "refuse":
            raise NotFoundError("'a': no agent is named so")
        run = f"run{len(self.requests)}"
        try:
            yield RunEvent(run_id=run, run_started=RunStarted(session_id="s"))
            async for event in getattr(self, f"_{request.message}")(run, request):
                yield event
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled += 1
            raise

    async def _answer(self, run, _):
        yield RunEvent(run_id=run, run_finished=RunFinished(answer="done"))

    async def _wait(self, run, _):
        await asyncio.Event().wait()
        yield RunEvent(run_id=run)

    async def _ask(self, run, request):
        question = QuestionAsked(effect_id="e1", text="Which?")
        yield RunEvent(run_id=run, question=question)
        answer = "nobody" if request.ask is None else await request.ask(question)
        yield RunEvent(run_id=run, run_finished=RunFinished(answer=answer))

    async def _flood(self, run, _):
        await self.flooding.wait()
        for sequence in range(MOST_EVENTS + 10):
            yield RunEvent(run_id=run, sequence=sequence)
        await asyncio.Event().wait()

    async def _break(self, run, _):
        yield RunEvent(run_id=run, sequence=2)
        raise ZeroDivisionError


class Deployments:
    def __init__(self, runtime):
        self.runtime = runtime
        self.used = 0

    def use(self):
        return self

    def __enter__(self):
        self.used += 1
        return self

    def __exit__(self, *_):
        self.used -= 1


@pytest.fixture
def runtime():
    return Runtime()


@pytest.fixture
def deployments(runtime):
    deployments = Deployments(runtime)
    yield deployments
    assert deployments.used == 0


@pytest.fixture
def calls(deployments):
    return Calls(deployments)


class Reader:
    def __init__(self):
        self.events = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self, event):
        await self.gate.wait()
        self.events.append(event)

    @property
    def kinds(self):
        return [event.WhichOneof("event") for event in self.events]


async def begun(calls, message, reader, **more):
    """A call whose first event has been read."""
    count = len(reader.events)
    task = asyncio.create_task(calls.follow(CallRequest(agent="a", message=message, **more), reader.write))
    async with asyncio.timeout(5):
        while len(reader.events) == count:
            await asyncio.sleep(0)
    return task


async def test_a_call_is_its_runs_events(calls, runtime):
    reader = Reader()
    await calls.follow(CallRequest(agent="a", message="answer", session_id="s", llm="m", user="u"), reader.write)
    assert reader.kinds == ["run_started", "run_finished"]
    (request,) = runtime.requests
    assert (request.agent, request.session, request.llm, request.user, request.ask) == ("a", "s", "m", "u", None)
    assert len(calls) == 0


async def test_what_is_left_out_of_a_request_is_none(calls, runtime):
    await calls.follow(CallRequest(agent="a", message="answer"), Reader().write)
    assert (runtime.requests[0].session, runtime.requests[0].llm) == (None, None)


async def test_a_run_that_cannot_begin_is_the_calls_error(calls):
    with pytest.raises(NotFoundError, match="'a': no agent is named so"):
        await calls.follow(CallRequest(agent="a", message="refuse"), Reader().write)
    assert len(calls) == 0


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (CallRequest(agent="a", message=" \n"), "message: is empty\n  A call says which agent is asked, and what."),
        (CallRequest(message="answer"), "agent: is empty\n  A call says which agent is asked, and what."),
        (
            CallRequest(agent="a", message="answer", user="a\nb"),
            "user: 'a b' is not a name\n  Use up to 128 printable characters, or leave it out.",
        ),
        (
            CallRequest(agent="a", message="answer", user="x" * 129),
            f"user: '{'x' * 128} …' is not a name\n  Use up to 128 printable characters, or leave it out.",
        ),
    ],
    ids=["message", "agent", "user", "long user"],
)
async def test_a_request_that_cannot_be_meant_is_refused(calls, runtime, request_, words):
    with pytest.raises(RequestError) as refused:
        await calls.follow(request_, Reader().write)
    assert (str(refused.value), runtime.requests) == (words, [])


async def test_a_bug_comes_after_the_events_that_were_before_it(calls):
    reader = Reader()
    with pytest.raises(ZeroDivisionError):
        await calls.follow(CallRequest(agent="a", message="break"), reader.write)
    assert [event.sequence for event in reader.events] == [0, 2]


async def test_cancelling_the_call_cancels_the_run(calls, runtime):
    task = await begun(calls, "wait", Reader())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (runtime.cancelled, len(calls)) == (1, 0)


async def test_a_question_waits_for_its_answer(calls):
    reader = Reader()
    task = await begun(calls, "ask", reader, interactive=True)
    async with asyncio.timeout(5):
        while reader.kinds[-1] != "question":
            await asyncio.sleep(0)
    for run, effect in (("run2", "e1"), ("run1", "e2"), ("", "e1")):
        with pytest.raises(NotFoundError) as refused:
            calls.answer(run, effect, "pears")
        assert str(refused.value) == (
            f"run {run!r}: waits for no answer to {effect!r}\n  It has its answer, or has ended."
        )
    calls.answer("run1", "e1", "pears")
    with pytest.raises(NotFoundError):
        calls.answer("run1", "e1", "plums")
    await task
    assert reader.events[-1].run_finished.answer == "pears"


async def test_a_call_that_is_not_interactive_answers_nothing(calls):
    reader = Reader()
    await calls.follow(CallRequest(agent="a", message="ask"), reader.write)
    assert reader.events[-1].run_finished.answer == "nobody"


async def test_who_reads_too_slowly_loses_the_run_and_nothing_is_kept(calls, runtime):
    reader = Reader()
    task = await begun(calls, "flood", reader)
    reader.gate.clear()
    runtime.flooding.set()
    with pytest.raises(TooSlowError) as slow:
        await asyncio.wait_for(task, 20)
    assert str(slow.value) == (
        "run run1: cancelled: its events were read too slowly, and too many of them waited\n"
        "  Read the events as they come, or start the run where somebody does."
    )
    assert (runtime.cancelled, len(calls)) == (1, 0)


async def test_a_run_that_was_cut_is_never_told_as_ended(calls, runtime):
    reader = Reader()
    runtime.flooding.set()  # all at once, and the reader takes what there is before it is stopped
    with pytest.raises(TooSlowError):
        await calls.follow(CallRequest(agent="a", message="flood"), reader.write)
    assert runtime.cancelled == 1


async def test_no_more_calls_are_taken_than_there_may_be(deployments, runtime):
    calls = Calls(deployments, most=1)
    task = await begun(calls, "wait", Reader())
    with pytest.raises(TooManyCallsError) as refused:
        await calls.follow(CallRequest(agent="a", message="answer"), Reader().write)
    assert str(refused.value) == "the host has 1 calls in flight, and takes no more\n  Try again later."
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await calls.follow(CallRequest(agent="a", message="answer"), Reader().write)


async def test_the_end_waits_for_the_calls_and_takes_no_new_ones(calls):
    reader = Reader()
    task = await begun(calls, "ask", reader, interactive=True)
    ending = asyncio.create_task(calls.finish(20, asyncio.Event()))
    await asyncio.wait_for(calls.stopping.wait(), 5)
    with pytest.raises(StoppingError) as refused:
        await calls.follow(CallRequest(agent="a", message="answer"), Reader().write)
    assert str(refused.value) == (
        "the host is stopping and takes no new calls\n  Call again when it has been started anew."
    )
    assert not ending.done()
    calls.answer("run1", "e1", "pears")
    assert await asyncio.wait_for(ending, 5) == 0
    await task
    assert reader.kinds[-1] == "run_finished"


@pytest.mark.parametrize("way", ["budget", "hurry"])
async def test_what_does_not_end_in_time_is_cut(calls, runtime, way):
    tasks = [await begun(calls, "wait", Reader()) for _ in range(3)]
    hurry = asyncio.Event()
    if way == "hurry":
        hurry.set()
    assert await asyncio.wait_for(calls.finish(0 if way == "budget" else 1000, hurry), 20) == 3
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(error) for error in errors] == [
        f"run run{number}: cancelled: the host has stopped\n  Call again when it has been started anew."
        for number in (1, 2, 3)
    ]
    assert (runtime.cancelled, len(calls)) == (3, 0)


async def test_an_idle_server_ends_at_once(calls):
    assert await asyncio.wait_for(calls.finish(1000, asyncio.Event()), 5) == 0


async def test_a_reader_that_has_gone_cancels_the_run(calls, runtime):
    async def gone(event):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await calls.follow(CallRequest(agent="a", message="wait"), gone)
    assert runtime.cancelled == 1
