"""Of a text that is longer than a model reads, as much is tokenized as decides on what it reads."""

import pytest

from hector_sdk.embedding.head import CHARACTERS, MARGIN, head


class Words:
    """A tokenizer for which each word is a token, and that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, text: str) -> int:
        self.asked.append(len(text))
        return len(text.split())


@pytest.mark.parametrize("text", ["", "short", "word " * 200, "x" * CHARACTERS * 64])
def test_what_is_not_much_longer_stays_whole_and_is_not_counted(text):
    count = Words()
    assert head(text, 32, count) == text
    assert count.asked == []


def test_of_a_megabyte_the_beginning_is_enough():
    text, count = "word " * 200_000, Words()
    cut = head(text, 32, count)
    assert text.startswith(cut)
    assert len(cut.split()) >= 32 + MARGIN
    assert sum(count.asked) < 5_000


def test_it_is_cut_between_words():
    text = "antidisestablishmentarianism " * 10_000
    assert head(text, 64, Words()).endswith("antidisestablishmentarianism")


def test_a_text_of_few_tokens_stays_whole_however_long_it_is():
    text, count = "x" * 100_000, Words()
    assert head(text, 32, count) == text
    assert len(count.asked) > 2


def test_without_a_limit_nothing_is_cut():
    text, count = "word " * 200_000, Words()
    assert head(text, 0, count) == text
    assert count.asked == []
