"""`hector search` shows what a store finds, and how well, alone and beside a live host, and says what is wrong."""

import re

import grpc
import pytest
from commandline import Ended, until
from live import serving

from hector.host.v1.hector_pb2_grpc import HectorStub
from hector.host.v1.search_pb2 import SearchRequest

from .conftest import PLUGINS, documents

QUESTIONS = (
    '{"question": "When do pears ripen?", "sources": ["pears.md"]}\n'
    '{"question": "Which ones are purple?", "sources": ["docs/plums.md:3"], "note": "a line"}\n'
    '{"question": "Who likes figs?", "sources": ["figs.md"]}\n'
)
OPERATORS = "$eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists, $and, $or, $not"
FILTER = 'Write one as {"path": "guides/start.md"}.'
NO_VALUE = "Expecting value: line 1 column 1 (char 0)"
EXAMPLE = 'Write a line as {"question": "…", "sources": ["guide.md", "protocol.md:120"]}.'


@pytest.fixture
def indexed(library):
    assert library("index").code == 0
    (library.folder / "questions.jsonl").write_text(QUESTIONS)
    return library


@pytest.fixture
def live(indexed):
    """A live host over the same documents."""
    with serving(indexed) as host, grpc.insecure_channel(host.address) as channel:
        yield HectorStub(channel)


def rows(text: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line) for line in text.splitlines()]


def sources(ended: Ended) -> list[str]:
    assert ended.code == 0, ended.err
    return [passage["source"] for passage in ended.json["passages"]]


def test_a_line_for_each_passage(indexed):
    ended = indexed("search", "docs", "When do pears ripen?")
    assert (ended.code, ended.err) == (0, "")
    assert [row[1:] for row in rows(ended.out)] == [
        ["docs/pears.md:1", "Pears", "# Pears Pears ripen in September."],
        ["docs/plums.md:1", "Plums", "# Plums Plums are purple."],
    ]
    first, second = (float(row[0]) for row in rows(ended.out))
    assert 1 >= first > second > 0


def test_one_object_for_programs(indexed):
    told = indexed("search", "docs", "purple plums", "--mode", "vector", "--json", "--limit", "1").json
    (passage,) = told.pop("passages")
    assert told == {"store": "docs", "question": "purple plums"}
    assert passage.pop("score") == passage.pop("vector_score") > 0
    assert passage == {
        "source": "docs/plums.md:1",
        "keyword_score": None,
        "rerank_score": None,
        "heading": "Plums",
        "path": "plums.md",
        "line": 1,
        "end_line": 3,
        "page": None,
        "text": "# Plums\n\nPlums are purple.",
    }


def test_a_table_on_a_terminal(indexed):
    with indexed.terminal("search", "docs", "purple plums") as terminal:
        shown = terminal.read_until("ripen in September.")
    assert re.search(r"score +source +passage\s+\d\.\d\d +docs/plums\.md:1 +Plums\s+Plums are purple\.", shown)
    assert "\x1b[1mpurple\x1b[0m" in terminal.raw


def test_words_need_no_plugin(indexed):
    broken = documents()
    broken["plugins"]["embedder_providers"]["words"]["path"] = "/nowhere"
    indexed.write(broken)
    assert sources(indexed("search", "docs", "PURPLE", "--mode", "keyword", "--json")) == ["docs/plums.md:1"]
    assert indexed.answer("search", "docs", "lemons", "--mode", "keyword") == "Nothing was found.\n"


def test_limits_thresholds_and_filters(indexed):
    ask = ("search", "docs", "When do pears ripen?", "--json")
    assert sources(indexed(*ask, "--limit", "1")) == ["docs/pears.md:1"]
    assert sources(indexed(*ask, "--mode", "vector", "--threshold", "0.5")) == ["docs/pears.md:1"]
    assert sources(indexed(*ask, "--mode", "vector", "--threshold", "0.99")) == []
    for mode in ("vector", "hybrid"):
        only = sources(indexed(*ask, "--mode", mode, "--filter", '{"path": {"$in": ["plums.md"]}}', "--exact"))
        assert only == ["docs/plums.md:1"]
    assert sources(indexed(*ask, "--mode", "keyword", "--filter", '{"heading": {"$ne": "Pears"}}')) == []


def with_reranker(embedder: str):
    document = documents()
    document["plugins"]["embedder_providers"]["lengths"] = {"path": str(PLUGINS / "lengths.py")}
    document["embedders"]["short"] = {"type": "plugin:lengths"}
    document["document_stores"]["docs"]["search"] = {"rerank": {"embedder": embedder}, "limit": 1}
    return document


