"""`hector plugin new`: what it writes, and what it refuses."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from hector_host.authoring import example
from hector_host.authoring.fork import fork
from hector_host.authoring.sources import source_files
from hector_host.authoring.templates import SHORT, Language, kind_named, origin, template
from hector_host.config import check, load
from hector_host.config.kinds import Kind
from hector_host.config.manifest import read_manifest

FORKS = [(kind, Language.PYTHON) for kind in Kind] + [(Kind.LLM, Language.GO), (Kind.TOOL, Language.GO)]
IDS = [f"{kind}-{language}" for kind, language in FORKS]


@pytest.mark.parametrize(("kind", "language"), FORKS, ids=IDS)
def test_a_fork_bears_its_own_name_everywhere(kind: Kind, language: Language, tmp_path: Path) -> None:
    chosen, folder = template(kind, language), tmp_path / "blue-heron"
    fork(chosen, "blue-heron", folder)
    old = re.compile(rf"{chosen.name}|hector_{chosen.name.replace('-', '_')}")
    left = {
        f"{path}:{number}: {line}"
        for path in source_files(folder)
        if path.parts[0] != "third_party"
        for number, line in enumerate((folder / path).read_text().splitlines(), start=1)
        if old.search(f"{path} {line}")
    }
    assert {line.split(": ", 1)[1] for line in left} == {f"It began as a fork of Hector's `{chosen.name}`."}
    manifest = read_manifest(folder / "plugin.yaml")
    assert (manifest.name, manifest.kinds) == ("blue-heron", (kind,))
    assert (folder / "README.md").read_text().startswith("# blue-heron\n")
    if language is Language.PYTHON:
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        assert project["name"] == "blue-heron"
        assert project["entry-points"]["hector.plugins"] == {"blue-heron": "blue_heron"}
        assert (folder / "src/blue_heron/__main__.py").is_file()
        assert manifest.command == ("python", "-m", "blue_heron")
    else:
        assert manifest.command == ("./blue-heron",)
        assert (folder / "go.mod").read_text().startswith("module hector.example/plugins/blue-heron\n")


@pytest.mark.parametrize(("kind", "language"), FORKS, ids=IDS)
def test_a_fork_has_nothing_outside_its_folder(kind: Kind, language: Language, tmp_path: Path) -> None:
    fork(template(kind, language), "blue-heron", tmp_path)
    texts = {path: (tmp_path / path).read_text() for path in source_files(tmp_path) if path.parts[0] != "third_party"}
    assert [str(path) for path, text in texts.items() if "](../" in text or "=> ../" in text] == []
    assert "CHECKOUT" not in texts[Path("README.md")]
    steps = texts[Path("README.md")].split("## Make it yours")[1]
    assert "1. Replace" in steps
    assert "Copy this folder" not in steps
    assert re.search(r"\n\d\. Change its tests with what it does: they came along, and hold it to .*\n\n```sh\n", steps)
    assert "hector plugin test ." in steps


@pytest.mark.parametrize(("kind", "language"), FORKS, ids=IDS)
def test_the_configuration_of_a_fork_is_valid(
    kind: Kind, language: Language, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork(template(kind, language), "blue-heron", tmp_path)
    config = load(tmp_path / "hector.yaml")
    check(config)
    assert config.plugins["blue-heron"].path == tmp_path
    assert list(config.agents) == ["blue-heron"]


@pytest.mark.parametrize("kind", [Kind.LLM, Kind.TOOL])
def test_a_fork_in_go_builds_from_what_came_with_it(kind: Kind, tmp_path: Path) -> None:
    fork(template(kind, Language.GO), "blue-heron", tmp_path)
    done = subprocess.run(
        ["go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Dir}}{{end}}", "."],
        cwd=tmp_path,
        env={**os.environ, "GOWORK": "off", "GOFLAGS": "-mod=readonly"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    places = dict(line.split() for line in done.stdout.splitlines() if line.startswith("hector.example/"))
    assert places == {
        "hector.example/plugins/blue-heron": str(tmp_path),
        "hector.example/sdk": str(tmp_path / "third_party/hector/sdk/go"),
        "hector.example/gen": str(tmp_path / "third_party/hector/gen"),
    }


def test_each_short_word_means_a_kind() -> None:
    assert {kind_named(word) for word in SHORT} == set(Kind)
    assert [kind_named(kind.value) for kind in Kind] == list(Kind)


def test_it_tells_what_comes_next(command) -> None:
    ended = command("new", "blue-heron", "--kind", "llm", "--no-venv", "--into", "birds")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "birds/blue-heron: a fork of echo-llm, in Python\n"
        "Next:\n"
        "  cd birds/blue-heron\n"
        f"  python3 -m venv .venv && .venv/bin/pip install {origin()}/gen {origin()}/sdk/python -e .\n"
        "  hector plugin test .\n"
        '  hector call blue-heron "Hello"\n'
    )
    assert yaml.safe_load(Path("birds/blue-heron/plugin.yaml").read_text())["plugin"]["name"] == "blue-heron"
    assert not Path("birds/blue-heron/.venv").exists()


def test_it_tells_what_hector_yaml_needs_beside_it(command, monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"hector-echo-llm", "hector-sdk"}
    monkeypatch.setattr(example, "_installed", there.__contains__)
    lines = command("new", "blue-heron", "--kind", "embedder", "--no-venv").out.splitlines()
    assert lines[4] == f"  pip install {origin()}/plugins/faiss-database   # into Hector's environment, for hector.yaml"
    there.clear()
    lines = command("new", "grey-heron", "--kind", "embedder", "--no-venv").out.splitlines()
    assert lines[4].split()[2:5] == [
        f"{origin()}/{part}" for part in ("sdk/python", "plugins/echo-llm", "plugins/faiss-database")
    ]


def test_into_an_empty_folder(command) -> None:
    Path("blue-heron").mkdir()
    assert command("new", "blue-heron", "--kind", "llm", "--no-venv").code == 0


def test_into_a_folder_that_is_not_empty(command) -> None:
    Path("blue-heron").mkdir()
    Path("blue-heron/mine.txt").write_text("mine")
    ended = command("new", "blue-heron", "--kind", "llm")
    assert (ended.code, ended.err) == (
        2,
        "hector: blue-heron: is there and not empty\n  Choose another name, or another folder by --into.\n",
    )
    assert [path.name for path in Path("blue-heron").iterdir()] == ["mine.txt"]


def test_into_what_is_no_folder(command) -> None:
    Path("blue-heron").write_text("mine")
    assert command("new", "blue-heron", "--kind", "llm").err == (
        "hector: blue-heron: is there and no folder\n  Choose another name, or another folder by --into.\n"
    )


def test_below_what_is_no_folder(command) -> None:
    Path("birds").write_text("mine")
    assert command("new", "blue-heron", "--kind", "llm", "--into", "birds").err == (
        "hector: birds/blue-heron: cannot be written: Not a directory\n"
        "  Choose a folder that is yours and has room by --into.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["x-ray", "--kind", "vision"],
            (
                '--kind: "vision" is no kind of plugin\n'
                "  There are llm_provider, database_provider, embedder_provider, tool_provider, reasoning_strategy;"
                " or for short llm, database, embedder, tool, reasoning."
            ),
        ),
        (
            ["x-ray", "--kind", "llm", "--language", "rust"],
            (
                '--language: "rust" has no templates\n'
                "  There are python and go. In any other language a plugin is written from the contract alone:"
                " docs/protocol.md."
            ),
        ),
        (
            ["x-ray", "--kind", "database", "--language", "go"],
            (
                "--language: there is no template for database_provider in Go\n"
                "  In Go there are llm_provider, tool_provider. Write it in Python, or in Go from docs/protocol.md."
            ),
        ),
    ],
    ids=["kind", "language", "both"],
)
def test_what_there_is_no_template_for(command, arguments: list[str], message: str) -> None:
    ended = command("new", *arguments)
    assert (ended.code, ended.err) == (2, f"hector: {message}\n")
    assert list(Path().iterdir()) == []


ANOTHER = "Choose another one, for example my-llm."
FORM = "Write small letters and digits, words joined by one hyphen, 50 characters at most: my-llm."


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My_LLM", f'"My_LLM" cannot be the name of a plugin\n  {FORM}'),
        ("../up", f'"../up" cannot be the name of a plugin\n  {FORM}'),
        ("a--b", f'"a--b" cannot be the name of a plugin\n  {FORM}'),
        ("1st", f'"1st" cannot be the name of a plugin\n  {FORM}'),
        ("a\x1b[2J", f'"a\\x1b[2J" cannot be the name of a plugin\n  {FORM}'),
        ("b" * 51, f'"{"b" * 50} …" cannot be the name of a plugin\n  {FORM}'),
        ("hector", f'"hector" is taken: Hector or its tools use the name themselves\n  {ANOTHER}'),
        ("hector-llm", f'"hector-llm" is taken: Hector or its tools use the name themselves\n  {ANOTHER}'),
        ("tests", f'"tests" is taken: Hector or its tools use the name themselves\n  {ANOTHER}'),
        ("lambda", f'"lambda" is taken: the word is a keyword of Python\n  {ANOTHER}'),
        ("json", f'"json" is taken: its module would hide json of the standard library\n  {ANOTHER}'),
        ("grpc", f'"grpc" is taken: its module would hide the installed module grpc\n  {ANOTHER}'),
    ],
)
def test_names_that_cannot_be(command, name: str, message: str) -> None:
    ended = command("new", name, "--kind", "llm")
    assert (ended.code, ended.err) == (2, f"hector: {message}\n")
    assert list(Path().iterdir()) == []


def test_a_name_that_the_templates_own_code_imports(command) -> None:
    assert command("new", "faiss", "--kind", "database").err == (
        f'hector: "faiss" is taken: its module would hide the installed module faiss\n  {ANOTHER}\n'
    )


def test_a_name_that_means_something_in_python_is_free_in_go(command) -> None:
    assert command("new", "json", "--kind", "llm", "--language", "go").code == 0


def test_a_class_keeps_its_name_where_the_new_one_is_used_already(tmp_path: Path) -> None:
    fork(template(Kind.LLM, Language.PYTHON), "options", tmp_path)
    text = (tmp_path / "src/options/plugin.py").read_text()
    assert "class EchoLLM(" in text
    assert "from options.models import" in text


def test_an_installer_that_fails(command, tool) -> None:
    tool("uv", 'case "$1" in pip) echo "resolving" >&2; echo "  no such host" >&2; exit 3;; esac')
    ended = command("new", "blue-heron", "--kind", "llm")
    assert (ended.code, ended.err) == (
        3,
        (
            "hector: blue-heron: uv pip install failed with exit code 3\n"
            "  | resolving\n"
            "  |   no such host\n"
            "  Is there a network? Name a folder of wheels by --find-links, or an index in the settings of uv or pip.\n"
            "  The sources stay in blue-heron. Remove it and try again, or go on with --no-venv.\n"
        ),
    )
    assert Path("blue-heron/plugin.yaml").is_file()
