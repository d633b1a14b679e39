"""After every run, whole or broken, the database holds the chunks of the files as they are and of nothing else."""

from __future__ import annotations

import math
import os
import re

import fpdf
import pytest

from hector_host.documents import keywords
from hector_host.documents.files import contents
from hector_host.documents.index import Progress, index
from hector_host.documents.ledger import Ledger
from hector_host.documents.question import Options
from hector_host.documents.reading import reader
from hector_host.documents.search import search
from hector_host.errors import CallError, ConfigError, HectorError


def long_text(paragraphs, word="word"):
    return "\n\n".join(f"Paragraph {number} says {word}. " + "It goes on and on. " * 8 for number in range(paragraphs))


def texts(place):
    return sorted(vector.metadata["text"] for vector in place.database.shelves["docs"].vectors.values())


def vectors(place):
    return {id_: list(one.vector) for id_, one in place.database.shelves["docs"].vectors.items()}


def lines(metadata):
    return sorted(one["line"] for one in metadata)


async def test_each_chunk_is_stored_with_what_a_search_needs(place, call):
    place.write("guide/start.md", "# Guide\n\nIntro.\n\n## Install\n\nRun the installer.\n" + "Then wait. " * 20)
    report = await index(place.store(), call)
    vectors = place.database.shelves["docs"].vectors
    assert all(re.fullmatch("handbook/guide/start.md#[0-9a-f]{16}", id_) for id_ in vectors)
    last = max((vector.metadata for vector in vectors.values()), key=lambda metadata: metadata["line"])
    assert (last["store"], last["path"], last["heading"]) == ("handbook", "guide/start.md", "Guide > Install")
    assert 5 <= last["line"] <= last["end_line"]
    assert "Then wait." in last["text"]
    assert (report.store, report.files, report.chunks, report.vectors) == ("handbook", 1, len(vectors), len(vectors))


async def test_a_passage_is_embedded_with_the_heading_that_it_stands_under(place, call):
    place.write("a.md", "# Cooking\n\n## Bread\n\nFlour and water.\n\nIt rises over night.")
    await index(place.store(chunk_size=30), call)
    assert place.embedder.texts == ["## Bread\n\nFlour and water.", "Bread\n\nIt rises over night."]


async def test_progress_reaches_the_end_and_never_goes_back(place, call):
    for number in range(7):
        place.write(f"{number}.md", long_text(30))
    seen: list[Progress] = []
    report = await index(place.store(), call, seen.append)
    assert [step.files for step in seen] == sorted(step.files for step in seen)
    assert len(seen) > 2
    assert (seen[-1].files, seen[-1].total, seen[-1].chunks) == (7, 7, report.chunks)
    assert 0 < seen[0].seconds <= seen[-1].seconds <= report.seconds


async def test_a_second_run_embeds_only_what_changed(place, call):
    place.write("same.md", "It stays.")
    place.write("changed.md", "Before.")
    await index(place.store(), call)
    place.write("changed.md", "After.")
    place.embedder.texts.clear()
    report = await index(place.store(), call)
    assert place.embedder.texts == ["After."]
    assert (report.files, report.chunks, report.vectors, report.removed) == (2, 2, 1, 0)


async def test_a_changed_file_is_embedded_where_it_changed(place, call):
    paragraphs = long_text(6).split("\n\n")
    place.write("a.md", "\n\n".join(paragraphs))
    first = await index(place.store(), call)
    place.embedder.texts.clear()
    changed = [*paragraphs[:2], "Something else. " * 8, *paragraphs[3:]]
    place.write("a.md", "\n\n".join(changed))
    second = await index(place.store(), call)
    assert place.embedder.texts == [changed[2].strip()]
    assert (first.vectors, second.vectors, second.chunks) == (6, 1, 6)
    assert texts(place) == sorted(one.strip() for one in changed)


@pytest.mark.parametrize("lists", [True, False])
async def test_a_passage_that_moved_keeps_its_vector_where_the_database_can_give_it(place, call, lists):
    one, two, three = long_text(3).split("\n\n")
    place.write("a.md", f"{one}\n\n{two}\n\n{three}")
    await index(place.store(), call)
    before = vectors(place)
    place.embedder.texts.clear()
    place.database.lists = lists
    place.write("a.md", f"{one}\n\n\n\n{two}\n\n{three}")
    report = await index(place.store(), call)
    store = place.store()
    assert vectors(place) == before
    assert lines(vector.metadata for vector in place.database.shelves["docs"].vectors.values()) == [1, 5, 7]
    assert lines(hit.metadata for hit in keywords.find(store.ledger, store.place, "goes", 9)) == [1, 5, 7]
    assert report.vectors == len(place.embedder.texts) == (0 if lists else 2)


