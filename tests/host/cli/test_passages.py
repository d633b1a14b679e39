"""Passages as a person sees them: the part that answers, its words marked, and nothing that steers the terminal."""

from __future__ import annotations

import re

import pytest
from rich.console import Console

from hector.host.v1.search_pb2 import Passage
from hector_host.cli import passages
from hector_host.cli.passages import record, window

STYLE = re.compile(r"\x1b\[[0-9;]*m")
LONG = "Nothing here. " * 40 + "Pears ripen in September. " + "Nothing there. " * 40


def spans(text, *words):
    found = [(text.index(word), text.index(word) + len(word)) for word in words]
    return sorted(found)


def test_a_short_text_is_shown_whole():
    assert window("Pears.", [], 10) == (0, 6)


def test_the_part_with_most_marks_is_shown():
    begin, end = window(LONG, spans(LONG, "Nothing", "Pears", "ripen"), 80)
    shown = LONG[begin:end]
    assert "Pears ripen in September." in shown
    assert len(shown) <= 80
    assert LONG[begin - 1] == " " == LONG[end]


def test_without_marks_the_beginning_is_shown():
    begin, end = window(LONG, [], 80)
    assert (begin, LONG[end]) == (0, " ")
    assert 40 < end <= 80


def test_a_text_without_spaces_is_cut_anywhere():
    text = "x" * 500
    assert window(text, [(300, 310)], 80) == (290, 370)
    assert window(text, [], 80) == (0, 80)


@pytest.fixture
def table(monkeypatch, capsys):
    """The lines of the table on a terminal of that width, without their styles."""

    def lines(question, *found, width=80, styled=False):
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setattr(
            "rich.console.Console",
            lambda **more: Console(width=width, force_terminal=True, color_system="standard", **more),
        )
        passages.print_passages(question, found)
        out = capsys.readouterr().out
        return (out if styled else STYLE.sub("", out)).splitlines()

    return lines


PEARS = Passage(
    score=0.875, source="docs/fruit/pears.md:3", heading="Fruit > Pears", text="# Pears\n\nPears ripen\nin autumn."
)


@pytest.mark.parametrize("width", [80, 120])
def test_a_table_fits_its_terminal(table, width):
    long = Passage(score=-12.5, source="docs/" + "very/" * 30 + "deep.md:12345", text=LONG)
    lines = table("When do pears ripen?", PEARS, long, width=width)
    assert max(map(len, lines)) <= width
    assert lines[0].split() == ["score", "source", "passage"]
    assert lines[1].split() == ["0.88", "docs/fruit/pears.md:3", "Fruit", ">", "Pears"]
    assert lines[2].strip() == "Pears ripen in autumn."
    assert "Pears ripen in September." in " ".join(" ".join(lines[3:]).split())


def test_words_of_the_question_are_bold_in_all_their_forms(table):
    text = "".join(table("the pear is ripening", PEARS, styled=True))
    assert "\x1b[1mPears\x1b[0m \x1b[1mripen\x1b[0m in autumn." in text


def test_nothing_in_a_passage_steers_the_terminal(table):
    evil = Passage(
        score=1, source="a\x1b[31m.md:1", heading="\x1b]0;x\x07", text="\x1b[2Jhide\u202e [bold]x[/bold] \x9b"
    )
    text = "\n".join(table("x", evil))
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
    assert "\\x1b[2Jhide\\u202e [bold]x[/bold]" in " ".join(text.split())


def test_elsewhere_each_passage_is_a_line(capsys):
    passages.print_passages("pears", [PEARS, Passage(score=0.5, source="b.md:1", text="Plums\x1b.")])
    assert capsys.readouterr().out == (
        "0.88  docs/fruit/pears.md:3  Fruit > Pears  # Pears Pears ripen in autumn.\n"
        "0.50  b.md:1                                Plums\\x1b.\n"
    )


def test_a_record_tells_what_is_not_there_as_null():
    assert record(Passage(score=0.5, source="a.md:1", path="a.md", line=1, end_line=2, keyword_score=0, text="A")) == {
        "source": "a.md:1",
        "score": 0.5,
        "vector_score": None,
        "keyword_score": 0,
        "rerank_score": None,
        "heading": "",
        "path": "a.md",
        "line": 1,
        "end_line": 2,
        "page": None,
        "text": "A",
    }
