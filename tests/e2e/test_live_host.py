"""Verbs that find a live host use it, and nobody sees the difference: same words, same streams, same exit codes."""

import re
import signal

import pytest
from commandline import Ended, until
from live import serving

from .conftest import FAULTY, echo, gated, open_gate

LOOKING = ({"text": "Let me look.", "tool_calls": [{"tool": "list_files", "arguments": {}}]}, "There is one file.")
SHELL = {"tool_providers": {"shell": {"package": "hector-shell-tools", "config": {"working_directory": "."}}}}
OTHERWISE = re.compile(r"\b(?:[0-9a-f]{20}|\d+\.\d+(?:e-\d+)?|\d+ bytes|\d{2,}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\b")
"""Identifiers, figures and times: what two runs of one command never have in common."""


def looking():
    """An agent `a` that looks with a tool before it answers."""
    document = echo(*LOOKING, tools=["shell"], description="Looks.")
    document["plugins"] |= SHELL
    document["tools"] = {"shell": {"type": "plugin:shell"}}
    return document


def asking():
    """An agent `a` that asks its user before it answers."""
    document = echo(reasoning={"engine": "plugin:strategy"})
    document["plugins"]["reasoning_strategies"] = {
        "strategy": {"path": str(FAULTY / "strategy.py"), "config": {"fault": "ask"}}
    }
    return document


def failing():
    """An agent `a` whose model cannot."""
    return echo({"text": "", "error": "out of order", "code": "INTERNAL"})


SAME = {
    "the agents": (looking, ("list",), 0),
    "the agents for programs": (looking, ("list", "--json"), 0),
    "a call": (looking, ("call", "a", "What is here?"), 0),
    "a call without streaming": (looking, ("call", "a", "What is here?", "--no-stream"), 0),
    "a call for programs": (looking, ("call", "a", "What is here?", "--json"), 0),
    "a call with its steps": (looking, ("call", "a", "What is here?", "--steps"), 0),
    "a call of nobody": (looking, ("call", "b", "Hello"), 4),
    "a call with no such model": (looking, ("call", "a", "Hello", "--llm", "gpt"), 4),
    "a call with no such session": (looking, ("call", "a", "Hello", "--session", "a\nb"), 4),
    "a call that fails": (failing, ("call", "a", "Hello"), 3),
    "a call that asks": (asking, ("call", "a", "Paint it"), 5),
    "a chat": (looking, ("chat", "a", "--session", "s"), 0),
    "a chat with nobody": (looking, ("chat", "aa"), 4),
    "a chat that fails": (failing, ("chat", "a", "--session", "s"), 0),
    "no such run": (looking, ("runs", "show", "1a2b"), 4),
    "no crash": (looking, ("plugin", "why", "echo"), 0),
    "no crash for programs": (looking, ("plugin", "why", "echo", "--json"), 0),
    "no such plugin to explain": (looking, ("plugin", "why", "ech"), 4),
    "no such plugin in any encoding": (looking, ("plugin", "why", b"caf\xff"), 4),
    "no such plugin to reload": (looking, ("plugin", "reload", "\x1b[31mx"), 4),
}


def masked(ended: Ended) -> Ended:
    return Ended(ended.code, OTHERWISE.sub("…", ended.out), OTHERWISE.sub("…", ended.err))


@pytest.mark.parametrize("what", SAME)
def test_nobody_sees_the_difference(hector, what):
    document, arguments, code = SAME[what]
    hector.write(document())
    here = hector(*arguments, stdin="Hello\n")
    with serving(hector) as host:
        there = hector(*arguments, stdin="Hello\n")
        named = hector(*arguments, "--server", host.address, stdin="Hello\n")
    assert here.code == code, here.err
    assert masked(there) == masked(here)
    assert masked(named) == masked(here)


def test_sources_are_told_as_ever(library):
    library.answer("index")
    here = library("call", "a", "When do pears ripen?")
    with serving(library):
        there = library("call", "a", "When do pears ripen?")
    assert "Sources:\n  docs/pears.md:1" in here.err.replace("  pears", "  docs/pears")
    assert there == here


def test_the_processes_are_those_of_the_host(hector):
    hector.write(looking())
    with serving(hector):
        runs = [hector("call", "a", "What is here?", "--json").json for _ in range(2)]
        plugins = {plugin["plugin"]: plugin for plugin in hector("plugin", "list", "--json").json}
    assert {step["pid"] for run in runs for step in run["steps"] if step["plugin"] == "echo"} == {
        *plugins["echo"]["pids"]
    }
    # Two generations and one look at the models each.
    assert plugins["echo"]["calls"] >= 4
    assert plugins["shell"]["calls"] >= 2


def test_runs_are_those_of_the_journal(hector):
    hector.write(looking())
    with serving(hector) as host:
        run = hector("call", "a", "What is here?", "--json").json["run_id"]
        there = [hector(*show) for show in (("runs", "list"), ("runs", "show", run), ("runs", "show", run, "--json"))]
        host.stop()
    here = [hector(*show) for show in (("runs", "list"), ("runs", "show", run), ("runs", "show", run, "--json"))]
    assert here == there
    assert [ended.code for ended in here] == [0, 0, 0]


