"""Questions whose answers' places are known: what a file of them may say, and what counts as an answer."""

from __future__ import annotations

import pytest

from hector.host.v1.search_pb2 import Passage
from hector_host.documents.evaluation import Case, Miss, Source, judged, read
from hector_host.errors import ConfigError

GUIDE = Passage(path="guides/start.md", source="docs/guides/start.md:10", line=10, end_line=20)
MANUAL = Passage(path="manual.pdf", source="docs/manual.pdf#page=3", page=3)


@pytest.mark.parametrize(
    ("source", "passage", "answers"),
    [
        ("guides/start.md", GUIDE, True),
        ("docs/guides/start.md", GUIDE, True),
        ("./docs/guides/start.md", GUIDE, True),
        ("start.md", GUIDE, False),
        ("guides/start.md:10", GUIDE, True),
        ("docs/guides/start.md:20", GUIDE, True),
        ("guides/start.md:9", GUIDE, False),
        ("guides/start.md:21", GUIDE, False),
        ("manual.pdf", MANUAL, True),
        ("manual.pdf#page=3", MANUAL, True),
        ("docs/manual.pdf#page=3", MANUAL, True),
        ("manual.pdf#page=4", MANUAL, False),
        ("manual.pdf:3", MANUAL, False),
    ],
)
def test_a_source_is_in_the_passage_that_holds_it(source, passage, answers):
    parsed = Source.parse(source)
    assert parsed is not None
    assert parsed.is_in(passage) is answers


@pytest.mark.parametrize("text", ["a.md", "a.md:3", "a.pdf#page=3", "a:b.md", "a#b.md:1"])
def test_a_source_is_written_as_it_was_read(text):
    assert str(Source.parse(text)) == text


def case(question, *sources):
    return Case(question, tuple(Source(source) for source in sources))


def passages(*paths):
    return [Passage(path=path, source=f"docs/{path}:1", line=1, end_line=1) for path in paths]


def test_the_figures():
    cases = [case("one", "a"), case("two", "z", "a"), case("three", "a"), case("four", "a")]
    found = [passages("a", "a"), passages("b", "a"), passages(*"bcdefghia"), passages("b", "c")]
    result = judged(cases, found)
    assert result.hits == {1: 0.25, 3: 0.5, 5: 0.5, 10: 0.75}
    assert result.mrr == pytest.approx((1 + 1 / 2 + 1 / 9) / 4)
    assert result.misses == (Miss(cases[3], ("docs/b:1", "docs/c:1")),)


def test_a_file_is_read(tmp_path):
    file = tmp_path / "questions.jsonl"
    file.write_text(
        '{"question": "Wo?", "sources": ["ä.md:3"], "note": "hard", "kind": 1}\n\n'
        '{"question": "When?", "sources": ["b.pdf#page=2", "./c.md"]}',
        encoding="utf-8",
    )
    assert read(file) == [
        Case("Wo?", (Source("ä.md", line=3),)),
        Case("When?", (Source("b.pdf", page=2), Source("c.md"))),
    ]


NO_SOURCES = "sources: is not a list of at least one PATH, PATH:line or PATH#page=3"
DEEP = "maximum recursion depth exceeded while decoding a JSON array from a unicode string"
EXAMPLE = '  Write a line as {"question": "…", "sources": ["guide.md", "protocol.md:120"]}.'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "F: has no question"),
        (b"\n \n", "F: has no question"),
        (b'{"question": "a", "sources": ["a"]}\n{"question": 1}\n[]\n', "F:2: has no question\nF:3: has no question"),
        (b'\n{"question": " ", "sources": ["a"]}', "F:2: has no question"),
        (b'{"question": "a"}', f"F:1: {NO_SOURCES}"),
        (b'{"question": "a", "sources": "a"}', f"F:1: {NO_SOURCES}"),
        (b'{"question": "a", "sources": ["a", ""]}', f"F:1: {NO_SOURCES}"),
        (b"{\x1b", "F:1: is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"[" * 100_000, f"F:1: is not JSON: {DEEP}"),
        (b'{"question": "\xff"}', "F:1: is not UTF-8 text"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, data, words):
    file = tmp_path / "questions.jsonl"
    file.write_bytes(data)
    with pytest.raises(ConfigError) as error:
        read(file)
    assert str(error.value) == f"{words.replace('F:', f'{file}:')}\n{EXAMPLE}"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path, words in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError) as error:
            read(path)
        assert str(error.value) == f"{path}: cannot be read: {words}\n  Name a file of questions."


def test_a_file_that_is_too_large_is_refused(tmp_path):
    file = tmp_path / "questions.jsonl"
    with file.open("wb") as opened:
        opened.truncate((16 << 20) + 1)
    with pytest.raises(ConfigError) as error:
        read(file)
    assert str(error.value) == f"{file}: is larger than 16 MiB\n  Divide it."