def test_a_cross_encoder_of_its_own_process_has_the_last_word(indexed):
    indexed.write(with_reranker("short"))
    ask = ("search", "docs", "When do pears ripen?", "--json")
    (passage,) = indexed(*ask).json["passages"]
    assert (passage["source"], passage["rerank_score"]) == ("docs/plums.md:1", -len("Plums\n\n" + passage["text"]))
    assert sources(indexed(*ask, "--no-rerank")) == ["docs/pears.md:1"]
    assert indexed.answer("call", "a", "When do pears ripen?").endswith("Source: docs/plums.md:1\n")


def test_an_embedder_that_does_not_rerank_is_named(indexed):
    indexed.write(with_reranker("words"))
    error = indexed.refusal("search", "docs", "pears", code=3)
    assert re.fullmatch(
        r"hector: hector\.yaml:\d+: document_stores\.docs\.search\.rerank: embedders\.words has no reranker:"
        r" embedder_provider/words: Rerank: UNIMPLEMENTED: .*\n"
        r"  Name an entry of embedders: whose plugin serves Rerank, or take rerank out\.\n",
        error,
    ), error


def test_an_evaluation_counts_what_is_found(indexed):
    ended = indexed("search", "--eval", "questions.jsonl", "--misses")
    assert (ended.code, ended.err) == (0, "")
    head, *missed = ended.out.split("\n\n")
    assert rows(head) == [
        ["docs: 3 questions"],
        ["mode", "hit@1", "hit@3", "hit@5", "hit@10", "MRR"],
        *([mode, "0.667", "0.667", "0.667", "0.667", "0.667"] for mode in ("hybrid", "vector", "keyword")),
    ]
    assert [one.splitlines()[:2] for one in missed] == [
        [f"{mode}: Who likes figs?", "  not found: figs.md"] for mode in ("hybrid", "vector", "keyword")
    ]
    assert sorted(line[5:] for line in missed[0].splitlines()[2:]) == ["docs/pears.md:1", "docs/plums.md:1"]
    assert missed[2].splitlines()[2:] == ["  nothing"]
    assert "not found" not in indexed.answer("search", "--eval", "questions.jsonl")


def test_an_evaluation_for_programs(indexed):
    told = indexed("search", "docs", "--eval", "questions.jsonl", "--mode", "keyword", "--json", "--misses").json
    share = pytest.approx(2 / 3)
    figures = {"hit@1": share, "hit@3": share, "hit@5": share, "hit@10": share, "mrr": share}
    misses = [{"question": "Who likes figs?", "sources": ["figs.md"], "found": []}]
    assert told == {"store": "docs", "questions": 3, "modes": {"keyword": {**figures, "misses": misses}}}


SAME = {
    "a search": (("search", "docs", "When do pears ripen?"), 0),
    "a search for programs": (("search", "docs", "pears", "--json", "--filter", '{"line": {"$lt": 2}}'), 0),
    "words alone": (("search", "docs", "pears", "--mode", "keyword", "--threshold", "0"), 0),
    "an evaluation": (("search", "--eval", "questions.jsonl", "--misses"), 0),
    "no such store": (("search", "doc", "pears"), 4),
    "nothing to look for": (("search", "docs", "?!", "--mode", "keyword"), 2),
}


def test_nobody_sees_whether_a_live_host_searches(indexed):
    here = {what: indexed(*arguments) for what, (arguments, _) in SAME.items()}
    with serving(indexed) as host:
        there = {what: indexed(*arguments) for what, (arguments, _) in SAME.items()}
        # The host has the database to itself: who got an answer got it from there.
        assert until(lambda: "faiss" in indexed.answer("plugin", "list"))
        named = indexed("search", "docs", "pears", "--server", host.address, "--json")
    assert there == here
    assert {what: ended.code for what, ended in here.items()} == {what: code for what, (_, code) in SAME.items()}
    assert sources(named) == ["docs/pears.md:1", "docs/plums.md:1"]


def test_a_live_host_searches_a_store_that_no_agent_has(indexed):
    document = documents()
    document["agents"]["a"]["document_stores"] = []
    indexed.write(document)
    with serving(indexed):
        assert sources(indexed("search", "docs", "pears", "--json"))[0] == "docs/pears.md:1"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (SearchRequest(), "0 questions"),
        (SearchRequest(questions=["a"] * 101), "101 questions"),
        (SearchRequest(questions=["a"], mode=9), "mode 9: is not known"),  # type: ignore[arg-type]
        (SearchRequest(questions=["a"], limit=0), "limit 0: is not 1 to 100"),
        (SearchRequest(questions=["a", "a" * 8001]), "the question has 8,001 characters"),
    ],
)
def test_a_live_host_refuses_what_no_command_asks(live, request_, words):
    with pytest.raises(grpc.RpcError) as error:
        live.Search(request_, timeout=30)
    assert (error.value.code(), error.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, words)


def test_a_live_host_answers_many_questions_at_once(live):
    response = live.Search(SearchRequest(questions=["pears", "plums"] * 50, limit=1), timeout=30)
    assert response.store == "docs"
    found = [passage.path for answer in response.answers for passage in answer.passages]
    assert found == ["pears.md", "plums.md"] * 50


