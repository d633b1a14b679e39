"""Providers over one real process that serves all kinds and writes down what it is asked (`faulty/provider.py`)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import leftovers
import pytest
import yaml

from hector.host.v1.run_pb2 import Step
from hector_host import config
from hector_host.manager import Manager
from hector_host.providers.call import Call
from hector_host.registry import Registry

PROVIDER = Path(__file__).parents[2] / "faulty" / "provider.py"


@dataclass
class Providers:
    """The registry over the plugin `p`, and what the plugin was asked."""

    registry: Registry
    data: Path
    steps: list[Step] = field(default_factory=list)

    @property
    def call(self) -> Call:
        return Call(run="r", session="s", agent="a", record=self.steps.append)

    @property
    def asked(self) -> list[tuple[str, Any]]:
        """Each call that arrived after the start: the RPC and its request."""
        lines = [line.partition(" ") for line in (self.data / "calls").read_text().splitlines()]
        return [(rpc, json.loads(request)) for rpc, _, request in lines if rpc not in {"Describe", "Configure"}]

    @property
    def rpcs(self) -> list[str]:
        return [rpc for rpc, _ in self.asked]


@pytest.fixture
def providing(tmp_path, monkeypatch):
    """Opens the plugin with these options, as kind `llm_providers` unless said otherwise."""
    with leftovers.none(tmp_path) as sockets:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(sockets))
        monkeypatch.chdir(tmp_path)

        @asynccontextmanager
        async def open_it(
            group: str = "llm_providers", timeout: str = "20s", llm: dict[str, Any] | None = None, **options: Any
        ) -> AsyncIterator[Providers]:
            plugin = {"path": str(PROVIDER), "config": options, "security": {"timeout": timeout}}
            document = {
                "plugins": {group: {"p": plugin}},
                "llms": {"m": {"type": "plugin:p", **(llm or {})}},
                "embedders": {"e": {"type": "plugin:p"}, "e4": {"type": "plugin:p", "config": {"dimension": 4}}},
                "databases": {"d": {"type": "plugin:p"}},
            }
            Path("hector.yaml").write_text(yaml.safe_dump(document))
            loaded = config.load(Path("hector.yaml"))
            async with Manager(loaded) as manager:
                yield Providers(Registry(loaded, manager), loaded.storage.path / "plugins/p")

        yield open_it
