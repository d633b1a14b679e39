"""A run from its question to its answer: its events, its journal, its session, its end by others."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from hector_host.errors import ConfigError, NotFoundError
from hector_host.runtime.runtime import RunRequest
from hector_host.runtime.sqlite import FILE, open_journal

LOOK = {"text": "Let me look.", "tool_calls": [{"tool": "where", "arguments": {"place": "here"}}]}


async def test_events_come_in_order_and_without_gaps(hosting):
    async with hosting([LOOK, "It is here."], faults={"tools": {}}) as agents:
        assert await agents.answer() == "It is here."
    assert agents.kinds() == [
        "run_started",
        "text_delta",
        "text_delta",
        "text_delta",
        "generation_finished",
        "tool_started",
        "tool_finished",
        "text_delta",
        "text_delta",
        "text_delta",
        "generation_finished",
        "run_finished",
    ]
    assert [event.sequence for event in agents.events] == list(range(1, 13))
    steps = agents.events[-1].run_finished.steps
    assert [(step.kind, step.provider, step.plugin, step.ok) for step in steps] == [
        ("generate", "llm/m", "echo", True),
        ("tool", "tool/tools", "tools", True),
        ("generate", "llm/m", "echo", True),
    ]
    assert all(step.pid > 0 and step.seconds > 0 for step in steps)


async def test_what_an_event_tells_is_on_disk_before_it_is_told(hosting, tmp_path):
    def count(table: str, where: str = "1") -> int:
        with sqlite3.connect(tmp_path / ".hector" / FILE) as reader:
            return int(reader.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])

    seen = {}
    async with hosting([LOOK, "It is here."], faults={"tools": {}}) as agents:
        async for event in agents.runtime.run(RunRequest("a", "Hello")):
            kind = event.WhichOneof("event")
            if kind == "run_started":
                seen[kind] = count("runs", "status = 'running'")
            elif kind == "generation_finished":
                seen[kind] = count("messages", f"id = '{event.generation_finished.message_id}'")
            elif kind == "tool_started":
                seen[kind] = count("effects", f"id = '{event.tool_started.effect_id}' AND finished IS NULL")
            elif kind == "tool_finished":
                seen[kind] = count("effects", f"id = '{event.tool_finished.effect_id}' AND finished IS NOT NULL")
            elif kind == "run_finished":
                seen[kind] = count("runs", "status = 'finished' AND state IS NULL")
    assert seen == dict.fromkeys(
        ("run_started", "generation_finished", "tool_started", "tool_finished", "run_finished"), 1
    )


async def test_the_answer_is_journaled_once(hosting):
    async with hosting(["It is a very rare answer."]) as agents:
        await agents.answer()
        record = await agents.journal.run(agents.events[-1].run_id)
    assert [message.parts[0].text for message in record.messages] == ["Hello", "It is a very rare answer."]


async def test_a_session_goes_on_with_what_was_said(hosting):
    async with hosting() as agents:
        await agents.answer("one two", session="friday")
        first = agents.events[-1].run_finished.usage.prompt_tokens
        await agents.answer("three", session="friday")
        second = agents.events[-1].run_finished.usage.prompt_tokens
        await agents.answer("three")
        alone = agents.events[-1].run_finished.usage.prompt_tokens
    assert (first, second, alone) == (2, 5, 1)


async def test_a_model_without_tools_is_told_of(hosting):
    async with hosting(faults={"tools": {}}) as agents:
        assert await agents.answer() == "Hello"
    thought = next(event.thought for event in agents.events if event.HasField("thought"))
    assert thought.text == "the model calls no tools: it answers without hang, flood, refuse, crash, die, where"


async def test_effects_of_one_iteration_are_performed_side_by_side(hosting):
    both = {"tool_calls": [{"tool": "where", "arguments": {"place": place}} for place in ("here", "there")]}
    async with hosting([both, "Both."], faults={"tools": {}}) as agents:
        assert await agents.answer() == "Both."
    kinds = [kind for kind in agents.kinds() if kind.startswith("tool")]
    assert kinds == ["tool_started", "tool_started", "tool_finished", "tool_finished"]


async def test_without_streaming_there_are_no_pieces(hosting):
    async with hosting(["Three short words"], reasoning={"enable_streaming": False}) as agents:
        assert await agents.answer() == "Three short words"
    assert "text_delta" not in agents.kinds()


async def test_who_leaves_cancels_the_run(hosting):
    async with hosting([{"text": "late", "delay": 60}]) as agents:
        events = agents.runtime.run(RunRequest("a", "Hello"))
        started = await anext(events)
        await events.aclose()
        assert (await agents.journal.run(started.run_id)).summary.status == "cancelled"


async def test_many_runs_at_once_stay_apart(hosting):
    async with hosting() as agents:

        async def ask(number: int) -> str:
            last = [event async for event in agents.runtime.run(RunRequest("a", f"number {number}"))][-1]
            return last.run_finished.answer

        answers = await asyncio.gather(*(ask(number) for number in range(40)))
        assert answers == [f"number {number}" for number in range(40)]
        assert len(await agents.journal.runs(100)) == 40


async def test_names_that_are_not_there_are_refused_before_anything_is_journaled(hosting):
    async with hosting() as agents:
        with pytest.raises(NotFoundError) as caught:
            await agents.run(llm="n")
        assert str(caught.value) == "n: no llm is named so\n  There are: m."
        assert await agents.journal.runs(9) == []
    with pytest.raises(ConfigError) as wrong:
        async with hosting(llm="gone"):
            pass
    assert str(wrong.value) == 'hector.yaml:12: agents.a.llm: no llm is named "gone"\n  There are: m.'


async def test_a_run_whose_host_was_killed_is_told_as_interrupted(hosting, tmp_path):
    async with hosting([{"text": "late", "delay": 60}]):
        pass
    hector = Path(sys.executable).with_name("hector")
    host = subprocess.Popen([hector, "call", "a", "Hello"], stderr=subprocess.DEVNULL)
    async with open_journal(tmp_path / ".hector") as journal:
        async with asyncio.timeout(30):
            while not (runs := await journal.runs(9)):
                await asyncio.sleep(0.02)
        assert runs[0].status == "running"
        plugins = psutil.Process(host.pid).children(recursive=True)
        host.send_signal(signal.SIGKILL)
        host.wait()
        for plugin in plugins:
            with suppress(psutil.NoSuchProcess):  # its warden was faster
                plugin.kill()
        assert (await journal.runs(9))[0].status == "interrupted"