async def test_passages_with_the_same_text_are_all_there(place, call):
    place.write("a.md", "\n\n".join(["The same words. " * 10] * 3))
    report = await index(place.store(), call)
    assert (report.chunks, len(place.database.ids())) == (3, 3)
    place.write("a.md", "The same words. " * 10)
    await index(place.store(), call)
    assert len(place.database.ids()) == 1


async def test_a_file_is_not_read_again_while_its_stamp_is_the_same(place, call, monkeypatch):
    old = place.write("old.md", "Old.")
    os.utime(old, (1e9, 1e9))
    place.write("new.md", "New.")
    await index(place.store(), call)
    read = []
    monkeypatch.setattr(reader, "contents", lambda root, path, limit: read.append(path) or contents(root, path, limit))
    await index(place.store(), call)
    assert read == ["new.md"]  # it was written just before: it might have been written again since
    os.utime(old, (1e9 + 1, 1e9 + 1))
    report = await index(place.store(), call)
    assert (read[1:], report.vectors) == (["new.md", "old.md"], 0)
    await index(place.store(), call)
    assert read[3:] == ["new.md"]


async def test_a_file_that_cannot_be_read_is_not_tried_again_while_it_is_as_it_is(place, call, monkeypatch):
    good = place.write("good.md", "Good.")
    bad = place.write("bad.docx", b"PK")
    for file in (good, bad):
        os.utime(file, (1e9, 1e9))
    store = place.store(include=["*"])
    first = await index(store, call)
    read = []
    monkeypatch.setattr(reader, "contents", lambda root, path, limit: read.append(path) or contents(root, path, limit))
    second = await index(store, call)
    assert [str(one) for one in first.skipped] == ["bad.docx: is damaged, or no DOCX: File is not a zip file"]
    assert (second.skipped, second.files, second.removed, read) == (first.skipped, 1, 0, [])
    place.write("bad.docx", b"PK too")
    assert (await index(store, call)).removed == 0
    assert read == ["bad.docx"]
    bad.unlink()
    last = await index(store, call)
    assert (last.skipped, last.removed) == ((), 0)


async def test_a_file_that_the_embedder_refuses_costs_no_other_file_anything(place, call):
    place.write("a.md", "Good.")
    place.write("b.md", long_text(70) + "\n\nPoison.\n\n" + long_text(70))
    place.write("c.md", "Good as well.")
    place.embedder.refuses = "Poison"
    report = await index(place.store(), call)
    assert place.database.paths() == ["handbook/a.md", "handbook/c.md"]
    assert [str(one) for one in report.skipped] == ["b.md: embedders.words refuses it: not that word"]
    assert (report.files, report.chunks) == (2, 2)
    assert keywords.find(place.store().ledger, place.store().place, "paragraph", 10) == []
    place.embedder.refuses = ""
    report = await index(place.store(), call)
    assert (report.files, report.chunks) == (3, len(place.database.ids()))


async def test_a_run_goes_on_with_the_chunks_that_are_missing(place, call):
    place.write("a.md", long_text(900))
    place.embedder.fail_after = 600
    with pytest.raises(CallError):
        await index(place.store(), call)
    place.embedder.fail_after = math.inf
    report = await index(place.store(), call)
    assert (report.chunks, len(place.database.ids())) == (900, 900)
    assert report.vectors <= 900 - 2 * 64  # what was under way when it failed is done again


async def test_documents_of_all_kinds_are_found_by_where_they_stand(place, call):
    pages = fpdf.FPDF()
    pages.set_title("Fruit")
    pages.set_font("Helvetica")
    for text in ("Pears ripen.", "Quinces are hard."):
        pages.add_page()
        pages.multi_cell(0, 10, text)
    place.write("fruit.pdf", bytes(pages.output()))
    place.write("shop.html", "<title>Shop</title><h1>Hours</h1><p>Open at nine.")
    place.write("notes.rst", "Notes\n=====\n\nSeeds\n-----\n\nSow in April.\n")
    place.write("broken.docx", b"PK")
    store = place.store(include=["*"])
    report = await index(store, call)
    assert [str(one) for one in report.skipped] == ["broken.docx: is damaged, or no DOCX: File is not a zip file"]
    found = {}
    for question in ("quinces are hard", "open at nine", "sow in april"):
        (passages,) = await search([store], [question], Options(limit=1), call)
        found[passages[0].source] = passages[0].heading
    assert found == {"docs/fruit.pdf#page=2": "", "docs/shop.html": "Hours", "docs/notes.rst:1": "Notes"}
    titles = {one.metadata["path"]: one.metadata["title"] for one in place.database.shelves["docs"].vectors.values()}
    assert titles == {"fruit.pdf": "Fruit", "shop.html": "Shop", "notes.rst": "Notes"}


