"""From an empty folder with only the wheels: new, one line edited, test, pack, install, call. For each kind."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Machine

PROMISED = 120
"""Seconds that all verbs of one plugin may take together, with a warm package cache."""
NAME = "blue-heron"


@dataclass(frozen=True)
class Walk:
    """One plugin's way.

    Attributes:
        kind: What `--kind` says.
        language: What `--language` says.
        file: Where a line is edited.
        old: A part of the line.
        new: What it becomes.
        seen: What the last call prints because of it.
        call: Its options.
    """

    kind: str
    language: str
    file: str
    old: str
    new: str
    seen: str
    call: tuple[str, ...] = ()


PYTHON = "src/blue_heron"
WALKS = [
    Walk("llm", "python", f"{PYTHON}/models.py", "Reply(asked.question)", 'Reply(asked.question + "!")', "Hello!\n"),
    Walk("llm", "go", "plugin.go", "answer{text: talk.question}", 'answer{text: talk.question + "!"}', "Hello!\n"),
    Walk("tool", "python", f"{PYTHON}/listing.py", 'f"{shown}/"', 'f"{shown}/ (edited)"', "/ (edited)", ("--steps",)),
    Walk(
        *("tool", "go", "text.go", "len(strings.Fields(given.Text)),", "1000 + len(strings.Fields(given.Text)),"),
        *('"words":1003', ("--steps",)),
    ),
    Walk(
        *("database", "python", f"{PYTHON}/plugin.py", "    return Service(", '    print("edited"); return Service('),
        *("edited", ("--verbose",)),
    ),
    Walk(
        *("embedder", "python", f"{PYTHON}/hashing.py", "    own, *parts = ", '    print("edited"); own, *parts = '),
        *("edited", ("--verbose",)),
    ),
    Walk(
        *("reasoning", "python", f"{PYTHON}/machine.py", "for part in state.answer]"),
        *('for part in (*state.answer, {"text": "!"})]', "Hello!\n"),
    ),
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: f"{walk.kind}-{walk.language}")
def test_from_an_empty_folder_to_an_answer(machine: Machine, walk: Walk) -> None:
    machine("plugin", "new", NAME, "--kind", walk.kind, "--language", walk.language)
    edit(machine.folder / NAME / walk.file, walk.old, walk.new)
    if walk.language == "go":
        build(machine)
    assert " 0 failed" in machine("plugin", "test", NAME).stdout
    machine("plugin", "pack", NAME)
    (archive,) = (machine.folder / NAME / "dist").glob("*.tar.gz")
    machine("plugin", "install", archive)
    configure(machine.folder, machine.folder / NAME / "hector.yaml")
    if walk.kind in {"database", "embedder"}:
        machine("index")
    said = machine("call", NAME, "Hello", *walk.call)
    assert walk.seen in said.stdout + said.stderr
    assert sum(machine.times.values()) < PROMISED


def edit(file: Path, old: str, new: str) -> None:
    """Edits one line."""
    text = file.read_text()
    assert text.count(old) == 1, f"{file} has {text.count(old)} times {old}"
    file.write_text(text.replace(old, new))


def build(machine: Machine) -> None:
    """What the README of a fork in Go says first."""
    started = time.monotonic()
    environ = machine.environ | {"GOWORK": "off"}
    subprocess.run(["go", "build", "."], cwd=machine.folder / NAME, env=environ, check=True)
    machine.times["go build"] = time.monotonic() - started


def configure(folder: Path, example: Path) -> None:
    """The fork's own configuration, the plugin where it was installed: discovered, or by path if it has options."""
    document = yaml.safe_load(example.read_text())
    for group in document["plugins"].values():
        entry = group.pop(NAME, {})
        if "config" in entry:
            group[NAME] = {**entry, "path": f"~/.hector/plugins/{NAME}"}
    document["plugins"] = {group: entries for group, entries in document["plugins"].items() if entries}
    document["plugins"]["discovery"] = {"enabled": True}
    (folder / "hector.yaml").write_text(yaml.safe_dump(document))
    (folder / "README.md").write_text("# Herons\n\nSay hello to the blue heron.\n")
