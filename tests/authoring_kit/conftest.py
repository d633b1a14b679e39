"""A machine that has the wheels and no checkout: one environment with Hector in it, empty folders, and a clock."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
BESIDE = ["hector-host[author]", "hector-echo-llm", "hector-hashing-embedder", "hector-faiss-database"]
PINS = ROOT / "constraints.txt"
SECONDS = 300
_TIMES = pytest.StashKey[list[tuple[str, dict[str, float]]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--wheels", type=Path, required=True, help="The folder of all wheels of the project.")


@dataclass
class Machine:
    """Runs `hector` in a folder, and notes how long each verb took.

    Attributes:
        folder: Empty at first; it is the home too.
        program: Which `hector`.
        environ: What it gets: nothing of the checkout, and the wheels in place of an index that has them.
        times: Seconds by verb.
    """

    folder: Path
    program: Path
    environ: dict[str, str]
    times: dict[str, float] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        started = time.monotonic()
        ended = subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        verb = str(arguments[1] if arguments[0] == "plugin" else arguments[0])
        self.times[verb] = self.times.get(verb, 0) + time.monotonic() - started
        assert ended.returncode == 0, f"{' '.join(map(str, arguments))}\n{ended.stdout}\n{ended.stderr}"
        return ended


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The environment, outside the checkout."""
    venv = tmp_path_factory.mktemp("hector") / "venv"
    wheels = request.config.getoption("--wheels")
    for command in (
        ["venv", "--quiet", "--python", sys.executable, venv],
        ["pip", "install", "--quiet", "--python", venv, "--find-links", wheels, "--constraint", PINS, *BESIDE],
    ):
        subprocess.run([UV, *command], check=True, timeout=SECONDS, env={**os.environ, "UV_COMPILE_BYTECODE": "1"})
    return venv


@pytest.fixture
def machine(environment: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    kept = ("PATH", "GOPATH", "GOCACHE", "GOMODCACHE", "GOFLAGS", "UV_CACHE_DIR", "SSL_CERT_FILE", "TMPDIR")
    given = {name: value for name, value in os.environ.items() if name in kept or name.startswith(("PIP_", "UV_"))}
    home = os.environ.get("HOME", "")
    caches = {"UV_CACHE_DIR": f"{home}/.cache/uv", "GOPATH": f"{home}/go", "GOCACHE": f"{home}/.cache/go-build"}
    mine = {
        "PATH": f"{UV.parent}:{given.pop('PATH')}",
        "HOME": str(tmp_path),
        "UV_CONSTRAINT": str(PINS),
    }
    made = Machine(tmp_path, environment / "bin/hector", caches | given | mine)
    yield made
    request.config.stash.setdefault(_TIMES, []).append((request.node.callspec.id, made.times))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    times = config.stash.get(_TIMES, [])
    if not times:
        return
    verbs = list(dict.fromkeys(verb for _, each in times for verb in each))
    terminalreporter.section("seconds, each verb by itself")
    width = max(len(name) for name, _ in times)
    terminalreporter.line("  ".join([" " * width, *(f"{verb:>8}" for verb in verbs), f"{'all':>8}"]))
    for name, each in times:
        shown = [f"{each[verb]:8.1f}" if verb in each else " " * 8 for verb in verbs]
        terminalreporter.line("  ".join([name.ljust(width), *shown, f"{sum(each.values()):8.1f}"]))
