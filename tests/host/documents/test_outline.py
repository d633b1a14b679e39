from __future__ import annotations

import pytest

from hector_host.documents.outline import Outline


def titles(markdown, line):
    return [heading.title for heading in Outline.of(markdown).above(line)]


def test_a_line_stands_under_the_headings_above_it():
    text = "intro\n# A\na\n## B\nb\n### C\nc\n## D\nd\n# E\ne"
    assert [titles(text, line) for line in (1, 2, 3, 5, 7, 9, 11)] == [
        [],
        ["A"],
        ["A"],
        ["A", "B"],
        ["A", "B", "C"],
        ["A", "D"],
        ["E"],
    ]


def test_a_skipped_level_is_no_level():
    assert titles("# A\n#### B\n## C\nc", 4) == ["A", "C"]


@pytest.mark.parametrize(
    "text",
    [
        "```\n# comment\n```\nx",
        "    # indented code\n\n\nx",
        "> # quoted\n\n\nx",
        "- # in a list\n\n\nx",
        "---\ntitle: front matter\n---\nx",
        "# " + "long " * 50 + "\n\n\nx",
        "#hashtag\n\n\nx",
        "#\n\n\nx",
    ],
)
def test_what_only_looks_like_a_heading_is_none(text):
    assert titles(text, 4) == []


def test_an_underlined_heading_spans_its_lines():
    outline = Outline.of("A  *b*\nc\n===\ntext")
    (heading,) = outline.above(4)
    assert (heading.title, heading.line, heading.end_line, heading.level) == ("A *b* c", 1, 3, 1)
    assert [outline.at(line) for line in (1, 3, 4)] == [heading, heading, None]


def test_a_rule_at_the_top_is_not_front_matter():
    assert titles("---\n\n# A\n---\nx", 5) == ["A"]