def test_pieces_come_before_the_end(hector):
    hector.write(gated())
    with serving(hector), hector.running("call", "a", "Count") as command:
        assert command.read_until("one ") == "one "
        open_gate(hector)
        ended = command.end()
    assert (ended.code, ended.out, ended.err) == (0, "two three\n", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_the_end_of_a_call_cancels_the_run_on_the_host(hector, number, code):
    hector.write(gated())
    with serving(hector):
        with hector.running("call", "a", "Count") as command:
            command.read_until("one ")
            command.send(number)
            ended = command.end()
        assert (ended.code, ended.out, ended.err) == (code, "", "")
        until(lambda: hector("runs", "list", "--json").json[0]["status"] == "cancelled")


def test_ctrl_c_stops_the_answer_and_not_the_conversation(hector):
    hector.write(gated())
    with serving(hector), hector.terminal("chat", "a") as terminal:
        terminal.read_until("You:")
        terminal.type("Count\r")
        terminal.read_until("one ")
        terminal.type("\x03")
        terminal.read_until("(stopped)\n")
        open_gate(hector)
        terminal.read_until("You:")
        terminal.type("Count again\r")
        terminal.read_until("one two three\n")
        terminal.read_until("You:")
        terminal.type("/quit\r")
        assert terminal.end()[0] == 0
    assert [run["status"] for run in hector("runs", "list", "--json").json] == ["finished", "cancelled"]


@pytest.mark.parametrize("command", ["chat", "call"])
def test_a_question_is_asked_on_the_terminal(hector, command):
    hector.write(asking())
    arguments = ("a", "Paint it") if command == "call" else ("a",)
    with serving(hector), hector.terminal(command, *arguments) as terminal:
        if command == "chat":
            terminal.read_until("You:")
            terminal.type("Paint it\r")
        terminal.read_until("? Which colour?\n")
        terminal.read_until(">")
        terminal.type("blue\r")
        terminal.read_until("blue\n")
        terminal.read_until("blue\n")
        if command == "chat":
            terminal.read_until("You:")
            terminal.type("/exit\r")
        code, rest = terminal.end()
    assert code == 0
    if command == "call":
        assert re.fullmatch(r"Go on with: --session [0-9a-f]{20}\n", rest)


def test_ctrl_c_at_a_question_cancels_the_run(hector):
    hector.write(asking())
    with serving(hector):
        with hector.terminal("call", "a", "Paint it") as terminal:
            terminal.read_until("? Which colour?\n")
            terminal.read_until(">")
            terminal.type("\x03")
            code, rest = terminal.end()
        assert (code, "Traceback" in rest) == (130, False)
        until(lambda: hector("runs", "list", "--json").json[0]["status"] == "cancelled")


def test_a_host_that_dies_while_it_answers(hector):
    hector.write(gated())
    with serving(hector) as host:
        with hector.running("call", "a", "Count") as command:
            command.read_until("one ")
            host.command.send(signal.SIGKILL)
            ended = command.end()
        label = f"the live host of {hector.folder}/hector.yaml (process {host.command.pid}) at {host.address}"
    assert (ended.code, ended.out) == (1, "\n")
    assert ended.err == f"hector: {label}: the host has gone\n  Look into what it printed, and start it again.\n"
    with serving(hector):  # which sweeps what that host left
        pass


def test_a_call_that_finds_a_host_imports_little(hector):
    hector.write(echo())
    with serving(hector):
        hector.environ["PYTHONPROFILEIMPORTTIME"] = "1"
        ended = hector("call", "a", "Hello")
    assert ended.out == "Hello\n"
    modules = {line.rpartition("|")[2].strip() for line in ended.err.splitlines()}
    unused = {"yaml", "sqlite3", "psutil", "rich", "prompt_toolkit", "jsonschema", "watchfiles"}
    hosts_own = {"hector_host.config.loading", "hector_host.manager.manager", "hector_host.runtime.runtime"}
    assert {"grpc", "hector_host.cli.connection"} <= modules
    assert {module.split(".")[0] for module in modules} & unused == set()
    assert modules & hosts_own == set()


def test_what_it_logs_is_told(hector):
    hector.write(echo())
    with serving(hector):
        ended = hector("call", "a", "Hello", "--verbose")
    logs = hector.folder / ".hector/logs"
    assert (ended.out, ended.err) == ("Hello\n", f"hector: its plugins log into {logs}\n")
    assert logs.is_dir()


def test_a_reader_that_leaves_stops_it_without_a_word(hector):
    hector.write(gated())
    with serving(hector):
        with hector.running("call", "a", "Count") as command:
            command.read_until("one ")
            command.close_stdout()
            open_gate(hector)
            ended = command.end()
        assert (ended.code, ended.err) == (1, "")


def test_a_host_over_a_socket(hector):
    hector.write(echo())
    with serving(hector, "--host", f"unix:{hector.sockets}/s"):
        assert hector.answer("call", "a", "Hello") == "Hello\n"
        assert hector.answer("call", "a", "Hello", "--server", f"unix:{hector.sockets}/s") == "Hello\n"
