"""`hector` runs agents over the guide's programs, configured as the guide shows: no handshake, health or Describe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from guide import ports, programs

from hector_host import config
from hector_host.documents.index import index
from hector_host.documents.store import Store
from hector_host.manager import Manager
from hector_host.providers.call import Call
from hector_host.registry import Registry
from hector_host.runtime.runtime import RunRequest, Runtime
from hector_host.runtime.sqlite import open_journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from commandline import Hector

pytestmark = pytest.mark.timeout(600)  # the first one builds them all
VARIABLE = re.compile(r"\$\{(\w+)\}")


@pytest.fixture
def author(hector: Hector, executables: dict[str, Path]) -> Iterator[Hector]:
    """A folder with the programs where the guide's configurations say; their ports are held meanwhile."""
    (hector.folder / "plugins").mkdir()
    for name, program in executables.items():
        place = hector.folder if name == programs.MY_PLUGIN else hector.folder / "plugins"
        (place / program.name).symlink_to(program)
    with ports.held():
        yield hector


def configuration(hector: Hector, *sections: str, agent: dict[str, Any] | None = None) -> dict[str, Any]:
    """The guide's blocks of these sections as one document, and an agent where the guide has none."""
    document: dict[str, Any] = {}
    for block in programs.yaml_blocks():
        if block.section in sections:
            hector.environ |= {name: f"value of {name}" for name in VARIABLE.findall(block.text)}
            for key, value in yaml.safe_load(block.text).items():
                document.setdefault(key, {}).update(value)
    document.setdefault("agents", {}).setdefault("my_agent", {}).update(agent or {})
    return document


@pytest.mark.parametrize("language", ["go", "python"])
def test_a_language_model(author: Hector, language: str) -> None:
    document = configuration(author, "LLM Provider Plugin", agent={"llm": "custom"})
    if language == "python":
        plugin = document["plugins"]["llm_providers"]["custom_llm"]
        plugin["path"] = f"./plugins/{programs.PYTHON_LLM}"
    author.write(document)
    ended = author("call", "my_agent", "Hello", "--llm", "custom")
    assert (ended.code, ended.out, ended.err) == (0, "You said: Hello\n", "")
    # A bare plugin reads the prompt alone, so that holds the whole conversation.
    assert author.answer("call", "my_agent", "One", "--session", "s") == "You said: One\n"
    assert author.answer("call", "my_agent", "Two", "--session", "s") == (
        "You said: User: One\n\nAssistant: You said: One\n\nUser: Two\n"
    )


def test_my_plugin(author: Hector) -> None:
    document = configuration(author, "Plugin Development Workflow", agent={"llm": "custom"})
    author.write(document)
    ended = author("call", "my_agent", "Hello", "--llm", "custom")
    assert (ended.code, ended.out, ended.err) == (0, "Custom response\n", "")


def test_the_reasoning_strategy(author: Hector) -> None:
    document = configuration(author, "Reasoning Strategy Plugin", "LLM Provider Plugin")
    document["agents"]["my_agent"]["prompt"] = {"system_prompt": "Be kind"}
    author.write(document)
    # The agent's own model, gpt-4o, is another's: the caller names the guide's.
    ended = author("call", "my_agent", "Hello", "--llm", "custom")
    assert (ended.code, ended.out) == (0, "You said: System: Be kind\n\nUser: Hello\n"), ended.err
    assert ended.err == "· asking the model\n· the model has answered\n"
    error = author.refusal("call", "my_agent", "Hello", code=2)
    assert re.fullmatch(
        r'hector: hector\.yaml:\d+: agents\.my_agent\.llm: no llm is named "gpt-4o"\n  There are: custom\.\n', error
    )


def test_the_tools(author: Hector) -> None:
    document = configuration(author, "Tool Provider Plugin", agent={"llm": "script"})
    arguments = {"data": [1, 2, 6], "algorithm": "mean"}
    replies = [{"tool_calls": [{"tool": "custom_data_processing", "arguments": arguments}]}, "It is 3."]
    document["plugins"]["llm_providers"] = {"echo": {"package": "hector-echo-llm", "config": {"replies": replies}}}
    document["llms"] = {"script": {"type": "plugin:echo", "model": "script"}}
    author.write(document)
    ended = author("call", "my_agent", "The mean of 1, 2 and 6?")
    assert (ended.code, ended.out) == (0, "It is 3.\n"), ended.err
    assert ended.err == ('→ custom_data_processing {"algorithm":"mean","data":[1,2,6]}\n← custom_data_processing: 3\n')


async def test_the_embedder_and_the_database(author: Hector, monkeypatch: pytest.MonkeyPatch) -> None:
    document = configuration(
        author,
        *("Embedder Provider Plugin", "Database Provider Plugin"),
        agent={"llm": "reader", "document_stores": ["docs"]},
    )
    document["plugins"]["llm_providers"] = {"echo": {"package": "hector-echo-llm"}}
    document["llms"] = {"reader": {"type": "plugin:echo", "model": "reader"}}
    document["document_stores"] = {"docs": {"path": "./docs", "embedder": "custom", "database": "custom"}}
    file = author.write(document)
    (author.folder / "docs").mkdir()
    (author.folder / "docs/pears.md").write_text("# Pears\n\nPears ripen in September.")
    (author.folder / "docs/ships.md").write_text("# Ships\n\nA rudder steers a ship.")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(author.sockets))
    loaded = config.load(file, author.environ)
    # The database of the example forgets all when its process ends, so one process is indexed and asked.
    async with Manager(loaded) as manager, open_journal(loaded.storage.path) as journal:
        registry = Registry(loaded, manager)
        report = await index(Store.open(loaded, registry, "docs"), Call())
        assert (report.files, report.chunks, report.vectors) == (2, 2, 2)
        runtime = Runtime(loaded, registry, journal)
        events = [event async for event in runtime.run(RunRequest("my_agent", "When do pears ripen?"))]
    finished = events[-1].run_finished
    assert finished.answer == "# Pears\n\nPears ripen in September.\n\nSource: docs/pears.md:1"
    assert [source.location for source in finished.sources] == ["docs/pears.md:1", "docs/ships.md:1"]
    # Another process has no such collection; the model is told, and says so.
    assert author.answer("call", "my_agent", "When do pears ripen?") == (
        "The search failed: there is no collection my_collection\n"
    )
