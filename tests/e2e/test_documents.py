"""Documents are indexed and asked about, by several commands at once too, and what cannot be searched is named."""

import json
import re

import leftovers
import pytest
import yaml
from commandline import until

from .conftest import PLUGINS, documents, open_gate

PEARS = "# Pears\n\nPears ripen in September.\n\nSource: docs/pears.md:1\n"
PLUMS = "# Plums\n\nPlums are purple.\n\nSource: docs/plums.md:1\n"
NOT_INDEXED = "hector: hector.yaml:22: document_stores.docs: is not indexed\n  Run: hector index docs\n"


def test_index_and_ask(library):
    ended = library("index")
    assert (ended.code, ended.out) == (0, ""), ended.err
    assert re.fullmatch(
        r"docs: 2 of 2 files, 2 chunks, \d+/s\ndocs: 2 files, 2 chunks, 2 embedded, \d\.\d s\n", ended.err
    )
    ended = library("call", "a", "When do pears ripen?")
    assert (ended.code, ended.out) == (0, "# Pears\n\nPears ripen in September.\n\nSource: docs/pears.md:1\n"), (
        ended.err
    )
    assert ended.err == (
        '→ search {"query":"When do pears ripen?"}\n'
        "← search: [1] docs/pears.md:1 # Pears Pears ripen in September."
        " [2] docs/plums.md:1 # Plums Plums are purpl …\n"
        "Sources:\n"
        "  docs/pears.md:1  0.50  # Pears Pears ripen in September.\n"
        "  docs/plums.md:1  0.49  # Plums Plums are purple.\n"
    )
    record = library("call", "a", "When do pears ripen?", "--json").json
    assert [(source["source"], source["store"], source["text"]) for source in record["sources"]] == [
        ("docs/pears.md:1", "docs", "# Pears\n\nPears ripen in September."),
        ("docs/plums.md:1", "docs", "# Plums\n\nPlums are purple."),
    ]
    assert [source["score"] for source in record["sources"]] == pytest.approx([0.5, 0.4919], abs=1e-4)
    assert {step["kind"] for step in record["steps"]} == {"generate", "embed", "search"}


def test_an_index_says_what_it_did_as_one_object(library):
    ended = library("index", "docs", "--json")
    assert ended.code == 0
    report = ended.json
    assert report.pop("seconds") > report.pop("embedding_seconds") > 0
    assert report == {"store": "docs", "files": 2, "chunks": 2, "vectors": 2, "removed": 0, "skipped": []}
    (library.folder / "docs/pears.md").unlink()
    (library.folder / "docs/figs.md").write_bytes(b"\xff\xfe\x00 not text")
    ended = library("index", "--json")
    report = json.loads(ended.out)
    assert (report["vectors"], report["removed"]) == (0, 1)
    assert report["skipped"] == [{"path": "figs.md", "reason": "is not text: it has zero bytes"}]
    assert re.fullmatch(
        r"docs: \d of 2 files, \d chunks, 0/s\n"
        r"docs: left out figs.md: is not text: it has zero bytes\n"
        r"docs: 1 file, 1 chunk, 0 embedded, 1 removed, \d\.\d s\n",
        ended.err,
    )


def test_an_index_that_is_interrupted_is_told_as_such_and_done_by_the_next(library):
    waiting = documents()
    waiting["plugins"]["embedder_providers"]["words"]["config"] = {"wait": True}
    library.write(waiting)
    with library.running("index") as command:
        until((library.folder / ".hector/plugins/words/waiting").exists)
        command.interrupt()
        ended = command.end()
    assert (ended.code, ended.out) == (130, ""), ended.err
    library.write(documents())
    assert library.refusal("call", "a", "Are plums purple?", code=4) == (
        "hector: hector.yaml:22: document_stores.docs: is indexed in part: the last run did not end\n"
        "  Run: hector index docs\n"
    )
    assert library("index", "--json").json["vectors"] == 2
    assert library.answer("call", "a", "Are plums purple?") == PLUMS


def test_what_is_not_indexed_is_named(library):
    assert library.refusal("call", "a", "Hello", code=4) == NOT_INDEXED


def test_a_store_without_a_file_is_named(library):
    folder = library.folder / "docs"
    for file in folder.iterdir():
        file.unlink()
    assert library.refusal("index", code=2) == (
        f'hector: hector.yaml:22: document_stores.docs: is empty: no file matches in {folder} (include ["**/*.md"],'
        " exclude [])\n"
        "  Name the folder that holds the files, or patterns that match some of them.\n"
    )


def test_a_collection_of_another_dimension_is_named(library):
    document = documents()
    document["databases"]["faiss"]["config"] = {"dimension": 8}
    library.write(document)
    assert library.refusal("index", code=2) == (
        "hector: hector.yaml:24: document_stores.docs: embedders.words gives vectors of 512 numbers,"
        " databases.faiss.config.dimension says 8\n"
        "  Write dimension: 512 there, or leave it out.\n"
    )


def test_commands_at_once_wait_for_the_plugin_that_owns_its_directory(library):
    assert library("index").code == 0
    slow = documents()
    slow["plugins"]["llm_providers"]["gated"] = {"path": str(PLUGINS / "gated.py")}
    slow["llms"]["gated"] = {"type": "plugin:gated"}
    library.write(slow)
    with library.running("call", "a", "Count", "--llm", "gated") as first:
        first.read_until("one ")
        with library.running("call", "a", "Are plums purple?") as second:
            until(lambda: "words" in plugins(library, second.pid))
            assert "faiss" not in plugins(library, second.pid)
            open_gate(library)
            assert first.end().code == 0
            ended = second.end()
    assert (ended.code, ended.out) == (0, PLUMS), ended.err


def test_a_wait_that_is_too_long_names_who_holds_the_directory(library):
    assert library("index").code == 0
    slow = documents()
    slow["plugins"]["llm_providers"]["gated"] = {"path": str(PLUGINS / "gated.py")}
    slow["plugins"]["database_providers"]["faiss"]["start_timeout"] = "300ms"
    slow["llms"]["gated"] = {"type": "plugin:gated"}
    library.write(slow)
    patient = yaml.safe_load((library.folder / "hector.yaml").read_text())
    del patient["plugins"]["database_providers"]["faiss"]["start_timeout"]
    library.write(patient, "patient.yaml")
    with library.running("call", "a", "Count", "--llm", "gated", "--config", "patient.yaml") as first:
        first.read_until("one ")
        until(lambda: "faiss" in plugins(library, first.pid))
        (library.folder / "docs/figs.md").write_text("# Figs\n\nFigs are sweet.\n")
        error = library.refusal("index", code=3)
        open_gate(library)
        assert first.end().code == 0
    data = library.folder / ".hector/plugins/faiss"
    assert error.rpartition("hector: ")[2] == (
        f"database_provider/faiss: its directory {data} is in use by process {first.pid}\n"
        "  One process at a time may use it: end that one, or give this configuration another storage.path.\n"
    )


def plugins(hector, host: int) -> set[str]:
    """The plugins that run for a host."""
    return {
        process.environ()["HECTOR_PLUGIN_NAME"]
        for process in leftovers.living(hector.folder)
        if host in {parent.pid for parent in process.parents()}
    }
