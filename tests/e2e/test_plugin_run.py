"""`hector plugin run`: a plugin started as a host starts it, called by hand, and nothing of it left at the end."""

import json
import os
import re
import signal

import far
import pytest

from .conftest import PLUGINS
from .serving import serving

TELLER = str(PLUGINS / "teller.py")
EXAMPLE = '{"prompt": "text", "model": "text"}'


def told(text):
    """Who answered."""
    return json.loads(json.loads(text)["text"])


def test_one_call(hector):
    ended = hector("plugin", "run", TELLER, "generatetext", '{"prompt": "hi"}', "--config", '{"mark": "x"}')
    assert (ended.code, ended.err) == (0, "")
    assert told(ended.out)["mark"] == "x"
    assert hector.answer("plugin", "run", TELLER, "ListModels") == "{}\n"


def test_a_request_from_standard_input_and_options_from_a_file(hector):
    (hector.folder / "options.json").write_text('{"mark": "of a file"}')
    ended = hector(
        *("plugin", "run", TELLER, "GenerateText", "-", "--config", "options.json"), stdin='{"prompt": "hi"}'
    )
    assert told(ended.out)["mark"] == "of a file"


def test_of_a_stream_each_message_is_a_line(hector):
    said = hector.answer("plugin", "run", str(PLUGINS / "gated.py"), "StreamText", '{"prompt": "x"}', "--config", "{}")
    pieces = [json.loads(line) for line in said.splitlines()]
    assert len(pieces) > 1


def test_a_pipe_is_a_call_a_line_and_a_crash_is_told_and_mended(hector):
    lines = ['GenerateText {"prompt": "die"}', "", "# not a call", "nonsense", 'GenerateText {"prompt": "hi"}', "help"]
    ended = hector("plugin", "run", TELLER, stdin="\n".join(lines))
    assert ended.code == 3
    assert told(ended.out)["mark"] == "none"
    first, *rest = ended.err.splitlines()
    assert first == "teller 1.0.0: Says who answers."
    text = "\n".join(rest)
    assert re.match(
        r"  provides   llm_provider\n  process    \d+\n  reached    unix:/\S+\n  data       /\S+, removed", text
    )
    assert "  option     mark: string (default none)\n" in text
    assert "  | out of luck\n" in text
    assert re.search(
        r"^hector: GenerateText: UNAVAILABLE: .*\n  llm_provider/teller: its process ended \(exit code 7\)$",
        text,
        re.MULTILINE,
    )
    assert "\nteller: backoff: exit:7\n" in text
    assert (
        "hector: nonsense: the plugin serves no such RPC\n"
        "  It serves: GenerateText, StreamText, CallTool, ListModels, Describe, Configure.\n"
    ) in text
    assert f"GenerateText {EXAMPLE}\nStreamText {EXAMPLE}   answers with a stream\n" in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("GenerateTexts",),
            1,
            "hector: GenerateTexts: the plugin serves no such RPC\n  Did you mean GenerateText?\n",
        ),
        (
            ("GenerateText", "{"),
            1,
            "hector: GenerateText: no GenerateTextRequest: Failed to load JSON: Expecting property name enclosed in"
            f" double quotes: line 1 column 2 (char 1).\n  Write GenerateText '{EXAMPLE}'.\n",
        ),
        (
            ("ListModels", "--config", "gone.json"),
            2,
            "hector: --config gone.json: No such file or directory\n"
            '  Write a JSON object, such as \'{"mark": "!"}\', or name a file that holds one.\n',
        ),
        (
            ("ListModels", "--config", '{"mark": "broken"}'),
            3,
            None,
        ),
        (
            ("ListModels", "--config", '{"marks": 1}'),
            2,
            f"hector: {TELLER}: option marks: unknown option; there are: mark\n"
            "  Give it other options: --config JSON or FILE.\n",
        ),
    ],
)
def test_what_is_wrong_is_told(hector, arguments, code, words):
    ended = hector("plugin", "run", TELLER, *arguments)
    assert (ended.code, ended.out) == (code, "")
    said = "".join(line for line in ended.err.splitlines(keepends=True) if not line.startswith("  | "))
    if words is not None:
        assert said == words


def test_what_is_no_plugin(hector):
    assert hector.refusal("plugin", "run", "./nowhere", code=2) == (
        "hector: ./nowhere: there is no such file, and it is no address\n"
        "  Name a folder with plugin.yaml, an executable, a .py file, or an address: host:port or unix:PATH.\n"
    )
    assert hector.refusal("plugin", "run", ".", code=3) == (
        f"hector: .: the folder {hector.folder} has no plugin.yaml\n"
        "  Write its manifest, or name the executable itself.\n"
    )
    nobody = f"127.0.0.1:{far.free_port()}"
    assert hector.refusal("plugin", "run", nobody, "ListModels", code=3) == (
        f"hector: {nobody}: nobody listens at {nobody}\n  Start it there, or name another.\n"
    )
    assert hector.refusal("plugin", "run", TELLER, "--listen", "8080", code=2).endswith(
        "hector: --listen 8080: is not an address\n"
        "  Write host:port, as 127.0.0.1:8081 (port 0 takes any), or unix:PATH.\n"
    )


def test_a_host_and_others_reach_it_where_it_is_let_listen(hector):
    hector.write(
        {
            "plugins": {"llm_providers": {"t": {"path": TELLER}}},
            "llms": {"m": {"type": "plugin:t"}},
            "agents": {"a": {"llm": "m"}},
        }
    )
    with serving(hector) as host, hector.running("plugin", "run", TELLER, "--listen", "127.0.0.1:0") as running:
        said = running.read_error_until("  listens    127.0.0.1:")
        said += running.read_error_until("\n") if not said.endswith("\n") else ""
        address = re.search(r"listens    (\S+)\n", said)[1]
        pid = int(re.search(r"process    (\d+)", said)[1])
        hector.answer("plugin", "attach", "t", "--address", address)
        assert json.loads(host.answer("who"))["pid"] == pid
        other = hector.answer("plugin", "run", address, "GenerateText", '{"prompt": "hi"}')
        assert told(other)["pid"] == pid
        os.kill(pid, signal.SIGKILL)  # the one that is started then is found by those who were there
        running.read_error_until("teller: backoff: signal:9")
        assert json.loads(host.answer("who"))["pid"] != pid
        hector.answer("plugin", "detach", "t")
        running.close_stdin()
        assert running.end().code == 0


def test_the_prompt_completes_names_and_shows_an_example(hector):
    with hector.terminal("plugin", "run", TELLER) as terminal:
        terminal.read_until("teller> ")
        terminal.type("Gen\t")
        terminal.read_until("GenerateText")
        terminal.type(" \t")
        terminal.read_until(EXAMPLE)
        terminal.type("\r")
        terminal.read_until('"text": "{')
        terminal.type('generatetext {"prompt": "die"}\r')
        terminal.read_until("backoff: exit:7")
        terminal.type('generatetext {"prompt": "hi"}\r')
        terminal.read_until('"text": "{')
        terminal.type('generatetext {"prompt": "wait"}\r')
        terminal.type("\x03")
        terminal.read_until("(stopped)")
        terminal.type("\x04")
        code, rest = terminal.end()
    assert (code, "Traceback" in rest) == (0, False)
