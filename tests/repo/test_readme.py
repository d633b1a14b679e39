"""The README is short, and every command in it is run: what sets the project up by .ci/run, the rest here."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 300


def commands() -> list[str]:
    """Each command of the README, without its comment."""
    lines = [line for block in BLOCK.findall(README.read_text()) for line in block.splitlines()]
    return [command for line in lines if (command := shlex.join(shlex.split(line.removeprefix("$ "), comments=True)))]


def test_it_is_short() -> None:
    assert len(README.read_text().splitlines()) < 150


def test_sessions_that_it_names_exist() -> None:
    noxfile = (ROOT / "noxfile.py").read_text()
    sessions = [command.split(" -s ")[1].split() for command in commands() if "nox -s" in command]
    assert sessions
    assert [name for names in sessions for name in names if f"def {name}(session" not in noxfile] == []


def test_its_set_up_is_what_is_run_before_each_merge() -> None:
    run = (ROOT / ".ci/run").read_text()
    set_up = [command for command in commands() if not command.startswith(("hector ", "git clone ", "cd "))]
    parts = ["-m venv", "pip install", "nox -s integration"]
    assert [part for part in parts if not any(part in command for command in set_up)] == []
    assert [part for part in parts if part not in run] == []


@pytest.mark.timeout(900)
def test_its_hector_commands_run_in_their_order(tmp_path: Path) -> None:
    for name in ("plugins", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    failed = {}
    for command in commands():
        words = shlex.split(command)
        if Path(words[0]).name == "hector":
            program = Path(sys.executable).with_name("hector")
            ended = subprocess.run(
                [program, *words[1:]],
                cwd=tmp_path,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
            if ended.returncode:
                failed[command] = ended.stderr
    assert failed == {}
