"""`hector plugin run`: a plugin started as a host starts it, called by hand, and nothing of it left at the end."""

import json
import os
import re
import signal
import socket
import socketserver
from contextlib import closing
from http.server import SimpleHTTPRequestHandler
from threading import Thread

import far
import pytest
from transport import on_unix_sockets

from .conftest import PLUGINS
from .serving import serving

ECHO = str(PLUGINS.parents[2] / "plugins/echo-llm")
TELLER = str(PLUGINS / "teller.py")
EXAMPLE = '{"prompt": "text", "model": "text"}'


def told(text):
    """Who answered."""
    return json.loads(json.loads(text)["text"])


def test_one_call(hector):
    ended = hector("plugin", "run", TELLER, "generatetext", '{"prompt": "hi"}', "--config", '{"mark": "x"}')
    assert (ended.code, ended.err) == (0, "")
    assert told(ended.out)["mark"] == "x"


def test_a_request_from_standard_input_and_options_from_a_file(hector):
    (hector.folder / "options.json").write_text('{"mark": "of a file"}')
    ended = hector(
        *("plugin", "run", TELLER, "GenerateText", "-", "--config", "options.json"), stdin='{"prompt": "hi"}'
    )
    assert told(ended.out)["mark"] == "of a file"


def test_of_a_stream_each_message_is_a_line(hector):
    said = hector.answer("plugin", "run", ECHO, "StreamText", '{"prompt": "one two"}')
    pieces = [json.loads(line) for line in said.splitlines()]
    assert [piece.get("text") for piece in pieces[:2]] == ["one ", "two"]
    assert pieces[-1]["done"]


def test_a_pipe_is_a_call_a_line_and_a_crash_is_told_and_mended(hector):
    lines = [
        'GenerateText {"prompt": "die"}',
        "",
        "# not a call",
        "nonsense",
        'GenerateText \'{"prompt": "hi"}\'',
        "help",
    ]
    ended = hector("plugin", "run", TELLER, stdin="\n".join(lines))
    assert ended.code == 3
    assert told(ended.out)["mark"] == "none"
    first, *rest = ended.err.splitlines()
    assert first == "teller 1.0.0: Says who answers."
    text = "\n".join(rest)
    places = (
        r"  provides   llm_provider\n  process    \d+\n  reached    (unix:/\S+|127\.0\.0\.1:\d+)\n"
        r"  data       /\S+, removed at the end\n"
    )
    assert re.match(places, text)
    assert "  option     mark: string (default none)\n" in text
    assert "  | out of luck\n" in text
    crash = r"\nhector: GenerateText: UNAVAILABLE: .*\n  llm_provider/teller: its process ended \(exit code 7\)\n"
    assert re.search(crash, text)
    assert "\nteller: backoff: exit:7\n" in text
    assert (
        "hector: nonsense: the plugin serves no such RPC\n"
        "  It serves: GenerateText, StreamText, CallTool, ListModels, Describe, Configure.\n"
    ) in text
    assert f"GenerateText {EXAMPLE}\nStreamText {EXAMPLE}   answers with a stream\n" in text


