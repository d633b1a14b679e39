from __future__ import annotations

import sqlite3

import pytest

from hector_host.documents.ledger import Entry, Ledger, Place, State, read_state
from hector_host.errors import HectorError

HERE = Place("handbook", "memory", "docs")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "storage" / "documents.sqlite"


def test_what_was_written_is_there_for_the_next_process(path):
    with Ledger(path) as ledger:
        ledger.begin(HERE, "m", "c")
        ledger.write(HERE, [Entry("a.md", None, 3), Entry("b.md", "d", 2)])
        ledger.complete(HERE)
    with Ledger(path) as ledger:
        assert ledger.entries(HERE) == {"a.md": Entry("a.md", None, 3), "b.md": Entry("b.md", "d", 2)}
        assert ledger.state(HERE) == State("m", "c", complete=True)
        assert ledger.places("handbook") == [HERE]


def test_other_settings_distrust_every_digest(path):
    with Ledger(path) as ledger:
        for meaning, chunking, digest, complete in [
            ("m", "c", "d", True),
            ("m", "c2", None, True),
            ("m2", "c", None, False),
        ]:
            ledger.begin(HERE, "m", "c")
            ledger.write(HERE, [Entry("a.md", "d", 1)])
            ledger.complete(HERE)
            ledger.begin(HERE, meaning, chunking)
            assert ledger.entries(HERE)["a.md"].digest == digest
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
            ledger.write(place, [Entry("a.md", "d", 5)])
        ledger.forget(HERE, "a.md", [])
        ledger.abandon(HERE)
        assert ledger.state(HERE) is None
        assert ledger.entries(HERE) == {}
        assert all(ledger.entries(place) == {"a.md": Entry("a.md", "d", 5)} for place in others)


def test_a_collection_is_counted_and_distrusted_over_all_stores(path):
    neighbour = Place("other", "memory", "docs")
    with Ledger(path) as ledger:
        for place in (HERE, neighbour):
            ledger.begin(place, "m", "c")
            ledger.write(place, [Entry("a.md", "d", 5), Entry("b.md", None, 9)])
            ledger.complete(place)
        assert ledger.held(HERE) == 10
        ledger.distrust(HERE)
        assert ledger.held(HERE) == 0
        assert ledger.entries(neighbour)["a.md"] == Entry("a.md", None, 5)
        assert ledger.state(neighbour) == State("m", "c", complete=False)


def test_a_write_is_whole_or_nothing(path):
    with Ledger(path) as ledger:
        ledger.begin(HERE, "m", "c")
        with pytest.raises(sqlite3.IntegrityError):
            ledger.write(HERE, [Entry("a.md", "d", 5), Entry("b.md", "d", None)])  # type: ignore[arg-type]
        assert ledger.entries(HERE) == {}


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
    assert str(error.value) == f"{path}: is a ledger of version 9, this release reads 1\n  Upgrade Hector."
