"""A live host indexes its document stores: when it is asked to, and by itself when their files change."""

import re
from contextlib import contextmanager

import pytest
from commandline import until
from live import serving

from .conftest import documents


def found(library, question):
    """The files that a search finds, best first."""
    ended = library("search", "docs", question, "--json")
    assert ended.code == 0, ended.err
    return [passage["path"] for passage in ended.json["passages"]]


def watched(library, **more):
    document = documents()
    document["document_stores"]["docs"] |= {"watch": True, **more}
    library.write(document)


@contextmanager
def waiting(library):
    """A live host whose embedder never answers, while somebody asks it to index."""
    document = documents()
    document["plugins"]["embedder_providers"]["words"]["config"] = {"wait": True}
    library.write(document)
    with serving(library) as host, library.running("index") as command:
        until((library.folder / ".hector/plugins/words/waiting").exists)
        yield host, command


def test_an_index_beside_a_live_host_is_the_hosts_work(library):
    with serving(library):
        ended = library("index", "docs", "--json")
        assert ended.code == 0, ended.err
        assert re.fullmatch(
            r"docs: 2 of 2 files, 2 chunks, \d+/s\ndocs: 2 files, 2 chunks, 2 embedded, \d\.\d s\n", ended.err
        )
        assert ended.json["vectors"] == 2
        assert found(library, "When do pears ripen?")[0] == "pears.md"
        (library.folder / "docs/broken.md").write_bytes(b"\0")
        ended = library("index")
        assert ended.err.splitlines()[-2] == "docs: left out broken.md: is not text: it has zero bytes"


def test_what_a_live_host_cannot_index_is_refused_in_the_same_words(library):
    alone = library.refusal("index", "nope", code=4)
    with serving(library):
        assert library.refusal("index", "nope", code=4) == alone


def test_an_interrupted_command_ends_the_run_in_the_host(library):
    with waiting(library) as (_, command):
        command.interrupt()
        ended = command.end()
        assert (ended.code, ended.out) == (130, ""), ended.err
        # Two runs would refuse each other: the second gets as far as the first.
        (library.folder / ".hector/plugins/words/waiting").unlink()
        with library.running("index") as again:
            until((library.folder / ".hector/plugins/words/waiting").exists)
            again.interrupt()
            again.end()


def test_a_host_that_stops_says_so_to_who_waits_for_its_index(library):
    with waiting(library) as (host, command):
        host.stop()
        ended = command.end()
    assert ended.code == 1
    assert ended.err.endswith(
        "hector: the host is stopping: what it has indexed is kept, and the next run goes on from there\n"
        "  Call again when it has been started anew.\n"
    )


def test_a_watched_store_is_what_its_files_are(library):
    watched(library)
    docs = library.folder / "docs"
    with serving(library) as host:
        host.command.read_error_until("docs: 2 files, 2 chunks, 2 embedded")
        assert found(library, "When do pears ripen?")[0] == "pears.md"
        (docs / "figs.md").write_text("# Figs\n\nFigs are sweet.\n")
        host.command.read_error_until("docs: 3 files, 3 chunks, 1 embedded")
        assert found(library, "Are figs sweet?")[0] == "figs.md"
        (docs / "figs.md").write_text("# Figs\n\nQuinces are hard.\n")
        host.command.read_error_until("docs: 3 files, 3 chunks, 1 embedded")
        assert found(library, "Are quinces hard?")[0] == "figs.md"
        (docs / "figs.md").unlink()
        host.command.read_error_until("docs: 2 files, 2 chunks, 0 embedded, 1 removed")
        assert "figs.md" not in found(library, "Are quinces hard?")
        (docs / "broken.md").write_bytes(b"\0")
        host.command.read_error_until("docs: left out broken.md: is not text: it has zero bytes")


def test_a_watched_store_that_cannot_be_indexed_is_tried_again(library):
    watched(library)
    docs = library.folder / "docs"
    docs.rename(library.folder / "away")
    with serving(library) as host:
        told = host.command.read_error_until("  It is tried again in 2 s.\n")
        assert f"document_stores.docs.path: there is no {docs}\n  Name the folder of the documents.\n" in told
        (library.folder / "away").rename(docs)
        host.command.read_error_until("docs: 2 files, 2 chunks, 2 embedded")


@pytest.mark.parametrize("hidden", [True, False])
def test_what_indexing_writes_itself_is_no_change(library, hidden):
    """The store is the folder of the configuration, reached by a link, with the storage folder in it."""
    (library.folder / "link").symlink_to(".")
    document = documents()
    document["document_stores"]["docs"] |= {"watch": True, "path": "./link"}
    if not hidden:
        document["storage"] = {"path": "./kept"}
    library.write(document)
    with serving(library) as host:
        host.command.read_error_until("docs: 2 files, 2 chunks, 2 embedded")
        ledger = library.folder / (".hector" if hidden else "kept") / "documents.sqlite"
        written = ledger.stat().st_mtime_ns
        (library.folder / "docs/figs.md").write_text("# Figs\n\nFigs are sweet.\n")
        host.command.read_error_until("docs: 3 files, 3 chunks, 1 embedded")
        assert ledger.stat().st_mtime_ns > written
        # A run that heard of itself would begin another within a second, and that one the next.
        settled = ledger.stat().st_mtime_ns
        with pytest.raises(AssertionError, match="never true"):
            until(lambda: ledger.stat().st_mtime_ns != settled, 2)


def test_a_command_waits_for_the_run_of_a_watch(library):
    watched(library)
    with serving(library):
        assert library("index").code == 0


@pytest.mark.parametrize("watch", [True, False])
def test_a_watch_begins_and_ends_with_what_the_configuration_says(library, watch):
    library.write(documents()) if watch else watched(library)
    with serving(library, "--watch") as host:
        if not watch:
            host.command.read_error_until("docs: 2 files")
        watched(library) if watch else library.write(documents())
        host.command.read_error_until("hector.yaml: read again: changed document_stores")
        (library.folder / "docs/figs.md").write_text("# Figs\n\nFigs are sweet.\n")
        if watch:
            host.command.read_error_until("docs: 3 files")
        else:
            ended = library("index")
            assert "docs: 3 files, 3 chunks, 1 embedded" in ended.err  # by nobody before
