"""The questions by which searches are measured: their answers are where they say, and in the words that they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from bench.evaluation.passages import content_words, passage
from bench.evaluation.questions import FILES, held_out, problems, read

ROOT = Path(__file__).parents[2]
GUIDE = """# Guide

## Stopping

Plugins are asked to leave, and killed
when they stay.
"""


def test_the_documents_of_the_project_answer_its_questions() -> None:
    assert problems(read(FILES["project"]), ROOT) == []


def test_there_are_enough_of_either_kind() -> None:
    questions = [one for file in FILES.values() for one in read(file)]
    assert len(questions) >= 60
    assert sum(one.no_shared_words for one in questions) >= len(questions) / 2
    assert len({one.question for one in questions}) == len(questions)


@pytest.mark.parametrize("name", FILES)
def test_which_are_held_out_follows_from_their_words(name: str) -> None:
    questions = read(FILES[name])
    held = {one.question for one in questions if one.held_out}
    assert held == held_out(questions)
    assert len(held) >= len(questions) / 3


def test_an_answer_that_is_not_where_a_question_says_is_named(tmp_path: Path) -> None:
    (tmp_path / "guide.md").write_text(GUIDE)
    (one, *_) = read(FILES["project"])
    one = replace(one, question="Who ends processes?", sources=("guide.md", "none.md"), passages=("are left", "x"))
    assert problems([one], tmp_path) == [
        "Who ends processes?: guide.md: has no longer: are left",
        f"Who ends processes?: [Errno 2] No such file or directory: '{tmp_path / 'none.md'}'",
    ]


def test_words_that_a_question_shares_with_its_answer_are_named(tmp_path: Path) -> None:
    (tmp_path / "guide.md").write_text(GUIDE)
    (one, *_) = read(FILES["project"])
    one = replace(one, question="How do I stop or kill them?", sources=("guide.md",), passages=("asked to leave",))
    assert problems([replace(one, no_shared_words=False)], tmp_path) == []
    assert problems([replace(one, no_shared_words=True)], tmp_path) == [
        "How do I stop or kill them?: guide.md: has its words kill, stop"
    ]


def test_a_passage_has_the_headings_above_it_and_its_path() -> None:
    assert passage("docs/guide.md", GUIDE, "asked to leave, and killed when").startswith(
        "docs/guide.md\n# Guide\n## Stopping\n"
    )
    text = "Title\n=====\n\nFirst\n-----\n\na\n\nSecond\n------\n\nDeep\n~~~~\n\nb\n\nThird\n-----\n\nhere\n"
    assert passage("a.txt", text, "here").startswith("a.txt\nTitle\nThird\n")
    assert passage("a.txt", text, "b").startswith("a.txt\nTitle\nSecond\nDeep\n")


def test_content_words_are_stems_without_stop_words() -> None:
    assert content_words("How are the plugins STOPPED by fsync_data?") == {"plugin", "stop", "fsync", "data"}