def test_a_keyword_store_answers_its_agent_without_an_embedder(indexed):
    document = documents()
    document["document_stores"]["docs"]["search"] = {"mode": "keyword"}
    del document["plugins"]["embedder_providers"]["words"]["path"]
    document["plugins"]["embedder_providers"]["words"]["command"] = ["false"]
    indexed.write(document)
    ended = indexed("call", "a", "purple plums?", "--json")
    assert ended.code == 0, ended.err
    assert {step["kind"] for step in ended.json["steps"]} == {"generate"}
    assert ended.json["answer"] == "# Plums\n\nPlums are purple.\n\nSource: docs/plums.md:1"


REFUSED = {
    "no question": (("search", "docs"), 2, "Say where and what to look for: hector search STORE QUESTION"),
    "no store": (("search",), 2, "Say where and what to look for: hector search STORE QUESTION"),
    "an empty question": (("search", "docs", " "), 2, "hector: the question is empty\n  Say what to look for.\n"),
    "no UTF-8": (
        ("search", "docs", b"caf\xff"),
        2,
        "hector: the question is not UTF-8 text\n  Write it in UTF-8.\n",
    ),
    "no UTF-8 store": (("search", b"caf\xff", "pears"), 2, "Invalid value for STORE: It is not UTF-8 text"),
    "nothing to return": (
        ("search", "docs", "a", "--limit", "0"),
        2,
        "'--limit' / '-n': Input should be greater than or equal to 1",
    ),
    "less than nothing": (
        ("search", "docs", "a", "--limit", "-1"),
        2,
        "'--limit' / '-n': Input should be greater than or equal to 1",
    ),
    "everything": (
        ("search", "docs", "a", "-n", "1000000000"),
        2,
        "'--limit' / '-n': Input should be less than or equal to 100",
    ),
    "an unknown mode": (
        ("search", "docs", "a", "--mode", "fuzzy"),
        2,
        "'fuzzy' is not one of 'hybrid', 'vector', 'keyword'.",
    ),
    "no number": (
        ("search", "docs", "a", "-t", "nan"),
        2,
        "hector: threshold nan: is no number\n  Write one, as 0.5.\n",
    ),
    "no JSON": (("search", "docs", "a", "--filter", "{"), 2, "It is not JSON: Expecting property name"),
    "no filter": (("search", "docs", "a", "--filter", "[1]"), 2, "It is not a JSON object"),
    "an unknown operator": (
        ("search", "docs", "a", "--filter", '{"path": {"$like": "a"}}'),
        2,
        f"hector: filter.path.$like: unknown operator; there are {OPERATORS}\n  {FILTER}\n",
    ),
    "misses of nothing": (("search", "docs", "a", "--misses"), 2, "Only --eval counts them"),
    "a question too many": (("search", "docs", "a", "--eval", "q"), 2, "With --eval, the questions are in its file"),
    "a limit too many": (("search", "--eval", "q", "-n", "3"), 2, "With --eval, the first 10 passages are looked at"),
    "an unknown store": (
        ("search", "doc", "a"),
        4,
        "hector: doc: no document store is named so\n  Did you mean docs?\n",
    ),
    "a store that is not indexed": (
        ("search", "docs", "a"),
        4,
        "hector: hector.yaml:22: document_stores.docs: is not indexed\n  Run: hector index docs\n",
    ),
    "no file": (
        ("search", "--eval", "none.jsonl"),
        2,
        "hector: none.jsonl: cannot be read: No such file or directory\n  Name a file of questions.\n",
    ),
    "wrong lines": (
        ("search", "--eval", "wrong.jsonl"),
        2,
        f"hector: wrong.jsonl:1: has no question\nwrong.jsonl:3: is not JSON: {NO_VALUE}\n  {EXAMPLE}\n",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_is_named(library, what):
    arguments, code, words = REFUSED[what]
    (library.folder / "wrong.jsonl").write_text('{}\n{"question": "a", "sources": ["a"]}\nx\n')
    library.environ["COLUMNS"] = "400"  # so that what typer puts into boxes stays on one line
    error = library.refusal(*arguments, code=code)
    assert error == words if words.startswith("hector: ") else words in error, error


def test_several_stores_have_to_be_told_apart(indexed):
    document = documents()
    document["document_stores"]["more"] = {**document["document_stores"]["docs"], "path": "./more"}
    indexed.write(document)
    assert indexed.refusal("search", "--eval", "questions.jsonl", code=2) == (
        "hector: which document store is to be searched?\n  Name one of docs, more.\n"
    )
    del document["document_stores"]
    del document["agents"]
    indexed.write(document)
    assert indexed.refusal("search", "--eval", "questions.jsonl", code=2) == (
        "hector: hector.yaml: declares no document store\n  Declare one under document_stores.\n"
    )