BROKEN = (
    "GenerateText: no GenerateTextRequest: Failed to load JSON: Expecting property name enclosed in double quotes:"
    f" line 1 column 2 (char 1).\n  Write GenerateText '{EXAMPLE}'."
)
NO_FILE = (
    "--config gone.json: No such file or directory\n"
    '  Write a JSON object, such as \'{"mark": "!"}\', or name a file that holds one.'
)
NO_OPTION = f"{TELLER}: option marks: unknown option; there are: mark\n  Give it other options: --config JSON or FILE."
WRONG = [
    (("GenerateTexts",), 1, "GenerateTexts: the plugin serves no such RPC\n  Did you mean GenerateText?"),
    (("GenerateText", "{"), 1, BROKEN),
    (("ListModels",), 3, "ListModels: UNIMPLEMENTED: ListModels is not implemented"),
    (("ListModels", "--config", "gone.json"), 2, NO_FILE),
    (("ListModels", "--config", "["), 2, NO_FILE.replace("gone.json", "[")),
    (("ListModels", "--config", '{"marks": 1}'), 2, NO_OPTION),
]


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_what_is_wrong_is_told(hector, arguments, code, words):
    ended = hector("plugin", "run", TELLER, *arguments)
    assert (ended.code, ended.out) == (code, "")
    said = "".join(line for line in ended.err.splitlines(keepends=True) if not line.startswith("  | "))
    assert said == f"hector: {words}\n"


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
    notes = hector.folder / "notes.txt"
    notes.write_text("hello\n")
    assert hector.refusal("plugin", "run", "notes.txt", code=3) == (
        f"hector: notes.txt: {notes} is not executable\n  chmod +x {notes}\n"
    )
    assert hector.refusal("plugin", "run", str(notes), code=3) == (
        f"hector: {notes} is not executable\n  chmod +x {notes}\n"
    )
    assert hector.refusal("plugin", "run", str(hector.folder), code=3) == (
        f"hector: the folder {hector.folder} has no plugin.yaml\n  Write its manifest, or name the executable itself.\n"
    )
    assert hector.refusal("plugin", "run", ECHO, "--kind", "embedder", code=3) == (
        f"hector: {ECHO}: --kind says embedder_provider, its manifest says llm_provider\n"
        "  Leave out --kind, or name another plugin.\n"
    )
    assert hector.refusal("plugin", "run", TELLER, "--kind", "vision", code=2) == (
        'hector: --kind: "vision" is no kind of plugin\n'
        "  There are llm_provider, database_provider, embedder_provider, tool_provider, reasoning_strategy;"
        " or for short llm, database, embedder, tool, reasoning.\n"
    )


def test_a_server_that_is_no_plugin(hector):
    with socketserver.TCPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        web = f"127.0.0.1:{server.server_address[1]}"
        said = hector.refusal("plugin", "run", web, code=3)
        server.shutdown()
    assert said == (
        f"hector: {web}: {web} does not speak gRPC\n"
        "  Name the port of a gRPC server; one that speaks TLS is reached from a configuration, by tls.\n"
    )


NO_ADDRESS = "--listen {}: {}\n  Write host:port, as 127.0.0.1:8081 (port 0 takes any), or unix:PATH."


@pytest.mark.parametrize("address", ["8080", "unix:", "unix://", "127.0.0.1:http", "127.0.0.1:65536", ":1"])
def test_where_it_shall_listen_is_judged_before_it_starts(hector, address):
    words = NO_ADDRESS.format(address, "is not an address")
    assert hector.refusal("plugin", "run", TELLER, "--listen", address, code=2) == f"hector: {words}\n"


@on_unix_sockets
def test_where_it_cannot_listen_is_told(hector):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = f"127.0.0.1:{taken.getsockname()[1]}"
        for address, what in (port, "Address already in use"), ("unix:/nowhere/x", "No such file or directory"):
            said = hector.refusal("plugin", "run", TELLER, "--listen", address, code=2)
            assert said == f"hector: {NO_ADDRESS.format(address, what)}\n"


def test_who_has_an_address_already_is_given_no_other(hector):
    with closing(far.Servers()) as servers:
        address = f"127.0.0.1:{servers.plugin()[1]}"
        assert hector.refusal("plugin", "run", address, "--listen", "127.0.0.1:0", code=2) == (
            f"hector: --listen: {address} is an address already\n  Leave it out, and name that address.\n"
        )


def test_who_lets_its_host_alone_in_is_not_let_listen(hector):
    hector.environ["HECTOR_TRANSPORT"] = "tcp"
    assert hector.refusal("plugin", "run", TELLER, "--listen", "127.0.0.1:0", code=2) == (
        f"hector: --listen: {TELLER} lets this host alone in, by mutual TLS\n  Unset HECTOR_TRANSPORT for it.\n"
    )


@on_unix_sockets
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
        terminal.read_until("teller>")
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
        terminal.read_until("  | waiting")
        terminal.type("\x03")
        terminal.read_until("(stopped)")
        terminal.read_until("teller>")  # before it, the terminal itself would take Ctrl-D
        terminal.type("\x04")
        code, rest = terminal.end()
    assert (code, "Traceback" in rest) == (0, False)
