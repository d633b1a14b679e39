"""`search` finds passages with sources that can be opened, and says what to do where it cannot."""

from __future__ import annotations

import os

import jsonschema
import pytest
from google.protobuf.json_format import MessageToDict

from hector_host.documents.index import index
from hector_host.documents.tool import SearchTool
from hector_host.errors import CallError, NotFoundError, PluginError

NOTES = "# Bread\n\nFlour and water.\n\n# Tea\n\nLeaves and hot water.\n"


def way(start, end):
    return os.path.relpath(end, start)


def passages(response):
    return MessageToDict(response.structured_result)["passages"]


async def test_the_best_passage_comes_first_with_its_line(place, call):
    place.write("notes.md", NOTES)
    store = place.store(chunk_size=40)
    await index(store, call)
    response = await SearchTool([store]).execute({"query": "hot leaves"}, call)
    assert response.success
    assert response.result == (
        "[1] docs/notes.md:5\n# Tea\n\nLeaves and hot water.\n\n[2] docs/notes.md:1\n# Bread\n\nFlour and water."
    )
    best = passages(response)[0]
    assert best.pop("score") > 0
    assert best == {
        "text": "# Tea\n\nLeaves and hot water.",
        "source": "docs/notes.md:5",
        "store": "handbook",
        "heading": "Tea",
    }


async def test_the_question_is_embedded_as_a_question(place, call):
    place.write("notes.md", NOTES)
    store = place.store()
    await index(store, call)
    await SearchTool([store]).execute({"query": "hot leaves"}, call)
    assert place.embedder.queries == ["hot leaves"]


async def test_no_more_passages_than_asked_for(place, call):
    for number in range(9):
        place.write(f"{number}.md", f"Text {number}.")
    store = place.store(search={"limit": 4})
    await index(store, call)
    tool = SearchTool([store])
    assert len(passages(await tool.execute({"query": "text"}, call))) == 4
    assert len(passages(await tool.execute({"query": "text", "limit": 7.0}, call))) == 7


async def test_a_search_sees_its_own_stores_alone(place, call):
    place.write("mine/a.md", "Secret of mine.")
    place.write("other/a.md", "Secret of others.")
    mine = place.store("mine", path=place.base / "docs/mine")
    await index(mine, call)
    await index(place.store("other", path=place.base / "docs/other"), call)
    found = passages(await SearchTool([mine]).execute({"query": "secret"}, call))
    assert [one["source"] for one in found] == ["docs/mine/a.md:1"]


async def test_a_database_that_ignores_filters_shows_nobody_elses_documents(place, call):
    place.write("mine/a.md", "Secret of mine.")
    place.write("other/a.md", "Secret of others.")
    mine = place.store("mine", path=place.base / "docs/mine")
    await index(mine, call)
    await index(place.store("other", path=place.base / "docs/other"), call)
    place.database.filters = False
    found = passages(await SearchTool([mine]).execute({"query": "secret"}, call))
    assert [one["source"] for one in found] == ["docs/mine/a.md:1"]


async def test_a_database_that_loses_metadata_is_named(place, call):
    place.write("a.md", "Text.")
    store = place.store()
    await index(store, call)
    place.database.filters = False
    for vector in place.database.shelves["docs"].vectors.values():
        del vector.metadata["path"]
        del vector.metadata["line"]
    with pytest.raises(PluginError) as error:
        await SearchTool([store]).execute({"query": "text"}, call)
    assert str(error.value) == (
        "hector.yaml:7: document_stores.handbook: databases.memory lost the metadata of "
        "handbook/a.md#f06dce27b84e18cc: path, line\n"
        "  Its plugin must return what UpsertVectors was given."
    )


async def test_several_stores_are_searched_as_one(place, call):
    place.write("one/a.md", "Tea and cake.")
    place.write("two/a.md", "Tea.")
    stores = [place.store(name, path=place.base / "docs" / name) for name in ("one", "two")]
    for store in stores:
        await index(store, call)
    tool = SearchTool(stores)
    both = passages(await tool.execute({"query": "tea"}, call))
    assert [one["store"] for one in both] == ["two", "one"]
    assert place.embedder.queries == ["tea"]
    one = passages(await tool.execute({"query": "tea", "store": "one"}, call))
    assert [one["store"] for one in one] == ["one"]


async def test_stores_of_different_embedders_take_turns(place, call):
    for name in ("one", "two"):
        for number in range(2):
            place.write(f"{name}/{number}.md", f"Tea {number}.")
    stores = [place.store(name, path=place.base / "docs" / name, embedder=f"words-{name}") for name in ("one", "two")]
    for store in stores:
        await index(store, call)
    found = passages(await SearchTool(stores).execute({"query": "tea"}, call))
    assert [one["store"] for one in found] == ["one", "two", "one", "two"]


