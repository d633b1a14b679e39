"""One ranking of two: both have a say, and words have it by how much of the question they are."""

from __future__ import annotations

import pytest

from hector_host.documents.fusion import fused, spread


def test_first_in_both_is_the_most_there_is():
    assert fused(["a", "b"], {"a": 1.0, "c": 1.0}) == pytest.approx({"a": 1.0, "b": 61 / 124, "c": 61 / 124})


def test_what_both_find_is_before_what_one_finds():
    assert list(fused(["a", "b", "c"], {"d": 1.0, "c": 1.0})) == ["c", "a", "d", "b"]


def test_half_of_the_words_are_a_quarter_of_a_vote():
    assert fused([], {"a": 0.5}) == pytest.approx({"a": 0.125})


def test_a_passage_with_few_of_the_words_does_not_outvote_the_nearest():
    assert next(iter(fused(["a", "b", "c"], {"c": 0.02, "b": 0.01}))) == "a"


@pytest.mark.parametrize(
    ("vector", "keyword", "keys"),
    [([], {}, []), (["a"], {}, ["a"]), ([], {"b": 0.5, "c": 0.5}, ["b", "c"])],
)
def test_one_ranking_may_be_empty(vector, keyword, keys):
    assert list(fused(vector, keyword)) == keys


def test_the_third_passage_of_a_file_stands_behind_the_first_two_of_all_others():
    assert spread(["a1", "a2", "a3", "b1", "a4", "b2", "b3"], lambda one: one[0]) == [
        *("a1", "a2", "b1", "b2"),
        *("a3", "a4", "b3"),
    ]


def test_what_is_all_of_one_file_stays_as_it_is_ranked():
    assert spread([3, 1, 2], lambda _: "a") == [3, 1, 2]
