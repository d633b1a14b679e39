"""A host in this process over a configuration that is written for the measurement."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from hector_host.config import load
from hector_host.manager import Manager
from hector_host.registry import Registry
from hector_host.runtime.runtime import Runtime
from hector_host.runtime.sqlite import open_journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ROOT = Path(__file__).parent.parent
ECHO = {"path": str(ROOT / "plugins/echo-llm")}
ECHO_GO = {"path": str(ROOT / "plugins/echo-llm-go")}
SHELL = {"path": str(ROOT / "plugins/shell-tools")}
REACT = {"path": str(ROOT / "plugins/react-reasoning")}


@contextlib.contextmanager
def written(document: dict[str, Any]) -> Any:
    """A folder with this configuration."""
    with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
        file = Path(folder, "hector.yaml")
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        yield file


@contextlib.contextmanager
def stock_host() -> Iterator[Path]:
    """The executable of a host made with go-plugin: tests/interop/stockhost."""
    with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
        built = Path(folder, "stockhost")
        build = ["go", "build", "-C", str(ROOT / "tests/interop"), "-o", str(built), "./stockhost"]
        subprocess.run(build, check=True, env=os.environ | {"GOWORK": "off"})
        yield built


@contextlib.asynccontextmanager
async def hosting(document: dict[str, Any]) -> AsyncIterator[tuple[Manager, Registry, Runtime, Path]]:
    """A host whose plugins are all ready; the last is its journal's folder."""
    with written(document) as file:
        config = load(file)
        async with Manager(config) as manager, open_journal(config.storage.path) as journal:
            manager.start(config.plugins)
            for name in config.plugins:
                await manager.ready(name)
            registry = Registry(config, manager)
            yield manager, registry, Runtime(config, registry, journal), config.storage.path