async def test_an_unchanged_store_does_not_wait_for_the_embedder(place, call):
    place.write("a.md", "Text.")
    await index(place.store(), call)
    place.embedder.asked_for_dimension = 0
    report = await index(place.store(), call)
    assert (report.chunks, report.vectors) == (1, 0)
    assert place.embedder.asked_for_dimension == 0


async def test_a_file_that_shrank_leaves_no_chunk_behind(place, call):
    place.write("a.md", long_text(9))
    await index(place.store(), call)
    assert len(place.database.ids()) > 1
    place.write("a.md", "Short.")
    await index(place.store(), call)
    assert place.database.paths() == ["handbook/a.md"]


async def test_a_deleted_file_leaves_no_chunk_behind(place, call):
    place.write("a.md", "Stays.")
    file = place.write("b.md", long_text(9))
    await index(place.store(), call)
    file.unlink()
    report = await index(place.store(), call)
    assert place.database.paths() == ["handbook/a.md"]
    assert report.removed == 1


async def test_a_file_that_became_unreadable_is_no_longer_quoted(place, call):
    place.write("a.md", "Stays.")
    place.write("b.md", "Text.")
    await index(place.store(), call)
    place.write("b.md", b"\xff\xfe")
    report = await index(place.store(), call)
    assert place.database.paths() == ["handbook/a.md"]
    assert [str(one) for one in report.skipped] == ["b.md: is not UTF-8 text: byte 0 is 0xff"]


async def test_other_chunk_sizes_do_all_files_again(place, call):
    place.write("a.md", long_text(9))
    first = await index(place.store(chunk_size=200), call)
    second = await index(place.store(chunk_size=1000), call)
    assert second.vectors == second.chunks < first.chunks
    assert len(place.database.ids()) == second.chunks


async def test_another_collection_takes_the_chunks_along(place, call):
    place.write("a.md", "Text.")
    await index(place.store(), call)
    place.database.collection = "other"
    await index(place.store(), call)
    assert (place.database.paths("docs"), place.database.paths("other")) == ([], ["handbook/a.md"])


async def test_without_a_configured_collection_each_store_has_one_of_its_name(place, call):
    place.write("a.md", "Text.")
    place.database.collection = None
    await index(place.store(), call)
    assert place.database.paths("handbook") == ["handbook/a.md"]


async def test_stores_share_a_collection_and_touch_only_their_own_chunks(place, call):
    file = place.write("a.md", "Text.")
    place.write("b.txt", "More.")
    await index(place.store("one"), call)
    await index(place.store("two"), call)
    file.unlink()
    await index(place.store("two"), call)
    assert place.database.paths() == ["one/a.md", "one/b.txt", "two/b.txt"]


async def test_a_database_that_lost_its_vectors_gets_them_again(place, call):
    place.write("a.md", "Text.")
    await index(place.store(), call)
    place.database.shelves.clear()
    report = await index(place.store(), call)
    assert place.database.paths() == ["handbook/a.md"]
    assert report.vectors == 1


async def test_a_database_that_lists_no_collections_is_trusted(place, call):
    place.write("a.md", "Text.")
    place.database.tells = False
    await index(place.store(), call)
    place.embedder.texts.clear()
    await index(place.store(), call)
    assert place.embedder.texts == []


@pytest.mark.parametrize("method", ["upsert", "delete"])
async def test_a_broken_run_is_finished_by_the_next(place, call, method):
    place.write("a.md", long_text(9))
    place.write("z.md", long_text(3))
    await index(place.store(), call)
    place.write("a.md", "Short.")
    place.write("z.md", long_text(5, word="other"))
    place.database.fail_on = method
    with pytest.raises(CallError):
        await index(place.store(), call)
    place.database.fail_on = ""
    (place.base / "docs" / "z.md").unlink()
    await index(place.store(), call)
    assert place.database.paths() == ["handbook/a.md"]


async def test_every_chunk_of_a_broken_first_run_is_remembered(place, call):
    for number in range(9):
        place.write(f"{number}.md", long_text(30))
    place.embedder.fail_after = 150
    with pytest.raises(CallError):
        await index(place.store(), call)
    stored = place.database.ids()
    assert stored
    store = place.store()
    with Ledger(store.ledger) as ledger:
        remembered = {id_ for path in ledger.entries(store.place) for id_ in ledger.chunks(store.place, path)}
    assert stored <= remembered


async def test_two_runs_at_once_are_refused(place, call):
    place.write("a.md", "Text.")
    store = place.store()
    with Ledger(store.ledger) as ledger, ledger.alone(), pytest.raises(HectorError) as error:
        await index(store, call)
    assert str(error.value) == (
        f"{place.base / '.hector'}: another process is indexing document stores there\n  Wait until it is done."
    )
    assert (await index(store, call)).files == 1


