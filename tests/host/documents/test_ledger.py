from __future__ import annotations

import sqlite3

import pytest

from hector_host.documents import keywords
from hector_host.documents.files import Stamp
from hector_host.documents.ledger import Entry, Ledger, Place, Settled, State, read_state
from hector_host.errors import HectorError

HERE = Place("handbook", "memory", "docs")
STAMP = Stamp(size=5, mtime_ns=10**18, inode=7)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "storage" / "documents.sqlite"


def passage(path, id_, text="Text."):
    return path, id_, {"path": path, "text": text}


def write(ledger, place, path="a.md", ids=("a#1", "a#2")):
    """A file of which everything is done."""
    ledger.promise(place, {path: ids})
    ledger.settle(place, Settled([passage(path, id_) for id_ in ids], [Entry(path, "d", STAMP)]))


def test_what_was_written_is_there_for_the_next_process(path):
    with Ledger(path) as ledger:
        ledger.begin(HERE, "m", "c")
        write(ledger, HERE)
        ledger.promise(HERE, {"b.md": ["b#1"]})
        ledger.complete(HERE)
    with Ledger(path) as ledger:
        assert ledger.entries(HERE) == {"a.md": Entry("a.md", "d", STAMP, 2), "b.md": Entry("b.md", None, None, 1)}
        assert ledger.chunks(HERE, "a.md") == {id_: passage("a.md", id_)[2] for id_ in ("a#1", "a#2")}
        assert ledger.chunks(HERE, "b.md") == {"b#1": None}
        assert ledger.state(HERE) == State("m", "c", complete=True)
        assert ledger.places("handbook") == [HERE]


def test_a_promise_takes_back_what_was_done(path):
    with Ledger(path) as ledger:
        ledger.begin(HERE, "m", "c")
        write(ledger, HERE)
        ledger.promise(HERE, {"a.md": ["a#2", "a#3"]})
        assert ledger.entries(HERE)["a.md"].digest is None
        assert ledger.chunks(HERE, "a.md") == {"a#1": passage("a.md", "a#1")[2], "a#2": None, "a#3": None}


def test_what_is_stale_is_gone_with_its_words(path):
    with Ledger(path) as ledger:
        ledger.begin(HERE, "m", "c")
        write(ledger, HERE)
        write(ledger, HERE, "b.md", ["b#1"])
        ledger.settle(HERE, Settled(stale=[("a.md", "a#1")], gone=["b.md"]))
        assert list(ledger.chunks(HERE, "a.md")) == ["a#2"]
        assert list(ledger.entries(HERE)) == ["a.md"]
    assert [hit.id for hit in keywords.find(path, HERE, "text", 9)] == ["a#2"]


@pytest.mark.parametrize(
    ("meaning", "chunking", "complete", "stored"), [("m", "c2", True, True), ("m2", "c", False, False)]
)
def test_other_settings_distrust_every_digest_and_another_meaning_every_vector(
    path, meaning, chunking, complete, stored
):
    with Ledger(path) as ledger:
        ledger.begin(HERE, "m", "c")
        write(ledger, HERE)
        ledger.complete(HERE)
        ledger.begin(HERE, meaning, chunking)
        assert ledger.entries(HERE)["a.md"].digest is None
        assert all((metadata is not None) is stored for metadata in ledger.chunks(HERE, "a.md").values())
        assert ledger.state(HERE) == State(meaning, chunking, complete)


def test_places_are_apart(path):
    others = [
        Place("other", "memory", "docs"),
        Place("handbook", "other", "docs"),
        Place("handbook", "memory", "other"),
    ]
    with Ledger(path) as ledger:
        for place in [HERE, *others]:
            ledger.begin(place, "m", "c")
            write(ledger, place)
        ledger.settle(HERE, Settled(gone=["a.md"]))
        ledger.abandon(HERE)
        assert ledger.state(HERE) is None
        assert ledger.entries(HERE) == {}
        assert all(ledger.entries(place) == {"a.md": Entry("a.md", "d", STAMP, 2)} for place in others)


def test_a_collection_is_counted_and_distrusted_over_all_stores(path):
    neighbour = Place("other", "memory", "docs")
    with Ledger(path) as ledger:
        for place in (HERE, neighbour):
            ledger.begin(place, "m", "c")
            write(ledger, place)
            ledger.promise(place, {"b.md": ["b#1"]})
            ledger.complete(place)
        assert ledger.held(HERE) == 4
        ledger.distrust(HERE)
        assert ledger.held(HERE) == 0
        assert ledger.entries(neighbour)["a.md"] == Entry("a.md", None, STAMP, 2)
        assert ledger.state(neighbour) == State("m", "c", complete=False)


def test_a_settlement_is_whole_or_nothing(path):
    with Ledger(path) as ledger:
        ledger.begin(HERE, "m", "c")
        ledger.promise(HERE, {"a.md": ["a#1"]})
        with pytest.raises(sqlite3.IntegrityError):
            ledger.settle(HERE, Settled([passage("a.md", "a#1")], [Entry("a.md", "d"), Entry(None, "d")]))  # type: ignore[arg-type]
        assert ledger.chunks(HERE, "a.md") == {"a#1": None}
    with pytest.raises(HectorError, match="has no keywords"):
        keywords.find(path, HERE, "text", 9)


def test_who_reads_does_not_wait_for_who_writes(path):
    with Ledger(path) as writer:
        writer.begin(HERE, "m", "c")
        with writer._transaction():
            writer._run("UPDATE place SET complete = TRUE", HERE)
            assert read_state(path, HERE) == State("m", "c", complete=False)


def test_asking_makes_no_file(path):
    assert read_state(path, HERE) is None
    assert not path.parent.exists()


def test_a_file_that_is_no_ledger_is_refused(path):
    path.parent.mkdir()
    path.write_text("This is not a database, it is a page of prose that somebody put here.")
    with pytest.raises(HectorError) as error:
        Ledger(path)
    assert str(error.value) == (
        f"{path}: is not a ledger of document stores: file is not a database\n"
        "  Restore it from a backup, or delete it together with the collections and index the stores anew."
    )


def test_a_ledger_of_the_future_is_refused(path):
    Ledger(path).__exit__()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(HectorError) as error:
        Ledger(path)
    assert str(error.value) == f"{path}: is a ledger of version 9, this release reads 2\n  Upgrade Hector."


def test_a_ledger_of_an_earlier_release_is_refused(path):
    Ledger(path).__exit__()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 1")
    database.close()
    with pytest.raises(HectorError) as error:
        Ledger(path)
    assert str(error.value) == (
        f"{path}: is a ledger of version 1, this release reads 2\n"
        "  Delete it together with the collections of its stores, and index them anew."
    )
