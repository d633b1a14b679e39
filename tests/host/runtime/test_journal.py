"""What the journal has answered is on disk, whatever happens to the process; and it grows with what was said."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.struct_pb2 import Struct

from hector.host.v1.run_pb2 import Step
from hector.plugin.v1.llm_pb2 import FINISH_REASON_STOP, ModelInput, TokenUsage
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_USER, Message, Part
from hector.plugin.v1.reasoning_pb2 import Effect, Generate, InitializeRequest, Outcome
from hector_host.errors import HectorError, NotFoundError
from hector_host.runtime.ids import change
from hector_host.runtime.journal import NewIteration, NewRun, RunEnd, Status
from hector_host.runtime.sqlite import FILE, open_journal

SYSTEM = "You are a careful librarian. " * 20


def said(name: str, text: str, role: "Message.Role" = ROLE_ASSISTANT) -> Message:
    return Message(id=name, role=role, parts=[Part(text=text)])


def new_run(name: str, session: str = "s") -> NewRun:
    setup = InitializeRequest(system_prompt=SYSTEM, max_iterations=20)
    question = said(f"{name}/1", "What is it?", ROLE_USER)
    return NewRun(name, session, "agent", "", "default", "m", setup, question, Struct(), 1)


async def live(journal, name: str, session: str, steps: int) -> None:
    """A whole run of so many generations, each of which names the whole conversation."""
    given = [message.id for message in await journal.conversation(session)]
    await journal.begin(new_run(name, session))
    named, before = [*given, f"{name}/1"], [*given, f"{name}/1"]
    for number in range(1, steps + 1):
        state = Struct()
        state.update({"messages": named})
        generate = Effect(id=f"g{number}", generate=Generate(input=ModelInput(messages=[Message(id=i) for i in named])))
        naming = {generate.id: change(before, named)}
        await journal.iterate(name, NewIteration(number, 0, "", state, 1, [generate], [], naming))
        answer = said(f"{name}/{number + 1}", f"Answer {number} of {name}, forty characters long.")
        await journal.settle(name, Outcome(id=generate.id, message=answer, finish_reason=FINISH_REASON_STOP))
        before, named = named, [*named, answer.id]
    await journal.end(name, RunEnd(Status.FINISHED, answer), TokenUsage(total_tokens=7), [Step(kind="generate")])


async def test_a_run_is_read_as_it_was_written(tmp_path):
    async with open_journal(tmp_path) as journal:
        await live(journal, "r1", "s", 2)
        record = await journal.run("r1")
    summary = record.summary
    assert (summary.status, summary.question, summary.iterations) == ("finished", "What is it?", 2)
    assert summary.usage.total_tokens == 7
    assert [message.id for message in record.messages] == ["r1/1", "r1/2", "r1/3"]
    assert [(effect.id, effect.outcome.message.id) for effect in record.effects] == [("g1", "r1/2"), ("g2", "r1/3")]
    assert record.answer == record.messages[-1]
    assert [step.kind for step in record.steps] == ["generate"]


async def test_a_conversation_is_what_was_asked_and_answered_in_finished_runs(tmp_path):
    async with open_journal(tmp_path) as journal:
        await live(journal, "r1", "s", 3)
        await journal.begin(new_run("r2"))
        await live(journal, "r3", "s", 1)
        await live(journal, "r4", "another", 1)
        conversation = await journal.conversation("s")
    assert [message.id for message in conversation] == ["r1/1", "r1/4", "r3/1", "r3/2"]


async def test_a_session_grows_with_what_was_said_and_not_with_its_square(tmp_path):
    async def size(runs: int) -> int:
        folder = tmp_path / str(runs)
        async with open_journal(folder) as journal:
            for number in range(runs):
                await live(journal, f"run-{number:05}", "s", 10)
        return (folder / FILE).stat().st_size

    assert await size(80) < 2.2 * await size(40)


async def test_what_is_the_same_in_many_runs_is_kept_once(tmp_path):
    async with open_journal(tmp_path) as journal:
        for number in range(20):
            await live(journal, f"r{number}", "s", 1)
    assert (tmp_path / FILE).read_bytes().count(SYSTEM.encode()) == 1


WRITER = """
import asyncio, sys
from pathlib import Path
from test_journal import live, open_journal

async def main():
    async with open_journal(Path(sys.argv[1])) as journal:
        for number in range(10_000):
            await live(journal, f"{sys.argv[2]}-{number}", sys.argv[2], 2)
            print(number, flush=True)

asyncio.run(main())
"""


async def test_what_was_answered_outlives_kill_9(tmp_path):
    arguments = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen([*arguments, name], stdout=subprocess.PIPE, cwd=Path(__file__).parent) for name in ("a", "b")
    ]
    answered = {}
    for name, writer in zip(("a", "b"), writers, strict=True):
        for _ in range(20):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        # What was printed and not yet read was answered too.
        answered[name] = 20 + len(writer.stdout.read().split(b"\n")) - 1
        writer.wait()
        writer.stdout.close()
    async with open_journal(tmp_path) as journal:
        for name, count in answered.items():
            for number in range(count):
                record = await journal.run(f"{name}-{number}")
                assert record.summary.status == "finished"
                assert record.answer is not None
        assert sqlite3.connect(tmp_path / FILE).execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_operations_that_fail_harm_nobody_beside_them(tmp_path):
    async with open_journal(tmp_path) as journal:
        good, bad, other = journal.begin(new_run("r1")), journal.begin(new_run("r1")), journal.begin(new_run("r2"))
        results = await asyncio.gather(good, bad, other, return_exceptions=True)
        assert [type(result) for result in results] == [type(None), HectorError, type(None)]
        assert [run.id for run in await journal.runs(9)] == ["r2", "r1"]


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(HectorError) as caught:
        async with open_journal(tmp_path):
            pass
    assert str(caught.value) == (
        f"{tmp_path / FILE}: is of version 99, this Hector reads up to 1\n"
        "  Upgrade Hector, or set storage.path to another folder."
    )


async def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(HectorError) as caught:
        async with open_journal(tmp_path / "file"):
            pass
    assert str(caught.value) == (
        f"{tmp_path / 'file' / FILE}: cannot keep the journal: [Errno 17] File exists: '{tmp_path / 'file'}'\n"
        "  Check that the disk has room and that the folder of storage.path can be written."
    )


FULL = """
import asyncio, resource, signal, sys
from pathlib import Path
from hector_host.errors import HectorError
from test_journal import live, open_journal

async def main():
    async with open_journal(Path(sys.argv[1])) as journal:
        await live(journal, "first", "s", 2)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        number = 0
        try:
            while True:
                await live(journal, f"r{number}", "s", 2)
                number += 1
        except HectorError as error:
            print(number, error.what)

asyncio.run(main())
"""


async def test_a_full_disk_is_named_and_what_was_answered_stays(tmp_path):
    child = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(child, cwd=Path(__file__).parent, capture_output=True, text=True, check=True, timeout=60)
    count, _, what = done.stdout.strip().partition(" ")
    assert int(count) > 0
    assert what.startswith(f"{tmp_path / FILE}: cannot keep the journal: ")
    async with open_journal(tmp_path) as journal:
        for name in ("first", *(f"r{number}" for number in range(int(count)))):
            assert (await journal.run(name)).summary.status == "finished"


async def test_a_run_that_is_not_there(tmp_path):
    async with open_journal(tmp_path) as journal:
        with pytest.raises(NotFoundError) as caught:
            await journal.run("nothing")
    assert str(caught.value) == "run 'nothing': there is none\n  See what there is: hector runs list"
