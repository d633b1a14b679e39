"""A conversation: on a terminal, where a person types, and from a pipe."""

import json
import re
import signal

import pytest
from commandline import until

from .conftest import FAULTY, echo, gated, open_gate

GREETING = re.compile(r"a, session ([0-9a-f]{20})\. Leave with /exit\.")


def talk(terminal, line: str) -> None:
    """Types a line once the prompt is there."""
    terminal.read_until("You:")
    terminal.type(f"{line}\r")


def test_a_conversation_on_a_terminal(hector):
    hector.write(echo())
    with hector.terminal("chat", "a") as terminal:
        session = GREETING.search(terminal.read_until("/exit.\n"))[1]
        talk(terminal, "Hello there")
        terminal.read_until("Hello there\n")  # as typed
        terminal.read_until("Hello there\n")  # as answered
        talk(terminal, "")
        talk(terminal, "And again")
        terminal.read_until("And again\n")
        terminal.read_until("And again\n")
        talk(terminal, "/exit")
        assert terminal.end()[0] == 0
    runs = hector("runs", "list", "--session", session, "--json").json
    assert [run["question"] for run in runs] == ["And again", "Hello there"]


@pytest.mark.parametrize(("key", "code"), [("\x04", 0), ("\x03", 130)], ids=["Ctrl-D", "Ctrl-C"])
def test_a_key_at_the_prompt_leaves(hector, key, code):
    hector.write(echo())
    with hector.terminal("chat", "a", "--session", "friday") as terminal:
        assert terminal.read_until("/exit.\n") == "a, session friday. Leave with /exit.\n"
        terminal.read_until("You:")
        terminal.type(key)
        ended, rest = terminal.end()
    assert (ended, "Traceback" in rest) == (code, False)


def test_ctrl_c_stops_the_answer_and_not_the_conversation(hector):
    hector.write(gated())
    with hector.terminal("chat", "a") as terminal:
        talk(terminal, "Count")
        terminal.read_until("one ")
        terminal.type("\x03")
        terminal.read_until("(stopped)\n")
        open_gate(hector)
        talk(terminal, "Count again")
        terminal.read_until("one two three\n")
        talk(terminal, "/quit")
        assert terminal.end()[0] == 0
    assert [run["status"] for run in hector("runs", "list", "--json").json] == ["finished", "cancelled"]


def asking():
    document = echo(reasoning={"engine": "plugin:strategy"})
    document["plugins"]["reasoning_strategies"] = {
        "strategy": {"path": str(FAULTY / "strategy.py"), "config": {"fault": "ask"}}
    }
    return document


@pytest.mark.parametrize("command", ["chat", "call"])
def test_a_question_is_asked_on_the_terminal(hector, command):
    hector.write(asking())
    arguments = ("a", "Paint it") if command == "call" else ("a",)
    with hector.terminal(command, *arguments) as terminal:
        if command == "chat":
            talk(terminal, "Paint it")
        terminal.read_until("? Which colour?\n")
        terminal.read_until(">")
        terminal.type("blue\r")
        terminal.read_until("blue\n")
        terminal.read_until("blue\n")
        if command == "chat":
            talk(terminal, "/exit")
        code, rest = terminal.end()
    assert code == 0
    if command == "call":
        assert re.fullmatch(r"Go on with: --session [0-9a-f]{20}\n", rest)


def test_a_question_that_nobody_can_answer_fails_the_run(hector):
    hector.write(asking())
    assert hector.refusal("call", "a", "Paint it", code=5) == (
        "hector: the agent asks, and nobody is there to answer: Which colour?\n"
        "  Run it where somebody can answer: hector chat, or hector call on a terminal.\n"
    )


def test_an_error_is_told_and_the_conversation_goes_on(hector):
    hector.write(echo({"text": "", "error": "out of order"}))
    ended = hector("chat", "a", "--session", "s", stdin="one\ntwo\n")
    error = "hector: llm_provider/echo: StreamText: INTERNAL: out of order\n"
    assert (ended.code, ended.out, ended.err) == (0, "", f"a, session s. Leave with /exit.\n{error}{error}")


def test_a_conversation_from_a_pipe(hector):
    hector.write(echo())
    ended = hector("chat", "a", "--session", "s", stdin="one\n\n  two  \n/exit\nthree\n")
    assert (ended.code, ended.out, ended.err) == (0, "one\n  two  \n", "a, session s. Leave with /exit.\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_while_it_waits_for_a_line(hector, number, code):
    hector.write(echo())
    with hector.running("chat", "a", "--session", "s") as command:
        command.read_error_until("Leave with /exit.\n")
        command.send(number)
        until(lambda: not command.running())
        ended = command.end()
    assert (ended.code, ended.out, ended.err) == (code, "", "")


def test_what_a_model_says_does_not_steer_the_terminal(hector):
    steering = "\x1b]0;owned\x07\x1b[2Jplain\x9b31m\u202e 10\u00a0km \u3042\r\n"
    hector.write(echo({"text": steering + "text"}))
    with hector.terminal("call", "a", "Hello") as terminal:
        terminal.read_until("text")
        terminal.end()
    printed, _, _ = terminal.raw.partition("Go on with")
    assert printed == "]0;owned[2Jplain31m 10\u00a0km \u3042\r\ntext\r\n"
    with hector.terminal("call", "a", "Hello", "--json") as terminal:
        assert terminal.end()[0] == 0
    assert json.loads(terminal.raw)["answer"] == steering + "text"
    assert "\x9b" not in terminal.raw
    # Elsewhere it is not for the host to change an answer.
    assert hector("call", "a", "Hello", "--json").json["answer"] == steering + "text"


def test_indexing_shows_a_bar_on_a_terminal(library):
    with library.terminal("index") as terminal:
        code, screen = terminal.end()
    assert code == 0
    assert re.search(r"docs: 2 files, 2 chunks, 2 embedded, \d\.\d s\n", screen)
    assert "━" in screen
