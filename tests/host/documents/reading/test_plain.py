"""Files of text: each kind says its titles and what its rows mean, and every line stays where it is."""

from __future__ import annotations

import random

import pytest

from hector_host.documents.outline import Outline
from hector_host.documents.reading import plain
from hector_host.documents.reading.kinds import Kind, kind


def read(of, data):
    document = plain.document(of, data.encode() if isinstance(data, str) else data)
    (part,) = document.parts
    return document, part


@pytest.mark.parametrize(
    ("path", "of"),
    [
        ("a.md", Kind.MARKDOWN),
        ("a/B.MARKDOWN", Kind.MARKDOWN),
        ("a.txt", Kind.MARKED),
        ("a.rst", Kind.MARKED),
        ("a.csv", Kind.TABLE),
        ("a.py", Kind.CODE),
        ("a.htm", Kind.HTML),
        ("a.pdf", Kind.PDF),
        ("a.docx", Kind.DOCX),
        ("a.json", Kind.TEXT),
        ("Makefile", Kind.TEXT),
        ("a.md/b", Kind.TEXT),
    ],
)
def test_a_name_promises_a_kind(path, of):
    assert kind(path) is of


def test_text_has_plain_line_ends_and_no_mark():
    _, part = read(Kind.TEXT, b"\xef\xbb\xbfone\r\ntwo\rthree\xc3\xa4\n")
    assert part.text == "one\ntwo\nthree\u00e4\n"
    assert (part.markdown, part.definitions, part.faithful, part.page) == (False, False, True, 0)


@pytest.mark.parametrize("of", [Kind.TEXT, Kind.MARKDOWN, Kind.MARKED, Kind.CODE, Kind.TABLE])
@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"a\0b", "is not text: it has zero bytes"), (b"abc\xe9", "is not UTF-8 text: byte 3 is 0xe9")],
)
def test_what_is_not_text_is_named(of, data, reason):
    with pytest.raises(plain.NoTextError) as error:
        plain.document(of, data)
    assert str(error.value) == reason


def test_markdown_is_titled_by_its_first_heading():
    document, part = read(Kind.MARKDOWN, "Before.\n\n# One\n\n## Two\n")
    assert (document.title, part.markdown) == ("One", True)
    assert read(Kind.MARKDOWN, "No heading.")[0].title == ""


MARKED = """\
========
 Manual
========

Intro.

Install
=======

Run it::

    make
    ----

On Linux
--------
As root.

Use
===
"""


def test_underlined_titles_are_headings_in_their_order_of_use():
    document, part = read(Kind.MARKED, MARKED)
    outline = Outline.of(part.text)
    trails = {line: [one.title for one in outline.above(line)] for line in (5, 10, 17, 20)}
    assert trails == {
        5: ["Manual"],
        10: ["Manual", "Install"],
        17: ["Manual", "Install", "On Linux"],
        20: ["Manual", "Use"],
    }
    assert (document.title, part.markdown) == ("Manual", True)


@pytest.mark.parametrize(
    "text",
    [
        "a\nb\n---\n",  # the last line of a paragraph
        "Much longer title\n---\n",
        "===\n===\n",
        "---\n\n---\n",
        "  a\n  ---\n",
        "| a | b |\n+---+---+\n",
        "No title at all.",
        "",
    ],
)
def test_what_only_looks_like_a_title_is_text(text):
    document, part = read(Kind.MARKED, text)
    assert (document.title, part.text, part.markdown) == ("", text, False)


@pytest.mark.parametrize("seed", range(100))
def test_no_line_moves_and_no_word_is_lost(seed):
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    pieces = ["Title", "=====", "-----", "*****", "", "", "  indented", "a longer line of text", "\u2028", "# hash"]
    text = "\n".join(chance.choice(pieces) for _ in range(chance.randrange(60)))
    _, part = read(Kind.MARKED, text)
    before, after = text.split("\n"), part.text.split("\n")
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert old == new or new.lstrip("#").strip() == old.strip() or (new == "" and not any(map(str.isalnum, old)))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("name,price\nPear,2\n", ["name,price", "name: Pear; price: 2", ""]),
        ("name;price\nPear;2,5", ["name;price", "name: Pear; price: 2,5"]),
        ("name\tprice\nPear\t2", ["name\tprice", "name: Pear; price: 2"]),
        ('name,note\nPear,"a\nb"\nPlum,c', ["name,note", "name: Pear; note: a b", "", "name: Plum; note: c"]),
        ("name,\nPear,2,3", ["name,", "name: Pear; column 2: 2; column 3: 3"]),
        ("name,price\n\nPear,", ["name,price", "", "name: Pear"]),
        ('a,b\n"never closed\n1,2', ["a,b", "a: never closed 1,2", ""]),
        ("", [""]),
    ],
)
def test_a_row_says_what_its_cells_mean_on_its_own_line(text, lines):
    assert read(Kind.TABLE, text)[1].text.split("\n") == lines


def test_code_is_divided_by_its_definitions():
    _, part = read(Kind.CODE, "def f():\n    pass\n")
    assert (part.definitions, part.markdown) == (True, False)
