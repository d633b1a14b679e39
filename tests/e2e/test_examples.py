"""The examples run as they stand."""

import shutil
from pathlib import Path

import pytest

from hector_host import config
from hector_host.documents.index import index
from hector_host.documents.store import Store
from hector_host.manager import Manager
from hector_host.providers.call import Call
from hector_host.registry import Registry
from hector_host.runtime.runtime import RunRequest, Runtime
from hector_host.runtime.sqlite import open_journal

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_quickstart(hector):
    shutil.copy(EXAMPLES / "quickstart.yaml", hector.folder / "hector.yaml")
    (hector.folder / "notes.txt").write_text("12 characters")
    ended = hector("call", "assistant", "Hello")
    assert (ended.code, ended.out, ended.err) == (0, "Hello\n", "")
    ended = hector("call", "explorer", "What is in this folder?")
    assert (ended.code, ended.out) == (
        0,
        "I looked at the files of this folder; the line above shows what I saw.\n",
    )
    size = (EXAMPLES / "quickstart.yaml").stat().st_size
    assert ended.err == (
        f"· Let me look.\n→ list_files {{}}\n← list_files: .hector/ hector.yaml {size} bytes notes.txt 13 bytes\n"
    )


@pytest.mark.timeout(300)
async def test_documents(hector, monkeypatch):
    """In one process: loading the embedder's model takes longer than everything else here together."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(hector.sockets))
    shutil.copy(EXAMPLES / "documents.yaml", hector.folder / "hector.yaml")
    (hector.folder / "pears.md").write_text("# Pears\n\nThe harvest of pears begins in September.\n")
    (hector.folder / "ships.md").write_text("# Ships\n\nA ship is kept on its course by a rudder.\n")
    loaded = config.load(hector.folder / "hector.yaml", {})
    agent = loaded.agent("librarian")
    steps = []
    async with Manager(loaded) as manager, open_journal(loaded.storage.path) as journal:
        manager.start(loaded.plugins_of(agent))
        registry = Registry(loaded, manager)
        report = await index(Store.open(loaded, registry, "documents"), Call(record=steps.append))
        assert (report.files, report.chunks, report.vectors) == (2, 2, 2)
        runtime = Runtime(loaded, registry, journal)
        events = [event async for event in runtime.run(RunRequest("librarian", "When is the fruit picked?"))]
    finished = events[-1].run_finished
    assert finished.answer == "# Pears\n\nThe harvest of pears begins in September.\n\nSource: pears.md:1"
    assert [source.location for source in finished.sources] == ["pears.md:1", "ships.md:1"]
    processes = {step.plugin: step.pid for step in [*steps, *finished.steps]}
    assert processes.keys() == {"echo", "sentence_transformers", "faiss", "react"}
    assert len(set(processes.values())) == 4
