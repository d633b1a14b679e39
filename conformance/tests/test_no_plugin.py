"""What is said of that which is no plugin: the whole text, and the exit code."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from hector_host.authoring.templates import origin

if TYPE_CHECKING:
    from collections.abc import Iterator

HECTOR = Path(sys.executable).with_name("hector")
STEP = "A plugin prints a handshake as its first line or listens on a port, and serves a service of hector.plugin.v1."
SLOW_STEP = f"{STEP}\n  Give a slow one more time: timeout in conformance.yaml beside it."
ADDRESS_STEP = "Name the address of a plugin that runs: of a gRPC server with a service of hector.plugin.v1."


def outcome(folder: Path, *arguments: str) -> tuple[int, str, str]:
    command = [HECTOR, "plugin", "test", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def manifest(folder: Path, command: str, kind: str = "llm_provider") -> None:
    text = f"plugin: {{name: thing, version: '1', kinds: [{kind}], command: [{command}]}}\n"
    (folder / "plugin.yaml").write_text(text)


def script(folder: Path, text: str, name: str = "thing", timeout: str = "") -> None:
    program = folder / name
    program.write_text(textwrap.dedent(text).lstrip())
    program.chmod(0o755)
    if timeout:
        (folder / f"{name}.conformance.yaml").write_text(f"timeout: {timeout}\n")


def test_a_script_that_prints_prose_and_ends(tmp_path: Path) -> None:
    script(tmp_path, "#!/bin/sh\nprintf 'I am \\033[31m no plugin\\n'\n")
    assert outcome(tmp_path, "thing") == (
        3,
        "",
        (
            "hector: thing: its process ended (exit code 0) before it was ready\n"
            "  last log lines:\n"
            "    I am \\x1b[31m no plugin\n"
            f"  {STEP}\n"
        ),
    )


def test_a_text(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text")
    assert outcome(tmp_path, "notes.txt") == (
        3,
        "",
        f"hector: notes.txt: {tmp_path}/notes.txt is not executable\n  chmod +x {tmp_path}/notes.txt\n",
    )


def test_a_whole_path_is_said_once(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("text")
    assert outcome(tmp_path, str(notes)) == (3, "", f"hector: {notes} is not executable\n  chmod +x {notes}\n")


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    assert outcome(tmp_path, ".") == (
        3,
        "",
        (
            f"hector: .: the folder {tmp_path} has no plugin.yaml\n"
            "  Write its manifest, or name the executable itself.\n"
        ),
    )


def test_a_program_in_go_that_is_not_built(tmp_path: Path) -> None:
    manifest(tmp_path, "./thing")
    (tmp_path / "go.mod").touch()
    assert outcome(tmp_path, ".") == (
        3,
        "",
        (
            f"hector: .: there is nothing at {tmp_path}/thing\n"
            f"  It is not built yet: cd {tmp_path} && GOWORK=off go build -o thing .\n"
        ),
    )


def test_a_program_in_python_without_its_environment(tmp_path: Path) -> None:
    manifest(tmp_path, "python, -m, thing")
    lines = f"  last log lines:\n    {sys.executable}: No module named thing\n"
    ended = f"hector: .: its process ended (exit code 1) before it was ready\n{lines}"
    assert outcome(tmp_path, ".") == (
        3,
        "",
        f"{ended}  Install what has thing for the Python that runs it, {sys.executable}, or into a .venv beside it.\n",
    )
    (tmp_path / "pyproject.toml").touch()
    sources = f"{origin()}/gen {origin()}/sdk/python"
    build = f"cd {tmp_path} && python3 -m venv .venv && .venv/bin/pip install {sources} -e ."
    assert outcome(tmp_path, ".") == (3, "", f"{ended}  It has no .venv yet: {build}\n")


def test_a_plugin_of_another_kind_than_is_said(tmp_path: Path, wrong: Path) -> None:
    assert outcome(tmp_path, str(wrong), "--kind", "embedder") == (
        3,
        "",
        (
            f"hector: {wrong}: --kind says embedder_provider, its manifest says llm_provider, tool_provider\n"
            "  Leave out --kind, or name another plugin.\n"
        ),
    )


def test_a_plugin_of_another_kind_than_its_manifest_has(tmp_path: Path) -> None:
    plugin = """
        from hector_sdk import LLM, serve
        class Thing(LLM):
            async def generate_text(self, request): ...
        serve(Thing(), name="thing", version="1")
    """
    script(tmp_path, plugin, "thing.py")
    manifest(tmp_path, "python, thing.py", kind="tool_provider")
    assert outcome(tmp_path, ".") == (
        3,
        "",
        (
            "hector: .: its manifest says tool_provider, its process serves llm_provider\n"
            "  Mend kinds in its manifest.\n"
        ),
    )


def test_a_path_where_nothing_is(tmp_path: Path) -> None:
    assert outcome(tmp_path, "no/such") == (
        2,
        "",
        (
            "hector: no/such: there is no such file, and it is no address\n"
            "  Name a folder with plugin.yaml, an executable, a .py file, or an address: host:port or unix:PATH.\n"
        ),
    )


def test_a_program_that_never_shakes_hands(tmp_path: Path) -> None:
    script(tmp_path, "#!/bin/sh\nexec sleep 600\n", timeout="1s")
    assert outcome(tmp_path, "thing") == (
        3,
        "",
        f"hector: thing: printed no handshake and listened on no port within 1 s\n  it logged nothing\n  {SLOW_STEP}\n",
    )


def test_a_program_that_shakes_hands_and_never_answers(tmp_path: Path) -> None:
    program = f"""
        #!{sys.executable}
        import socket, time
        listening = socket.socket(socket.AF_UNIX)
        listening.bind("{tmp_path}/s")
        listening.listen()
        print("1|1|unix|{tmp_path}/s|grpc|", flush=True)
        time.sleep(600)
    """
    script(tmp_path, program, timeout="2s")
    assert outcome(tmp_path, "thing") == (
        3,
        "",
        f"hector: thing: did not answer at {tmp_path}/s within 2 s\n  it logged nothing\n  {SLOW_STEP}\n",
    )


def test_an_address_where_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        found = outcome(tmp_path, address)
    assert found == (3, "", f"hector: {address}: nobody listens at {address}\n  {ADDRESS_STEP}\n")


def test_an_address_that_speaks_http_1(tmp_path: Path) -> None:
    with serving_http() as address:
        found = outcome(tmp_path, address)
    assert found == (3, "", f"hector: {address}: {address} does not speak gRPC\n  {ADDRESS_STEP}\n")


def test_an_address_without_a_service_of_the_contract(tmp_path: Path) -> None:
    server = grpc.server(None)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        found = outcome(tmp_path, address)
    finally:
        server.stop(None).wait()
    assert found == (
        3,
        "",
        (
            f"hector: {address}: nothing says what it provides: no group in the configuration, no manifest, "
            f"no Describe, no reflection\n  Say what it provides with --kind, for example --kind llm.\n"
        ),
    )


def test_a_plugin_that_refuses_its_options(tmp_path: Path, wrong: Path) -> None:
    assert outcome(tmp_path, str(wrong), "--config", '{"fauld": ""}') == (
        2,
        "",
        (
            f"hector: {wrong}: option fauld: unknown option\n"
            "  Give the options that it needs with --config, or in conformance.yaml beside it.\n"
        ),
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("none", "is neither a JSON object nor a file"),
    ],
)
def test_options_that_are_none(tmp_path: Path, wrong: Path, given: str, words: str) -> None:
    step = """Write '{"key": "value"}'."""
    assert outcome(tmp_path, str(wrong), "--config", given) == (2, "", f"hector: --config: {words}\n  {step}\n")


@pytest.mark.parametrize("command", [[HECTOR, "plugin", "test"], [HECTOR.with_name("hector-conformance")]])
def test_kinds_have_short_names(tmp_path: Path, wrong: Path, command: list[Path | str]) -> None:
    def said(kind: str) -> str:
        arguments = [*command, wrong, "--kind", kind]
        done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stderr.partition(": ")[2]

    assert said("reasoning").startswith(f"{wrong}: --kind says reasoning_strategy, its manifest says ")
    assert said("vision") == (
        '--kind: "vision" is no kind of plugin\n'
        "  There are llm_provider, database_provider, embedder_provider, tool_provider, reasoning_strategy;"
        " or for short llm, database, embedder, tool, reasoning.\n"
    )


def test_a_host_without_the_suite_says_how_to_get_it(tmp_path: Path) -> None:
    program = "import sys; sys.modules['hector_conformance'] = None; from hector_host.cli.main import main; main()"
    command = [sys.executable, "-c", program, "plugin", "test", "x"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        (
            "hector: plugin test: the conformance suite is not installed\n"
            '  Install it beside Hector: pip install "hector-host[author]"\n'
            "  From a checkout, while nothing is published: pip install ./conformance\n"
        ),
    )


@contextmanager
def serving_http() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()
