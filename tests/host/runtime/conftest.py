"""Agents over real plugin processes, run inside the test's own process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from hector.host.v1.run_pb2 import RunEvent
from hector_host import config
from hector_host.manager import Manager
from hector_host.registry import Registry
from hector_host.runtime.runtime import RunRequest, Runtime
from hector_host.runtime.sqlite import SqliteJournal, open_journal

FAULTY = Path(__file__).parents[2] / "faulty"
LABELS = {"model": "llm_providers", "tools": "tool_providers", "strategy": "reasoning_strategies"}


@dataclass
class Agents:
    """A running host of one file, with an agent `a` whose model is echo's `script`, or whatever the test sets."""

    runtime: Runtime
    journal: SqliteJournal
    registry: Registry
    manager: Manager
    config: config.Config
    events: list[RunEvent] = field(default_factory=list)

    async def run(self, message: str = "Hello", **request: Any) -> RunEvent:
        """Runs the agent; its last event."""
        async for event in self.runtime.run(RunRequest("a", message, **request)):
            self.events.append(event)
        return self.events[-1]

    async def answer(self, message: str = "Hello", **request: Any) -> str:
        last = await self.run(message, **request)
        assert last.WhichOneof("event") == "run_finished", last
        return last.run_finished.answer

    async def error(self, message: str = "Hello", **request: Any) -> str:
        """How the run failed: KIND: and its whole text."""
        last = await self.run(message, **request)
        assert last.WhichOneof("event") == "run_failed", last
        return f"{last.run_failed.kind}: {last.run_failed.error}"

    def kinds(self) -> list[str]:
        return [event.WhichOneof("event") or "" for event in self.events]


@pytest.fixture
def hosting(tmp_path, monkeypatch):
    """Opens a host; `script` are the model's replies, `faults` the faulty plugins by file name with their options."""
    monkeypatch.chdir(tmp_path)

    @asynccontextmanager
    async def host(
        script: Any = (), faults: dict[str, dict[str, Any]] | None = None, timeout: str = "20s", **agent: Any
    ) -> AsyncIterator[Agents]:
        faults = faults or {}
        plugins: dict[str, Any] = {"llm_providers": {"echo": {"package": "hector-echo-llm"}}}
        if script:
            plugins["llm_providers"]["echo"]["config"] = {"replies": list(script)}
        for name, options in faults.items():
            entry = {"path": str(FAULTY / f"{name}.py"), "config": options, "security": {"timeout": timeout}}
            plugins.setdefault(LABELS[name], {})[name] = entry
        llm = {"type": "plugin:model"} if "model" in faults else {"type": "plugin:echo", "model": "script"}
        if not script and "model" not in faults:
            llm["model"] = "echo"
        document = {
            "plugins": plugins,
            "llms": {"m": llm},
            "tools": {"t": {"type": "plugin:tools"}} if "tools" in faults else {},
            "agents": {"a": {"llm": "m", **agent}},
        }
        if "strategy" in faults:
            document["agents"]["a"].setdefault("reasoning", {})["engine"] = "plugin:strategy"
        (tmp_path / "hector.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        loaded = config.load(Path("hector.yaml"))
        async with Manager(loaded) as manager, open_journal(loaded.storage.path) as journal:
            manager.start(loaded.plugins_of(loaded.agent("a")))
            registry = Registry(loaded, manager)
            yield Agents(Runtime(loaded, registry, journal), journal, registry, manager, loaded)

    return host
