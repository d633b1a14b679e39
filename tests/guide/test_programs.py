"""What the guide says about building: its unit test, its builds for three systems, and its Dockerfile's build step."""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING

import pytest
from guide import programs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)  # the first build for a system compiles its standard library


def test_every_go_and_python_program_of_the_guide_is_here() -> None:
    shown = [block for block in programs.blocks() if block.language in {"go", "python"}]
    assert len(shown) == sum(len(sources) for sources in programs.SOURCES.values()) + 1


def test_a_mend_fails_when_the_guide_says_something_else() -> None:
    with pytest.raises(ValueError, match=r"^the guide has 0 times, not 1:\nfoo$"):
        programs.Mend("foo", "bar")("what the guide says now")


def test_programs_differ_from_the_guide_by_their_mends_alone(sources: dict[str, Path]) -> None:
    changed = {}
    for name, parts in programs.SOURCES.items():
        for part in parts:
            lines = (sources[name] / part.file).read_text().splitlines()
            changed[name, part.file] = sum(line not in programs.GUIDE.splitlines() for line in lines)
    assert changed == {
        (programs.LLM, "main.go"): 8,  # two imports, the signature, and five lines that send
        (programs.DATABASE, "main.go"): 2,
        (programs.EMBEDDER, "main.go"): 2,
        (programs.TOOLS, "main.go"): 5,  # the import path, and where two maps begin and end
        (programs.REASONING, "main.go"): 2,
        (programs.MY_PLUGIN, "main.go"): 1,
        (programs.MY_PLUGIN, "main_test.go"): 1,
    }


def test_unit_test_of_the_guide_passes(sources: dict[str, Path]) -> None:
    assert "--- PASS: TestMyPlugin" in programs.go(sources[programs.MY_PLUGIN], "test", "-v", "./...")


def test_programs_are_vetted(sources: dict[str, Path]) -> None:
    for path in sources.values():
        if path.is_dir():
            programs.go(path, "vet", "./...")


MAGIC = {"linux": b"\x7fELF", "windows": b"MZ", "darwin": b"\xcf\xfa\xed\xfe"}


@pytest.mark.parametrize("command", programs.commands("GOOS="))
def test_build_for_another_system(sources: dict[str, Path], tmp_path: Path, command: str) -> None:
    folder = shutil.copytree(sources[programs.MY_PLUGIN], tmp_path / "my-plugin")
    system, machine, go, *arguments = shlex.split(command)
    assert go == "go"
    programs.go(folder, *arguments, **dict(setting.split("=") for setting in (system, machine)))
    built = folder / arguments[arguments.index("-o") + 1]
    assert built.read_bytes().startswith(MAGIC[system.removeprefix("GOOS=")])


def test_all_three_systems_are_built_for() -> None:
    assert [command.split()[0] for command in programs.commands("GOOS=")] == [f"GOOS={system}" for system in MAGIC]


def test_dockerfiles_build_step_works_where_a_fork_is_copied_whole(sources: dict[str, Path], tmp_path: Path) -> None:
    (step,) = programs.commands("RUN go build")
    app = shutil.copytree(sources[programs.MY_PLUGIN], tmp_path / "app")
    shutil.copytree(programs.ROOT / "gen", app / "third_party/hector/gen", ignore=shutil.ignore_patterns("__pycache__"))
    programs.go(app, "mod", "edit", "-replace", "hector.example/gen=./third_party/hector/gen")
    programs.go(app, *shlex.split(step)[2:], CGO_ENABLED="0")  # the guide's Alpine image has no C compiler
    assert (app / "my-plugin").read_bytes().startswith(MAGIC["linux"])


def test_programs_ask_for_no_newer_go_than_the_guide(sources: dict[str, Path]) -> None:
    assert "\ngo 1.24.0\n" in (sources[programs.MY_PLUGIN] / "go.mod").read_text()
