"""`hector call`: the answer alone on stdout as it comes, everything else on stderr, and an exit code for every end."""

import signal

import pytest
from commandline import until

from .conftest import echo, gated, open_gate

LOOKING = ({"text": "Let me look.", "tool_calls": [{"tool": "list_files", "arguments": {}}]}, "There is one file.")
SHELL = {"tool_providers": {"shell": {"package": "hector-shell-tools", "config": {"working_directory": "."}}}}


@pytest.fixture
def looking(hector):
    """An agent `a` that looks with a tool before it answers."""
    document = echo(*LOOKING, tools=["shell"])
    document["plugins"] |= SHELL
    document["tools"] = {"shell": {"type": "plugin:shell"}}
    hector.write(document)
    return hector


def test_the_answer_alone_is_on_stdout(hector):
    hector.write(echo())
    ended = hector("call", "a", "Hello  there")
    assert (ended.code, ended.out, ended.err) == (0, "Hello  there\n", "")


def test_what_leads_to_the_answer_is_on_stderr(looking):
    ended = looking("call", "a", "What is here?")
    assert (ended.code, ended.out) == (0, "There is one file.\n"), ended.err
    assert ended.err == (
        "· Let me look.\n"
        "→ list_files {}\n"
        f"← list_files: .hector/ hector.yaml {(looking.folder / 'hector.yaml').stat().st_size} bytes\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("call", "Hello", "--agent", "a"),
        ("call", "--config", "hector.yaml", "a", "--no-stream", "Hello"),
    ],
    ids=" ".join,
)
def test_agent_and_message_have_two_forms_and_flags_stand_anywhere(hector, arguments):
    hector.write(echo())
    assert hector.answer(*arguments) == "Hello\n"


def test_the_message_comes_from_stdin(hector):
    hector.write(echo())
    assert hector.answer("call", "a", "-", stdin="two\nlines\n") == "two\nlines\n"


@pytest.mark.parametrize(
    ("message", "words"),
    [(b"caf\xff", "The message is not UTF-8 text"), (b"x" * ((4 << 20) + 1), "The message has more than 4 MiB")],
    ids=["encoding", "length"],
)
def test_a_message_that_cannot_be_taken_is_refused_whole(hector, message, words):
    (hector.folder / "message").write_bytes(message)
    ended = hector.shell('exec "$HECTOR" call a - < message')
    assert (ended.code, ended.out) == (2, ""), ended.err
    assert f"│ Invalid value for MESSAGE: {words} " in ended.err


def test_streams_that_the_parent_closed_are_no_error(hector):
    hector.write(echo())
    ended = hector.shell('"$HECTOR" call a Hello <&- >&-')
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert hector("runs", "list", "--json").json[0]["status"] == "finished"


def test_characters_that_the_locale_lacks_are_written_otherwise(hector):
    hector.write(echo())
    hector.environ["PYTHONIOENCODING"] = "ascii"
    assert hector.answer("call", "a", "grün") == "gr\\xfcn\n"


def test_pieces_come_before_the_end(hector):
    hector.write(gated())
    with hector.running("call", "a", "Count") as command:
        assert command.read_until("one ") == "one "
        assert command.running()
        open_gate(hector)
        ended = command.end()
    assert (ended.code, ended.out, ended.err) == (0, "two three\n", "")


def test_without_streaming_the_answer_comes_whole(hector):
    hector.write(gated())
    with hector.running("call", "a", "Count", "--no-stream") as command:
        until((hector.folder / ".hector/plugins/gated").is_dir)
        open_gate(hector)
        assert command.read_until("three\n") == "one two three\n"
        assert command.end().code == 0


def test_one_object_tells_all_of_a_run(looking):
    ended = looking("call", "a", "What is here?", "--json", "--session", "friday")
    assert (ended.code, ended.err) == (0, "")
    record = ended.json
    assert list(record) == ["run_id", "session_id", "agent", "answer", "sources", "usage", "steps"]
    assert (record["session_id"], record["agent"], record["answer"]) == ("friday", "a", "There is one file.")
    assert record["sources"] == []
    assert record["usage"] == {"prompt_tokens": 13, "completion_tokens": 7, "total_tokens": 20}
    assert {tuple(step) for step in record["steps"]} == {("kind", "provider", "plugin", "pid", "seconds", "ok")}
    assert [(step["kind"], step["provider"], step["plugin"], step["ok"]) for step in record["steps"]] == [
        ("generate", "llm/m", "echo", True),
        ("tool", "tool/shell", "shell", True),
        ("generate", "llm/m", "echo", True),
    ]
    first, tool, last = record["steps"]
    assert first["pid"] == last["pid"] != tool["pid"]
    assert all(step["seconds"] > 0 for step in record["steps"])
    assert looking("runs", "show", record["run_id"], "--json").json["answer"] == "There is one file."


def test_a_call_imports_nothing_that_it_does_not_use(hector):
    hector.write(echo())
    hector.environ["PYTHONPROFILEIMPORTTIME"] = "1"
    ended = hector("call", "a", "Hello")
    assert ended.out == "Hello\n"
    modules = {line.rpartition("|")[2].strip().split(".")[0] for line in ended.err.splitlines()}
    heavy = {"numpy", "faiss", "torch", "starlette", "fastapi", "uvicorn", "openai"}
    unused = {"rich", "jsonschema", "prompt_toolkit", "markdown_it", "pathspec", "semantic_text_splitter"}
    assert "grpc" in modules
    assert modules & (heavy | unused) == set()


