"""Which installer builds a `.venv`, what goes into it, and what an error shows of a tool that failed."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from hector_host.authoring.command import run
from hector_host.authoring.environment import Environment, Installer, find_installer, relocate
from hector_host.authoring.templates import origin
from hector_host.errors import HectorError, PluginError


def test_uv_where_there_is_one_else_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_installer().name == "uv"  # beside this interpreter
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    assert find_installer() == Installer("uv", (sys.executable, "-m", "uv"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert find_installer() == Installer("pip")


def test_pip_is_said_to_take_its_time() -> None:
    sources = f"the contract and the SDK from {origin()}"
    said = [
        Environment("words", Path(), installer=each).described()
        for each in (Installer("pip"), Installer("uv", ("uv",)))
    ]
    assert said == [
        f"Building .venv with pip, which may take half a minute: its dependencies; {sources}",
        f"Building .venv with uv: its dependencies; {sources}",
    ]


def test_pip_gets_the_same_as_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[dependency-groups]\ndev = ["pytest", {include-group = "more"}]\nmore = ["x", {include-group = "dev"}]\n'
    )
    said: list[list[str]] = []
    monkeypatch.setattr(Environment, "_run", lambda self, *command: said.append(list(command)))
    for installer in (Installer("pip"), Installer("uv", ("uv",))):
        Environment("words", tmp_path, editable=True, dev=True, installer=installer).build()
    python = str(tmp_path / ".venv/bin/python")
    what = [str(origin() / "gen"), str(origin() / "sdk/python"), "--editable", ".", "pytest", "x"]
    assert said == [
        [sys.executable, "-m", "venv", ".venv"],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what],
        ["uv", "venv", "--quiet", "--no-project", "--python", sys.executable, ".venv"],
        ["uv", "pip", "install", "--quiet", "--python", python, *what],
    ]


def test_a_project_file_that_is_broken(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[")
    environment = Environment("words", tmp_path, dev=True)
    with pytest.raises(PluginError) as caught:
        environment._requirements()
    assert str(caught.value).startswith(f"words: {tmp_path}/pyproject.toml cannot be read: ")


def test_requirements_of_a_plugin_without_a_project(tmp_path: Path) -> None:
    assert Environment("words", tmp_path)._requirements() == [str(origin() / "gen"), str(origin() / "sdk/python")]
    (tmp_path / "requirements.txt").write_text("x\n")
    assert Environment("words", tmp_path)._requirements()[2:] == ["-r", "requirements.txt"]


def test_an_environment_that_moves_keeps_what_is_no_text(tmp_path: Path) -> None:
    scripts = tmp_path / ".venv/bin"
    scripts.mkdir(parents=True)
    (scripts / "tool").write_text("#!/old/.venv/bin/python\n")
    (scripts / "program").write_bytes(b"\x7fELF\0/old")
    (scripts / "python").symlink_to(sys.executable)
    relocate(tmp_path, Path("/old"), Path("/new"))
    assert (scripts / "tool").read_text() == "#!/new/.venv/bin/python\n"
    assert (scripts / "program").read_bytes() == b"\x7fELF\0/old"


def test_of_what_a_tool_said_the_end_is_shown(tmp_path: Path) -> None:
    script = "for n in $(seq 50); do echo line $n; done; printf 'a\\033[2Jb\\n\\n'; exit 9"
    with pytest.raises(PluginError) as caught:
        run("words", ["sh", "-c", script], tmp_path, "Mend it.")
    shown = [f"  | line {number}" for number in range(40, 51)]
    assert str(caught.value).splitlines() == [
        "words: sh failed with exit code 9",
        *shown,
        "  | a\\x1b[2Jb",
        "  Mend it.",
    ]


def test_a_tool_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HectorError) as caught:
        run("words", [tmp_path / "tool"], tmp_path, "Get it.")
    assert str(caught.value) == f"{tmp_path}/tool: cannot be run: No such file or directory\n  Get it."


def test_what_is_set_for_the_host_does_not_mislead_a_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "GOWORK"):
        monkeypatch.setenv(name, "of-the-host")
    said = run("words", ["env"], tmp_path, "", {"CGO_ENABLED": "0"})
    assert "of-the-host" not in said
    assert "CGO_ENABLED=0" in said.splitlines()