async def test_a_file_outside_the_configuration_is_cited_from_it(place, call, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "a.md").write_text("Text.")
    store = place.store(path=elsewhere)
    await index(store, call)
    found = passages(await SearchTool([store]).execute({"query": "text"}, call))
    assert found[0]["source"] == f"{way(place.base, elsewhere)}/a.md:1"


async def test_nothing_found_is_an_answer(place, call):
    place.write("a.md", "Text.")
    store = place.store()
    await index(store, call)
    place.database.shelves["docs"].vectors.clear()
    response = await SearchTool([store]).execute({"query": "tea"}, call)
    assert (response.success, response.result, passages(response)) == (True, "Nothing was found.", [])


@pytest.mark.parametrize(
    ("parameters", "valid"),
    [
        ({"query": "tea"}, True),
        ({"query": "tea", "limit": 3, "store": "two"}, True),
        ({}, False),
        ({"query": " "}, False),
        ({"query": "tea", "limit": 0}, False),
        ({"query": "tea", "limit": 1.5}, False),
        ({"query": "tea", "limit": 101}, False),
        ({"query": "tea", "store": "three"}, False),
        ({"query": "tea", "top_k": 3}, False),
    ],
)
def test_the_schema_tells_a_good_call_from_a_bad_one(place, parameters, valid):
    schema = MessageToDict(SearchTool([place.store("one"), place.store("two")]).tool.parameters)
    assert jsonschema.Draft202012Validator(schema).is_valid(parameters) is valid


def test_one_store_is_not_offered_as_a_choice(place):
    schema = MessageToDict(SearchTool([place.store()]).tool.parameters)
    assert set(schema["properties"]) == {"query", "limit"}


async def refusal(store, call):
    tool = SearchTool([store])
    with pytest.raises(NotFoundError) as early:
        tool.check()
    with pytest.raises(NotFoundError) as late:
        await tool.execute({"query": "tea"}, call)
    assert str(early.value) == str(late.value)
    return str(early.value)


async def test_a_store_that_was_never_indexed_names_the_command(place, call):
    assert await refusal(place.store(), call) == (
        "hector.yaml:7: document_stores.handbook: is not indexed\n  Run: hector index handbook"
    )
    assert not place.has_ledger()


async def test_a_store_that_was_indexed_elsewhere_is_not_indexed(place, call):
    place.write("a.md", "Text.")
    await index(place.store(), call)
    place.database.collection = "other"
    assert await refusal(place.store(), call) == (
        "hector.yaml:7: document_stores.handbook: is not indexed\n  Run: hector index handbook"
    )


async def test_vectors_of_another_model_are_not_searched(place, call):
    place.write("a.md", "Text.")
    await index(place.store(), call)
    assert await refusal(place.store(meaning="other words"), call) == (
        "hector.yaml:7: document_stores.handbook: was indexed with other settings of its embedder\n"
        "  Run: hector index handbook"
    )


async def test_half_an_index_is_not_searched(place, call):
    place.write("a.md", "Text.")
    place.database.fail_on = "upsert"
    with pytest.raises(CallError):
        await index(place.store(), call)
    assert await refusal(place.store(), call) == (
        "hector.yaml:7: document_stores.handbook: is indexed in part: the last run did not end\n"
        "  Run: hector index handbook"
    )


async def test_a_broken_update_leaves_the_store_searchable(place, call):
    place.write("a.md", "Text.")
    store = place.store()
    await index(store, call)
    place.write("a.md", "New text.")
    place.database.fail_on = "upsert"
    with pytest.raises(CallError):
        await index(store, call)
    assert len(passages(await SearchTool([store]).execute({"query": "text"}, call))) == 1


async def test_the_first_failure_of_several_stores_is_told(place, call):
    place.write("a.md", "Text.")
    stores = [place.store("one"), place.store("two")]
    for store in stores:
        await index(store, call)
    place.embedder.fail_after = 0
    with pytest.raises(CallError) as error:
        await SearchTool(stores).execute({"query": "text"}, call)
    assert str(error.value) == "embedder_provider/words: EmbedBatch: UNAVAILABLE"


async def test_a_store_whose_folder_is_another_now_is_not_searched(place, call):
    place.write("a.md", "Text about tea.")
    place.write("b/b.md", "Text about cats.")
    await index(place.store(), call)
    with pytest.raises(NotFoundError) as caught:
        SearchTool([place.store(path=place.base / "docs" / "b")]).check()
    assert str(caught.value).splitlines() == [
        f"{place.store().label}: was indexed from another folder, or in chunks of another size",
        "  Run: hector index handbook",
    ]