def test_steps_tell_which_process_did_what(looking):
    lines = looking("call", "a", "What is here?", "--steps").err.splitlines()[-4:]
    assert [line.split()[:3] for line in lines] == [
        ["did", "as", "plugin"],
        ["generate", "llm/m", "echo"],
        ["tool", "tool/shell", "shell"],
        ["generate", "llm/m", "echo"],
    ]


def test_another_model_for_once(hector):
    document = echo("from the script")
    document["llms"]["other"] = {"type": "plugin:echo", "model": "echo"}
    hector.write(document)
    assert hector.answer("call", "a", "Hello") == "from the script\n"
    assert hector.answer("call", "a", "Hello", "--llm", "other") == "Hello\n"


def test_a_conversation_goes_on(hector):
    hector.write(echo())
    first = hector("call", "a", "one two", "--session", "s", "--json").json
    second = hector("call", "a", "three", "--session", "s", "--json").json
    other = hector("call", "a", "three", "--json").json
    assert (first["session_id"], second["session_id"]) == ("s", "s")
    assert other["session_id"] != "s"
    # The model read the question and the answer of the first run too.
    assert (first["usage"]["prompt_tokens"], second["usage"]["prompt_tokens"]) == (2, 5)
    assert other["usage"]["prompt_tokens"] == 1
    assert [run["question"] for run in hector("runs", "list", "-s", "s", "--json").json] == ["three", "one two"]


def test_a_reader_that_leaves_stops_it_without_a_word(hector):
    hector.write(gated())
    with hector.running("call", "a", "Count") as command:
        command.read_until("one ")
        command.close_stdout()
        open_gate(hector)
        ended = command.end()
    assert (ended.code, ended.err) == (1, "")


ENDS = {
    1: (echo(), ("call", "a", "Hello")),
    2: (echo(), ("call", "a", "Hello", "--config", "nowhere.yaml")),
    3: (echo({"text": "", "error": "out of order", "code": "INTERNAL"}), ("call", "a", "Hello")),
    4: (echo(), ("call", "b", "Hello")),
    5: (echo({"text": "", "tool_calls": [{"tool": "x", "arguments": {}}]}), ("call", "a", "Hello")),
}
WORDS = {
    1: "hector: FOLDER/.hector/runs.db: cannot keep the journal: file is not a database\n"
    "  Check that the disk has room and that the folder of storage.path can be written.\n",
    2: "hector: nowhere.yaml: no such file\n  hector init writes one to begin with.\n",
    3: "hector: llm_provider/echo: StreamText: INTERNAL: out of order\n",
    4: "hector: b: no agent is named so\n  There are: a.\n",
    5: "hector: engine default: no answer within 20 iterations: the model went on calling tools\n"
    "  Raise reasoning.max_iterations of the agent, or ask for less at once.\n",
}


@pytest.mark.parametrize("code", ENDS)
def test_an_exit_code_for_each_kind_of_error(hector, code):
    document, arguments = ENDS[code]
    hector.write(document)
    if code == 1:
        (hector.folder / ".hector").mkdir()
        (hector.folder / ".hector/runs.db").write_text("not a database, but long enough to be one " * 9)
    told = hector.refusal(*arguments, code=code).replace(str(hector.folder), "FOLDER")
    notes, _, error = told.rpartition("hector: ")
    assert f"hector: {error}" == WORDS[code]
    if code != 5:
        assert notes == ""


def test_ctrl_c_and_sigterm_have_codes_of_their_own(hector):
    hector.write(gated())
    with hector.running("call", "a", "Count") as command:
        command.read_until("one ")
        command.interrupt()
        interrupted = command.end()
    with hector.running("call", "a", "Count") as command:
        command.read_until("one ")
        command.send(signal.SIGTERM)
        terminated = command.end()
    assert (interrupted.code, interrupted.out, interrupted.err) == (130, "", "")
    assert (terminated.code, terminated.out, terminated.err) == (143, "", "")
    assert [run["status"] for run in hector("runs", "list", "--json").json] == ["cancelled", "cancelled"]


def test_a_bug_is_told_in_a_line_and_kept_in_a_file(hector, tmp_path):
    hector.write(echo())
    (tmp_path / "sitecustomize.py").write_text(
        "import hector_host.runtime.ids as ids\n"
        "def broken(): raise ZeroDivisionError('the secret')\n"
        "ids.new_id = broken\n"
    )
    hector.environ |= {"PYTHONPATH": str(tmp_path), "TMPDIR": str(tmp_path)}
    error = hector.refusal("call", "a", "Hello", code=70)
    (file,) = tmp_path.glob("hector-bug-*.txt")
    assert error == (
        "hector: internal error: ZeroDivisionError\n"
        f"  This is a bug of Hector. What happened is in {file}; look it over for secrets before you report it.\n"
    )
    assert "ZeroDivisionError: the secret" in file.read_text()
