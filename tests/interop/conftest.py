"""The programs of both sides, built once, and the matrix of what was seen, printed at the end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import leftovers
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 110
"""Seconds for everything that a stock host does with a plugin."""

CELLS = pytest.StashKey[dict[tuple[str, str, str], str]]()


@dataclass(frozen=True)
class Programs:
    """Executables.

    Attributes:
        host: A host made with go-plugin.
        plugins: By name, the command of each plugin.
    """

    host: Path
    plugins: dict[str, list[str]]

    def stock(self, plugin: list[str], *flags: str, **environ: str) -> dict[str, Any]:
        """What the stock host saw of a plugin."""
        ended = self.run(plugin, *flags, **environ)
        assert ended.returncode == 0, ended.stderr
        seen: dict[str, Any] = json.loads(ended.stdout)
        return seen

    def run(self, plugin: list[str], *flags: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """The stock host, run to its end."""
        command = [str(self.host), *flags, *plugin]
        env = {**os.environ, **environ}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.fixture(scope="session")
def go_tool() -> str:
    """The machine's, or the one that the tests' environment brings."""
    found = shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))
    assert found, "there is no Go toolchain: install one, or run the tests with `nox -s integration`"
    return found


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory, go_tool: str) -> Programs:
    folder = tmp_path_factory.mktemp("interop")
    subprocess.run(
        [go_tool, "build", "-o", f"{folder}/", "./stockhost", "./stockplugin"], cwd=ROOT / "tests/interop", check=True
    )
    subprocess.run([go_tool, "build", "-o", f"{folder}/echo-llm-go", "."], cwd=ROOT / "plugins/echo-llm-go", check=True)
    return Programs(
        folder / "stockhost",
        {
            "our Python": [sys.executable, "-m", "hector_echo_llm"],
            "our Go": [str(folder / "echo-llm-go")],
            "stock Go": [str(folder / "stockplugin")],
        },
    )


@pytest.fixture
def green(request: pytest.FixtureRequest):
    """Say that a cell of the matrix holds, with a word on how it went."""
    cells = request.config.stash.setdefault(CELLS, {})

    def say(host: str, plugin: str, tls: str, how: str) -> None:
        cells[host, plugin, tls] = how

    return say


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder for a host in this process, of which nothing is left afterwards."""
    with leftovers.none(tmp_path) as sockets:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(sockets))
        monkeypatch.chdir(tmp_path)
        yield tmp_path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The matrix, as far as it was run."""
    cells = config.stash.get(CELLS, {})
    if not cells:
        return
    columns = sorted({tls for *_, tls in cells}, reverse=True)
    terminalreporter.section("interop with go-plugin")
    rows = [["host", "plugin", *columns]]
    for host, plugin in dict.fromkeys((host, plugin) for host, plugin, _ in cells):
        rows.append([host, plugin, *(cells.get((host, plugin, column), "RED") for column in columns)])
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
