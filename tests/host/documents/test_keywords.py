"""The keyword index ranks passages by the rare words that they share with a question, and forgets what is deleted."""

from __future__ import annotations

import sqlite3

import pytest

from hector_host.documents import keywords
from hector_host.documents.ledger import Place
from hector_host.errors import HectorError

HERE = Place("fruit", "faiss", "docs")


class Index:
    def __init__(self, path):
        self.path = path
        self._connection = sqlite3.connect(path)

    def put(self, place=HERE, **texts):
        with self._connection:
            rows = [(id_, {"text": text, "path": f"{id_}.md", "heading": ""}) for id_, text in texts.items()]
            keywords.put(self._connection, place, rows)

    def put_row(self, id_, **metadata):
        with self._connection:
            keywords.put(self._connection, HERE, [(id_, metadata)])

    def delete(self, *ids, place=HERE):
        with self._connection:
            keywords.delete(self._connection, place, ids)

    def drop(self, place=HERE):
        with self._connection:
            keywords.drop(self._connection, place)

    def ids(self, query, limit=10, place=HERE, **more):
        return [hit.id for hit in keywords.find(self.path, place, query, limit, **more)]

    def broken(self):
        """What SQLite says of its own index."""
        with self._connection:
            self._connection.execute("INSERT INTO words_1 (words_1) VALUES ('integrity-check')")
        return self._connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok"


@pytest.fixture
def index(tmp_path):
    return Index(tmp_path / "documents.sqlite")


@pytest.fixture
def fruit(index):
    index.put(
        pears="Pears ripen in September.",
        plums="Plums are purple, ripening in August.",
        figs="Figs are sweet.",
        apples="Apples keep in the cellar.",
    )
    return index


def test_rare_words_count_more_than_common_ones(fruit):
    assert fruit.ids("When do pears ripen in a year?") == ["pears", "plums", "apples"]
    assert fruit.ids("ripening plum") == ["plums", "pears"]


def test_the_score_is_the_share_of_the_words_that_are_there(fruit):
    whole = keywords.find(fruit.path, HERE, "figs sweet", 1)[0]
    half = keywords.find(fruit.path, HERE, "figs sour", 1)[0]
    none = keywords.find(fruit.path, HERE, "lemons are sour", 1)[0]
    assert whole.score == 1
    assert 0.3 < half.score < 0.7
    assert none.score < 0.2
    assert whole.metadata == {"text": "Figs are sweet.", "path": "figs.md", "heading": ""}


def test_no_more_than_asked_for(fruit):
    assert len(fruit.ids("are in", 2)) == 2


def test_hits_that_do_not_match_make_room_for_others(fruit):
    found = fruit.ids("ripen in", 1, matches=lambda metadata: metadata["path"] not in ("pears.md", "plums.md"))
    assert found == ["apples"]


def test_what_is_put_again_replaces_what_was_there(fruit):
    fruit.put(pears="Now about quinces.")
    assert fruit.ids("September") == []
    assert fruit.ids("quinces") == ["pears"]
    assert not fruit.broken()


def test_what_is_deleted_is_not_found(fruit):
    fruit.delete("pears", "unknown")
    assert fruit.ids("September ripen") == ["plums"]
    assert not fruit.broken()


def test_a_change_that_is_taken_back_changed_nothing(fruit):
    connection = sqlite3.connect(fruit.path)
    keywords.put(connection, HERE, [("new", {"text": "September", "path": "a"})])
    keywords.delete(connection, HERE, ["pears"])
    connection.rollback()
    connection.close()
    assert fruit.ids("September") == ["pears"]
    assert not fruit.broken()


def test_headings_count_more_than_text_and_paths_are_words_too(index):
    index.put_row("body", text="Something of pears here.", path="a.md", heading="Fruit")
    index.put_row("head", text="Something of fruit here.", path="b.md", heading="Pears")
    index.put_row("title", text="Something of nuts here.", path="guides/install.md", title="Walnuts", heading="")
    index.put_row("rest", text="Nothing at all.", path="c.md")
    assert index.ids("pears") == ["head", "body"]
    assert index.ids("walnuts") == ["title"]
    assert index.ids("install.md") == ["title"]


def test_names_of_code_are_found_whole_and_by_their_parts(index):
    index.put(snake="Set max_pods to 3.", camel="Call CreateSnapshot first.", other="The most pods of a node, max.")
    assert index.ids("max_pods") == ["snake"]
    assert index.ids("creating snapshots") == ["camel"]
    assert index.ids("createsnapshot") == ["camel"]


def test_other_languages(index):
    index.put(de="Die Äpfel reifen früh.", ja="検索機能は文書を探す。", ru="Груши созревают в сентябре.", en="Pears.")
    assert index.ids("apfel") == ["de"]
    assert index.ids("検索") == ["ja"]
    assert index.ids("ГРУШИ") == ["ru"]


@pytest.mark.parametrize(
    "query", ['"', "'; DROP TABLE place; --", "AND OR", "NEAR(", "text:*", "^", "-", "\0", "a" * 9000]
)
def test_no_question_breaks_the_search(fruit, query):
    assert fruit.ids(query) == []


def test_a_question_of_very_many_words(fruit):
    assert fruit.ids(" ".join(f"w{number}" for number in range(2000)) + " figs") == ["figs"]


def test_words_that_most_passages_have_are_looked_for_only_where_there_is_no_other(index):
    index.put(**{f"p{number}": "Pears." for number in range(keywords.COMMON + 1)})
    index.put(figs="Figs.")
    assert index.ids("pears figs") == ["figs"]
    assert len(index.ids("pears")) == 10


def test_stores_count_and_forget_for_themselves(fruit):
    other = Place("nuts", "faiss", "docs")
    fruit.put(other, **{f"n{number}": "Pears beside nuts." for number in range(20)})
    before = keywords.find(fruit.path, HERE, "pears are sweet", 1)[0].score
    fruit.drop(other)
    assert keywords.find(fruit.path, HERE, "pears are sweet", 1)[0].score == before
    with pytest.raises(HectorError) as error:
        fruit.ids("pears", place=other)
    assert str(error.value) == f"{fruit.path}: has no keywords of nuts\n  Run: hector index nuts"
    fruit.put(other, nuts="Nuts.")
    assert fruit.ids("nuts", place=other) == ["nuts"]
    fruit.delete("a", place=Place("never", "faiss", "docs"))
    fruit.drop(Place("never", "faiss", "docs"))


def test_a_damaged_index_is_named(fruit):
    with sqlite3.connect(fruit.path) as connection:
        connection.execute("DELETE FROM words_1_data")
    with pytest.raises(HectorError) as error:
        fruit.ids("pears")
    assert str(error.value) == (
        "the keywords of document stores cannot be used: vtable constructor failed: words_1\n  Index the stores anew."
    )


class Bare:
    """A connection to an SQLite without FTS5."""

    def execute(self, statement, parameters=()):
        if "fts5" in statement:
            raise sqlite3.OperationalError("no such module: fts5")
        return self.connection.execute(statement, parameters)

    def __init__(self):
        self.connection = sqlite3.connect(":memory:")


def test_an_sqlite_without_fts5_is_named():
    with pytest.raises(HectorError) as error:
        keywords.put(Bare(), HERE, [("a", {"text": "a"})])
    assert str(error.value) == (
        f"this Python's SQLite {sqlite3.sqlite_version} has no FTS5, which keeps the words of document stores\n"
        "  Run Hector with a Python whose sqlite3 has it, as those of python.org and of Linux distributions."
    )
