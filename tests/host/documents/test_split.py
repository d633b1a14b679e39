"""Whatever the text: chunks are slices of it, in order, at the lines that they name, and no word is lost."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from hector_host.documents.definitions import Definitions
from hector_host.documents.reading.document import Document, Part
from hector_host.documents.split import split as split_document

PIECES = [
    "# Title\n",
    "## Under `it`\n\n",
    "Setext\n======\n",
    "A sentence. Another one! ",
    "word ",
    "\n",
    "\n\n",
    "- item\n  more of it\n",
    "1. first\n",
    "```python\nx = 1  # not a heading\n```\n",
    "> quoted\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "---\n",
    "<div>\nhtml\n</div>\n",
    "ünïcödé 日本語のテキスト 👩‍👩‍👧 ",
    "nospacesatall" * 9,
    "\t\f ",
    "   ",
    "\u2028\x85",
]


def split(text, *, size, overlap, markdown):
    return split_document(Document("", (Part(text, markdown=markdown),)), size=size, overlap=overlap)


def random_text(seed, pieces=PIECES):
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    return "".join(chance.choice(pieces) for _ in range(chance.randrange(120)))


@pytest.mark.parametrize("seed", range(150))
def test_no_word_is_lost_and_every_line_is_right(seed):
    text = random_text(seed)
    size = (50, 120, 800)[seed % 3]
    markdown = seed % 2 == 0
    chunks = split(text, size=size, overlap=size // 8 * (seed % 5 > 0), markdown=markdown)
    lines = text.split("\n")
    for chunk in chunks:
        within = "\n".join(lines[chunk.line - 1 : chunk.end_line])
        assert chunk.text in within
        assert chunk.text.split("\n")[0] in lines[chunk.line - 1]
        assert chunk.text.split("\n")[-1] in lines[chunk.end_line - 1]
        assert len(chunk.text) <= size
    assert [chunk.line for chunk in chunks] == sorted(chunk.line for chunk in chunks)
    kept = {line for chunk in chunks for line in range(chunk.line, chunk.end_line + 1)}
    for number, line in enumerate(lines, 1):
        if any(character.isalnum() for character in line) and number not in kept:
            assert markdown
            title = " ".join(line.split()).strip("# ")
            assert any(title in chunk.heading for chunk in chunks)


@pytest.mark.parametrize("seed", range(150, 250))
def test_no_letter_is_lost_or_doubled(seed):
    markdown = seed % 2 == 0
    # Titles may go with the next chunk; dashes and bars below a text make a title of it.
    pieces = [piece for piece in PIECES if not markdown or piece[0] not in "#S-|"]
    text = random_text(seed, pieces)
    chunks = split(text, size=(50, 120, 800)[seed % 3], overlap=0, markdown=markdown)
    assert letters(chunk.text for chunk in chunks) == letters([text])


def letters(texts):
    return "".join(character for text in texts for character in text if character.isalnum())


def test_a_text_is_covered_character_by_character():
    text = " ".join(f"w{number}" for number in range(500))
    chunks = split(text, size=100, overlap=0, markdown=False)
    assert " ".join(chunk.text for chunk in chunks) == text


def test_chunks_overlap_as_asked():
    text = " ".join(f"w{number}" for number in range(500))
    chunks = split(text, size=100, overlap=40, markdown=False)
    for before, after in pairwise(chunks):
        assert before.text.split()[-1] in after.text.split()


def test_sections_are_not_mixed():
    text = "# A\n\nAbout a.\n\n# B\n\nAbout b.\n"
    chunks = split(text, size=50, overlap=0, markdown=True)
    assert [(chunk.text, chunk.line, chunk.end_line, chunk.heading) for chunk in chunks] == [
        ("# A\n\nAbout a.\n\n# B\n\nAbout b.", 1, 7, "A"),
    ]
    chunks = split(text, size=20, overlap=0, markdown=True)
    assert [(chunk.text, chunk.line, chunk.end_line, chunk.heading) for chunk in chunks] == [
        ("# A\n\nAbout a.", 1, 3, "A"),
        ("# B\n\nAbout b.", 5, 7, "B"),
    ]


def test_a_heading_alone_goes_with_what_it_heads():
    text = "# A\n\n## B\n\n" + "Long paragraph of the section. " * 5
    chunks = split(text, size=60, overlap=0, markdown=True)
    assert all(not chunk.text.startswith("#") for chunk in chunks)
    assert {chunk.heading for chunk in chunks} == {"A > B"}


def test_a_heading_over_nothing_is_kept():
    text = "# A\n\n# B\n\n" + "Long paragraph of the section. " * 5
    chunks = split(text, size=60, overlap=0, markdown=True)
    assert "A" in {chunk.heading for chunk in chunks}


def test_what_has_no_letter_or_digit_answers_nothing():
    assert split("---\n\n***\n\n```\n```\n", size=50, overlap=0, markdown=True) == []
    assert split("", size=50, overlap=0, markdown=False) == []


def test_a_very_long_line_is_split_in_no_time_of_its_square():
    text = "begin\n" + "x" * 1_000_000 + "\nend"
    chunks = split(text, size=800, overlap=0, markdown=True)
    assert "".join(chunk.text for chunk in chunks if chunk.line == 2 == chunk.end_line).count("x") > 990_000
    assert (chunks[0].line, chunks[-1].end_line) == (1, 3)
    assert max(len(chunk.text) for chunk in chunks) <= 800


def test_the_opening_of_a_code_block_alone_is_no_passage():
    text = (
        "# Title\n\nWords.\n\n```python\n" + "\n".join(f"line_{number} = {number}" for number in range(60)) + "\n```\n"
    )
    chunks = split(text, size=120, overlap=0, markdown=True)
    assert [chunk.text for chunk in chunks if chunk.text.strip() == "```python"] == []
    assert "line_0 = 0" in "".join(chunk.text for chunk in chunks)


def test_what_has_pages_is_split_page_by_page_and_has_no_lines():
    pages = tuple(Part(f"Page {number}.\n\nIt ends.", page=number, faithful=False) for number in (1, 2))
    chunks = split_document(Document("", pages), size=800, overlap=100)
    assert [(one.page, one.line, one.end_line, one.text) for one in chunks] == [
        (1, 0, 0, "Page 1.\n\nIt ends."),
        (2, 0, 0, "Page 2.\n\nIt ends."),
    ]


CODE = """import os