async def test_a_path_too_long_for_an_id_has_a_short_one(place, call):
    deep = "/".join(["ä" * 60] * 6)
    place.write(f"{deep}/a.md", "Text.")
    await index(place.store(), call)
    (vector,) = place.database.shelves["docs"].vectors.values()
    assert len(vector.id) == 64 + 1 + 16
    assert vector.metadata["path"] == f"{deep}/a.md"


async def test_a_store_may_be_one_file(place, call):
    file = place.write("notes.rst", "Text.")
    report = await index(place.store(path=file), call)
    assert (report.files, place.database.paths()) == (1, ["handbook/notes.rst"])


async def test_a_store_without_files_says_where_it_looked(place, call):
    place.write("a.rst", "Text.")
    with pytest.raises(ConfigError) as error:
        await index(place.store(exclude=["drafts/"]), call)
    assert str(error.value) == (
        f"hector.yaml:7: document_stores.handbook: is empty: no file matches in {place.base}/docs "
        '(include ["**/*.md", "**/*.txt"], exclude ["drafts/"])\n'
        "  Name the folder that holds the files, or patterns that match some of them."
    )
    assert place.database.shelves == {}


async def test_a_store_whose_files_have_no_text_names_what_it_could_not_read(place, call):
    place.write("a.md", "\n \n")
    place.write("b.md", b"\0")
    with pytest.raises(ConfigError) as error:
        await index(place.store(), call)
    assert str(error.value) == (
        f"hector.yaml:7: document_stores.handbook: is empty: no selected file has text in {place.base}/docs "
        '(include ["**/*.md", "**/*.txt"], exclude [])\n'
        "  Name the folder that holds the files, or patterns that match some of them.\n"
        "  b.md: is not text: it has zero bytes"
    )


async def test_a_folder_that_vanished_deletes_nothing(place, call):
    file = place.write("a.md", "Text.")
    await index(place.store(), call)
    file.unlink()
    file.parent.rmdir()
    with pytest.raises(ConfigError) as error:
        await index(place.store(), call)
    assert str(error.value) == (
        f"hector.yaml:7: document_stores.handbook.path: there is no {place.base}/docs\n"
        "  Name the folder of the documents."
    )
    assert place.database.paths() == ["handbook/a.md"]


async def test_a_collection_of_another_dimension_is_named(place, call):
    place.write("a.md", "Text.")
    await place.database.create_collection("docs", 3, call)
    with pytest.raises(ConfigError) as error:
        await index(place.store(), call)
    assert str(error.value) == (
        'hector.yaml:7: document_stores.handbook: collection "docs" of databases.memory has other settings than the '
        "64 numbers a vector of embedders.words: it has 3 numbers\n"
        "  Name another collection in databases.memory.config.collection."
    )


@pytest.mark.parametrize("indexed", [False, True])
async def test_an_embedder_that_does_not_fit_the_database_is_named(place, call, indexed):
    place.write("a.md", "Text.")
    if indexed:
        await index(place.store(), call)
    place.database.dimension = 384
    with pytest.raises(ConfigError) as error:
        await index(place.store(), call)
    assert str(error.value) == (
        "hector.yaml:7: document_stores.handbook: embedders.words gives vectors of 64 numbers, "
        "databases.memory.config.dimension says 384\n"
        "  Write dimension: 64 there, or leave it out."
    )


async def test_a_folder_that_became_empty_leaves_no_chunk_behind(place, call):
    file = place.write("a.md", "Some text about tea.")
    await index(place.store(), call)
    file.unlink()
    with pytest.raises(ConfigError) as caught:
        await index(place.store(), call)
    assert "no file matches" in str(caught.value)
    assert place.database.ids() == set()


async def test_keywords_are_what_the_files_say(place, call):
    store = place.store(chunk_size=50)

    def found(words):
        return [
            (hit.metadata["path"], hit.metadata["text"]) for hit in keywords.find(store.ledger, store.place, words, 10)
        ]

    place.write("a.md", "# Pears\n\nRipe in September.\n\n# Plums\n\nPurple, in August.\n")
    place.write("b.md", "Figs.")
    await index(store, call)
    assert found("September") == [("a.md", "# Pears\n\nRipe in September.")]
    assert found("August") == [("a.md", "# Plums\n\nPurple, in August.")]
    place.write("a.md", "Now quinces.")
    (place.base / "docs/b.md").unlink()
    await index(store, call)
    assert found("quinces") == [("a.md", "Now quinces.")]
    assert found("September August figs") == []


async def test_keywords_leave_a_collection_with_its_vectors(place, call):
    place.write("a.md", "Pears.")
    before = place.store()
    await index(before, call)
    old = before.place
    place.database.collection = "other"
    after = place.store()
    await index(after, call)
    assert len(keywords.find(after.ledger, after.place, "pears", 10)) == 1
    with pytest.raises(HectorError, match="has no keywords of handbook"):
        keywords.find(after.ledger, old, "pears", 10)
