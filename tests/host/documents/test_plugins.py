"""The same promises over real plugin processes and the real command, which dies in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
import yaml

from hector_host import config
from hector_host.documents.index import index
from hector_host.documents.store import Store
from hector_host.documents.tool import SearchTool
from hector_host.errors import ConfigError
from hector_host.manager import Manager
from hector_host.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

EMBEDDER = """
import hashlib
from hector.plugin.v1.embedder_pb2 import EmbedBatchResponse, Embedding, GetDimensionsResponse
from hector_sdk import Embedder, serve


def vector(text):
    counts = [0.0] * 512
    for word in text.lower().split():
        counts[int(hashlib.sha256(word.strip('.?,').encode()).hexdigest(), 16) % 512] += 1
    return Embedding(vector=counts)


class Words(Embedder):
    async def embed_batch(self, request):
        return EmbedBatchResponse(success=True, embeddings=[vector(text) for text in request.texts])

    async def get_dimensions(self, request):
        return GetDimensionsResponse(dimension=512)


serve(Words())
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "words.py").write_text(EMBEDDER)
    document = {
        "plugins": {
            "embedder_providers": {"words": {"path": "words.py"}},
            "database_providers": {"faiss": {"package": "hector-faiss-database"}},
        },
        "embedders": {"words": {"type": "plugin:words"}},
        "databases": {"faiss": {"type": "plugin:faiss", "config": {"collection": "docs"}}},
        "document_stores": {
            name: {"path": "docs", "include": [f"{name}/"], "embedder": "words", "database": "faiss", "chunk_size": 200}
            for name in ("guide", "notes")
        },
    }
    (tmp_path / "hector.yaml").write_text(yaml.safe_dump(document))
    for name in ("guide", "notes"):
        for number in range(24):
            file = tmp_path / "docs" / name / f"{number}.md"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"# Page {number}\n\n" + f"The {name} tells of topic{number}. " * 60)
    return tmp_path


class Host:
    """A host over the folder, for the time of a test."""

    def __init__(self, folder: Path, manager: Manager) -> None:
        self.folder = folder
        self.config = config.load(folder / "hector.yaml")
        self.registry = Registry(self.config, manager)

    def store(self, name: str) -> Store:
        return Store.open(self.config, self.registry, name)

    async def vectors(self, call) -> int:
        told = await self.registry.database("faiss").collections(call)
        return sum(collection.vectors for collection in told or ())


@pytest.fixture
async def host(folder):
    async with Manager(config.load(folder / "hector.yaml")) as manager:
        yield Host(folder, manager)


async def test_stores_are_indexed_and_searched(host, call):
    reports = [await index(host.store(name), call) for name in ("guide", "notes")]
    assert await host.vectors(call) == sum(report.chunks for report in reports)
    tool = SearchTool([host.store("guide"), host.store("notes")])
    response = await tool.execute({"query": "What does the guide tell of topic7?", "limit": 3}, call)
    assert response.result.startswith("[1] docs/guide/7.md:")
    response = await tool.execute({"query": "topic7", "store": "notes"}, call)
    assert response.result.startswith("[1] docs/notes/7.md:")
    assert "docs/guide" not in response.result


async def test_a_collection_of_another_dimension_is_named(host, call):
    await host.registry.database("faiss").create_collection("docs", 8, call)
    with pytest.raises(ConfigError) as error:
        await index(host.store("guide"), call)
    line = host.config.locate("document_stores", "guide")
    words = "has other settings than the 512 numbers a vector of embedders.words:"
    assert str(error.value).startswith(f'{line}: collection "docs" of databases.faiss {words}')


DYING = """
import asyncio, os, signal, sys
from hector_host import config
from hector_host.documents.index import index
from hector_host.documents.store import Store
from hector_host.manager import Manager
from hector_host.providers.call import Call
from hector_host.providers.database import DatabaseProvider
from hector_host.registry import Registry

file, method, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
whole = getattr(DatabaseProvider, method)


async def dying(self, *args):
    global left
    await whole(self, *args)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)


async def main():
    setattr(DatabaseProvider, method, dying)
    read = config.load(file)
    async with Manager(read) as manager:
        await index(Store.open(read, Registry(read, manager), "guide"), Call())


asyncio.run(main())
"""


async def killed_after(folder, method, times):
    """Indexes in a process that kills itself once the database answered that call so often; its plugins die with it."""
    command = [sys.executable, "-c", DYING, str(folder / "hector.yaml"), method, str(times)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    end_plugins(folder)
    assert process.returncode == -signal.SIGKILL, errors.decode()


def end_plugins(folder):
    orphans = [one for one in psutil.process_iter() if belongs(one, folder)]
    for orphan in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):  # the warden was first
            orphan.kill()
    assert psutil.wait_procs(orphans, timeout=10)[1] == []


def belongs(process, folder):
    try:
        return process.environ().get("HECTOR_PLUGIN_DATA_DIR", "").startswith(str(folder))
    except psutil.Error:
        return False


async def test_what_a_killed_run_left_is_known_to_the_next(folder, call):
    await killed_after(folder, "upsert", 1)
    await killed_after(folder, "upsert", 2)
    async with Manager(config.load(folder / "hector.yaml")) as manager:
        host = Host(folder, manager)
        report = await index(host.store("guide"), call)
        assert await host.vectors(call) == report.chunks
    guide = folder / "docs" / "guide"
    for number in range(6):
        (guide / f"{number}.md").write_text("Short now.")
        (guide / f"{6 + number}.md").unlink()
        (guide / f"{12 + number}.md").write_text("It grew, zebra. " * 200)
    await killed_after(folder, "upsert", 1)
    await killed_after(folder, "delete", 2)
    async with Manager(config.load(folder / "hector.yaml")) as manager:
        host = Host(folder, manager)
        report = await index(host.store("guide"), call)
        assert report.files == 18
        assert await host.vectors(call) == report.chunks
        found = await SearchTool([host.store("guide")]).execute({"query": "zebra"}, call)
        assert found.result.startswith("[1] docs/guide/1")
