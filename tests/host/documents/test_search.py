"""Searches by meaning, by words and by both; what they return at most and at least; and who has the last word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest

from hector_host.documents.index import index
from hector_host.documents.question import Options
from hector_host.documents.search import search
from hector_host.errors import CallError, NotFoundError, QuestionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector_host.providers.call import Call


class Reranker:
    """Likes long texts."""

    def __init__(self, code: grpc.StatusCode | None = None) -> None:
        self.asked: list[tuple[str, list[str], str]] = []
        self._code = code

    async def rerank(self, query: str, texts: Sequence[str], call: Call, model: str = "") -> list[float]:
        if self._code is not None:
            raise CallError("embedder_provider/cross: Rerank: no model of that kind", code=self._code)
        self.asked.append((query, list(texts), model))
        return [float(len(text)) for text in texts]


@pytest.fixture
async def fruit(place, call):
    """Pears are near to the question by its vector, plums by its one rare word."""
    place.write("pears.md", "# Pears\n\nWhat do they do in autumn, and when do they do it?")
    place.write("plums.md", "# Plums\n\nRipening.")
    place.write("figs.md", "# Figs\n\nSweet.")
    await index(place.store(), call)
    return place


async def found(store, text, call, **options: Any):
    (passages,) = await search([store], [text], Options(**options), call)
    return passages


async def paths(store, text, call, **options: Any):
    return [one.path for one in await found(store, text, call, **options)]


async def test_each_mode_finds_by_its_own(fruit, call):
    question = "when do they do ripening"
    store = fruit.store()
    assert (await paths(store, question, call, mode="vector"))[0] == "pears.md"
    assert await paths(store, "ripening sweet", call, mode="keyword") == ["figs.md", "plums.md"]
    both = await found(store, question, call, mode="hybrid")
    assert {one.path for one in both} == {"pears.md", "plums.md", "figs.md"}
    assert [one.score for one in both] == sorted((one.score for one in both), reverse=True)
    assert all(0 < one.score <= 1 for one in both)


async def test_a_passage_tells_by_what_it_was_found(fruit, call):
    store = fruit.store()
    (vector, *_) = await found(store, "figs sweet", call, mode="vector")
    (keyword,) = await found(store, "figs sweet", call, mode="keyword")
    (hybrid, other, *_) = await found(store, "figs sweet", call)
    assert (vector.vector, vector.keyword, vector.rerank) == (vector.score, None, None)
    assert (keyword.vector, keyword.keyword, keyword.score) == (None, 1, 1)
    assert (hybrid.path, hybrid.vector, hybrid.keyword, hybrid.score) == ("figs.md", vector.score, 1, 1)
    assert other.keyword is None
    assert (keyword.source, keyword.line, keyword.end_line, keyword.heading) == ("docs/figs.md:1", 1, 3, "Figs")
    assert keyword.text == vector.text == "# Figs\n\nSweet."


@pytest.mark.parametrize("mode", ["vector", "keyword", "hybrid"])
async def test_a_file_with_many_good_passages_hides_no_other(place, call, mode):
    place.write("figs.md", "\n\n".join(f"# Figs {number}\n\nFigs are sweet." for number in range(9)))
    place.write("plums.md", "# Plums\n\nNo figs, but sweet.")
    store = place.store(chunk_size=50)
    await index(store, call)
    assert await paths(store, "figs are sweet", call, mode=mode, limit=4) == [
        *("figs.md", "figs.md"),
        *("plums.md", "figs.md"),
    ]


async def test_the_store_says_how_where_the_caller_does_not(fruit, call):
    words = fruit.store(search={"mode": "keyword", "limit": 1})
    assert await paths(words, "ripening sweet", call) == ["figs.md"]
    assert fruit.embedder.queries == []
    assert await paths(words, "ripening sweet", call, limit=2) == ["figs.md", "plums.md"]
    bound = fruit.store(search={"mode": "keyword", "threshold": 0.9})
    assert await paths(bound, "ripening sweet", call) == []
    assert await paths(bound, "ripening sweet", call, threshold=0) == ["figs.md", "plums.md"]


async def test_what_scores_lower_than_the_threshold_is_left_out(fruit, call):
    store = fruit.store()
    assert len(await found(store, "figs sweet", call, mode="vector")) == 3
    assert await paths(store, "figs sweet", call, mode="vector", threshold=0.5) == ["figs.md"]
    assert await paths(store, "figs sweet", call, mode="vector", threshold=0.0) != []
    assert await paths(store, "figs sour", call, mode="keyword", threshold=0.9) == []


async def test_in_a_hybrid_search_one_score_has_to_reach_the_threshold(fruit, call):
    store = fruit.store()
    both = await found(store, "sweet they do in autumn", call)
    figs = next(one for one in both if one.path == "figs.md")
    lower, higher = sorted((figs.vector, figs.keyword))
    assert lower < higher
    assert "figs.md" in await paths(store, "sweet they do in autumn", call, threshold=higher)
    assert "figs.md" not in await paths(store, "sweet they do in autumn", call, threshold=higher + 0.01)


@pytest.mark.parametrize("mode", ["vector", "keyword", "hybrid"])
async def test_a_filter_holds_in_every_mode(fruit, call, mode):
    store = fruit.store()
    everything = await paths(store, "figs plums pears", call, mode=mode)
    assert sorted(everything) == ["figs.md", "pears.md", "plums.md"]
    where = {"path": {"$in": ["figs.md", "pears.md"]}, "line": {"$lt": 2}}
    fruit.database.filters = False
    assert sorted(await paths(store, "figs plums pears", call, mode=mode, where=where)) == ["figs.md", "pears.md"]
    assert await paths(store, "figs plums pears", call, mode=mode, where={"store": "other"}) == []


async def test_keywords_of_another_store_are_not_found(fruit, call):
    fruit.write("other/a.md", "Ripening secrets.")
    other = fruit.store("other", path=fruit.base / "docs/other")
    await index(other, call)
    assert await paths(fruit.store(), "secrets", call, mode="keyword") == []
    assert await paths(other, "secrets", call, mode="keyword") == ["a.md"]


async def test_many_questions_are_embedded_together_and_answered_in_order(fruit, call):
    questions = ["figs", "plums", "pears"] * 30
    answers = await search([fruit.store()], questions, Options(limit=1), call)
    assert [one.path for (one,) in answers] == ["figs.md", "plums.md", "pears.md"] * 30
    assert fruit.embedder.queries == questions


async def test_stores_that_are_searched_alike_are_one_ranking(place, call):
    for name, text in (("one", "Tea and cake and more."), ("two", "Tea."), ("three", "Tea and cake.")):
        place.write(f"{name}/a.md", text)
        await index(place.store(name, path=place.base / "docs" / name), call)
    stores = [place.store(name, path=place.base / "docs" / name) for name in ("one", "two", "three")]
    for mode in ("vector", "hybrid"):
        (ranked,) = await search(stores, ["tea and cake"], Options(mode=mode), call)
        assert [one.store for one in ranked] == ["three", "one", "two"], mode


async def test_stores_of_different_modes_take_turns(place, call):
    for name in ("one", "two"):
        for number in range(2):
            place.write(f"{name}/{number}.md", f"Tea {number}.")
    stores = [
        place.store(name, path=place.base / "docs" / name, search={"mode": mode})
        for name, mode in (("one", "vector"), ("two", "keyword"))
    ]
    for store in stores:
        await index(store, call)
    (ranked,) = await search(stores, ["tea"], Options(), call)
    assert [one.store for one in ranked] == ["one", "two", "one", "two"]


async def test_a_cross_encoder_has_the_last_word(fruit, call):
    reranker = Reranker()
    rerank = {"embedder": "cross", "model": "large", "candidates": 2}
    store = fruit.store(search={"rerank": rerank, "limit": 1}, reranker=reranker)
    first, second = (await found(store, "figs plums", call, rerank=False, limit=3))[:2]
    (best,) = await found(store, "figs plums", call)
    assert reranker.asked == [("figs plums", [first.whole, second.whole], "large")]
    assert first.whole.startswith(f"{first.heading}\n\n# {first.heading}")
    longest = max((first, second), key=lambda one: len(one.whole))
    assert (best.path, best.score, best.rerank) == (longest.path, len(longest.whole), len(longest.whole))
    assert best.keyword == longest.keyword


async def test_nothing_is_not_reranked(fruit, call):
    reranker = Reranker()
    store = fruit.store(search={"mode": "keyword", "rerank": {"embedder": "cross"}}, reranker=reranker)
    assert await paths(store, "lemons", call) == []
    assert reranker.asked == []


async def test_an_embedder_that_cannot_rerank_is_named(fruit, call):
    reranker = Reranker(grpc.StatusCode.UNIMPLEMENTED)
    store = fruit.store(search={"rerank": {"embedder": "cross"}}, reranker=reranker)
    with pytest.raises(CallError) as error:
        await found(store, "figs", call)
    assert str(error.value) == (
        "hector.yaml:7: document_stores.handbook.search.rerank: embedders.cross has no reranker:"
        " embedder_provider/cross: Rerank: no model of that kind\n"
        "  Name an entry of embedders: whose plugin serves Rerank, or take rerank out."
    )
    store = fruit.store(search={"rerank": {"embedder": "cross"}}, reranker=Reranker(grpc.StatusCode.UNAVAILABLE))
    with pytest.raises(CallError, match=r"^embedder_provider/cross: Rerank: no model of that kind$"):
        await found(store, "figs", call)


async def test_a_store_that_is_not_indexed_is_searched_in_no_mode(place, call):
    for mode in ("vector", "keyword", "hybrid"):
        with pytest.raises(NotFoundError, match="is not indexed"):
            await found(place.store(), "figs", call, mode=mode)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"limit": 0}, "limit 0: is not 1 to 100\n  Ask for fewer passages, but for some."),
        ({"limit": 10**9}, "limit 1000000000: is not 1 to 100\n  Ask for fewer passages, but for some."),
        ({"mode": "fuzzy"}, "mode fuzzy: is not known\n  Write hybrid, vector, keyword."),
        ({"threshold": float("nan")}, "threshold nan: is no number\n  Write one, as 0.5."),
        (
            {"where": {"line": {"$gt": []}}},
            'filter.line.$gt: needs a number or a text\n  Write one as {"path": "guides/start.md"}.',
        ),
    ],
)
def test_options_that_are_none_are_named(options, words):
    with pytest.raises(QuestionError) as error:
        Options(**options)
    assert str(error.value) == words
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (" \n", "hybrid", "the question is empty\n  Say what to look for."),
        ("a" * 8001, "hybrid", "the question has 8,001 characters\n  Ask in 8,000 at most."),
        ("caf\udcff", "hybrid", "the question is not UTF-8 text\n  Write it in UTF-8."),
        (
            "?!\x1b",
            "keyword",
            '"?!\\x1b": has no word to look for\n  Name one, or search in another mode than keyword.',
        ),
    ],
)
async def test_questions_that_are_none_are_named(fruit, call, text, mode, words):
    with pytest.raises(QuestionError) as error:
        await found(fruit.store(), text, call, mode=mode)
    assert str(error.value) == words


async def test_a_question_without_a_word_is_asked_by_its_vector(fruit, call):
    assert len(await found(fruit.store(), "?!", call)) == 3
