"""A manager over a written configuration, and after each test the proof that nothing of it is left."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import leftovers
import pytest
import yaml

from hector_host import config
from hector_host.manager import Manager, StateChange

FAULTY = Path(__file__).parents[2] / "faulty"
ECHO = Path(__file__).parents[3] / "plugins/echo-llm-go"


class Host:
    """Writes hector.yaml into `folder` and makes managers over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = Path("hector.yaml")  # the tests run in its folder, so that messages name it thus
        self.changes: list[StateChange] = []
        self.notices: list[str] = []
        self.lines: list[tuple[str, str]] = []

    def write(self, *, groups: bool = True, **plugins: dict[str, Any]) -> Path:
        listed: Any = {"llm_providers": plugins} if groups else plugins
        self.file.write_text(yaml.safe_dump({"version": "1", "plugins": listed}, sort_keys=False))
        return self.file

    def manager(self, *, groups: bool = True, **plugins: dict[str, Any]) -> Manager:
        self.write(groups=groups, **plugins)
        return self.over(self.file)

    def over(self, file: Path, *, lasting: bool = True) -> Manager:
        return Manager(
            config.load(file),
            self.changes.append,
            notice=self.notices.append,
            on_log=lambda name, record: self.lines.append((name, str(record))),
            lasting=lasting,
        )

    def faulty(self, name: str, timeout: str = "20s", **options: Any) -> dict[str, Any]:
        return {"path": str(FAULTY / f"{name}.py"), "config": options, "start_timeout": timeout}

    def data(self, name: str) -> Path:
        return self.folder / ".hector" / "plugins" / name

    def log(self, name: str) -> Path:
        return self.folder / ".hector" / "logs" / f"{name}.log"

    @property
    def states(self) -> list[str]:
        return [f"{change.new.value}: {change.reason}" for change in self.changes]


async def until(holds: Callable[[], Any], seconds: float = 20) -> Any:
    """The first truthy answer of `holds`."""
    async with asyncio.timeout(seconds):
        while not (found := holds()):
            await asyncio.sleep(0.01)
    return found


@pytest.fixture
def host(tmp_path, monkeypatch):
    with leftovers.none(tmp_path) as sockets:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(sockets))
        monkeypatch.chdir(tmp_path)
        before = leftovers.descriptors(tmp_path, sockets)
        yield Host(tmp_path)
        after = leftovers.descriptors(tmp_path, sockets)
    assert after == before


@pytest.fixture(name="until")
def _until():
    return until


@pytest.fixture(scope="session")
def echo(tmp_path_factory):
    """The executable of echo-llm-go, which starts within milliseconds."""
    executable = tmp_path_factory.mktemp("go") / "echo-llm-go"
    subprocess.run(["go", "build", "-o", executable, "."], cwd=ECHO, check=True)
    return executable
