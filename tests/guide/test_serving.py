"""The guide's two shell blocks that serve and call, run by a shell as they stand: what is served answers the call."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import yaml
from commandline import SECONDS, Command
from guide import ports, programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from commandline import Hector

pytestmark = pytest.mark.timeout(600)  # the first one builds them all
VARIABLE = re.compile(r"\$\{(\w+)\}")
# The guide shows no `server:`; what it leaves to its default, port 8080, another program may have on this machine.
ANY_PORT = {"server": {"port": 0}}


@pytest.fixture
def author(hector: Hector, executables: dict[str, Path]) -> Iterator[Hector]:
    """A folder with the workflow's program under both names, a shell that finds `hector`, and the guide's ports."""
    for name in ("my-plugin", "test-plugin"):
        (hector.folder / name).symlink_to(executables[programs.MY_PLUGIN])
    hector.environ["PATH"] = f"{hector.program.parent}:{hector.environ['PATH']}"
    (hector.folder / "tmp").mkdir()
    hector.environ["TMPDIR"] = str(hector.folder / "tmp")  # no other host of this user is found
    with ports.held():
        yield hector


def shell_block(opening: str) -> str:
    """The one shell block of the guide that begins so."""
    (text,) = [block.text for block in programs.blocks() if block.language == "bash" and block.text.startswith(opening)]
    return text


def write(author: Hector, name: str, section: str, **more: object) -> None:
    """Writes the configuration that the guide shows in a section."""
    (block,) = [block for block in programs.yaml_blocks() if block.section == section]
    author.environ |= {variable: f"value of {variable}" for variable in VARIABLE.findall(block.text)}
    author.write({**yaml.safe_load(block.text), **ANY_PORT, **more}, name)


@contextmanager
def shell(author: Hector, script: str) -> Iterator[Command]:
    """A shell that runs the script, until the block is left; all that it has started is ended with it."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        ["sh", "-c", script],
        cwd=author.folder,
        env=author.environ,
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        process_group=0,
    )
    try:
        yield Command(process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=SECONDS)


def test_serve_in_one_terminal_and_call_in_another(author: Hector) -> None:
    serving, calling = re.findall("^hector .*$", shell_block("# Start Hector with plugin"), re.MULTILINE)
    assert (serving, calling) == ("hector serve --config config.yaml", 'hector call my_agent "Hello" --llm custom')
    # The guide shows no agent here; it names the one that its call asks, and the model.
    write(author, "config.yaml", "Plugin Development Workflow", agents={"my_agent": {"llm": "custom"}})
    with shell(author, f"exec {serving}") as terminal:
        terminal.read_until("Serving 1 agent")
        ended = author.shell(calling)
        (plugin,) = author("plugin", "list", "--json").json
    assert (ended.code, ended.out, ended.err) == (0, "Custom response\n", "")
    assert plugin["plugin"] == "my_plugin"
    assert plugin["calls"] > 0  # it was this host's plugin that answered


def test_serve_in_the_background_and_call(author: Hector) -> None:
    # The call names no file and finds none under a name that is looked for: it uses the only live host.
    write(author, "test-config.yaml", "Plugin Testing")
    block = shell_block("# Run integration tests")
    assert block.endswith('&\nsleep 5\nhector call test_agent "Test message"\n')
    with shell(author, f"{block}wait") as terminal:
        printed = terminal.read_until("Custom response\n")
        (plugin,) = author("plugin", "list", "--json").json
    assert re.fullmatch(r"Serving 1 agent on 127\.0\.0\.1:\d+\nCustom response\n", printed)
    assert plugin["plugin"] == "test_plugin"
    assert plugin["calls"] > 0