class Pear(Fruit):
    sweet = True

    async def ripen(
        self,
        days: int,
    ) -> None:
        await self.wait(days)

    def eat(self):
        pass

PEARS = 3
"""


@pytest.mark.parametrize(
    ("code", "line", "trail"),
    [
        (CODE, 1, []),
        (CODE, 3, ["Pear"]),
        (CODE, 4, ["Pear"]),
        (CODE, 6, ["Pear", "ripen"]),
        (CODE, 10, ["Pear", "ripen"]),
        (CODE, 13, ["Pear", "eat"]),
        (CODE, 15, []),
        ("func (s *Server) Stop(ctx context.Context) error {\n\treturn nil\n}\nvar x = 1", 2, ["Stop"]),
        ("func (s *Server) Stop(ctx context.Context) error {\n\treturn nil\n}\nvar x = 1", 4, []),
        ("pub(crate) async fn run<T>(x: T)\nwhere\n    T: Send,\n{\n    x\n}", 5, ["run"]),
        ("export default class A {\n  private static f() {}\n}", 2, ["A"]),
        ("class", 1, []),
        ("def " + "x" * 10_000, 1, ["x" * 196]),
    ],
)
def test_a_line_of_code_tells_what_it_stands_in(code, line, trail):
    assert [heading.title for heading in Definitions(code).above(line)] == trail


def test_a_chunk_of_code_has_its_definitions_for_headings():
    part = Part(CODE, definitions=True)
    chunks = split_document(Document("", (part,)), size=70, overlap=0)
    assert [(one.line, one.heading) for one in chunks] == [(1, ""), (6, "Pear > ripen"), (10, "Pear > ripen")]
