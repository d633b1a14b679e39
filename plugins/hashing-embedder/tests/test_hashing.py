"""Vectors: the same everywhere, of length 1, and nearer the more words two texts share."""

import math
import subprocess
import sys

import pytest

from hector_hashing_embedder.hashing import LONGEST_WORD, MOST_WORDS, embed

DEFAULT = (384, (3, 4, 5))


def vector(text, dimension=384, ngrams=(3, 4, 5)):
    return list(embed(text, dimension, ngrams).vector)


def likeness(one, other, ngrams=(3, 4, 5)):
    return sum(a * b for a, b in zip(vector(one, ngrams=ngrams), vector(other, ngrams=ngrams), strict=True))


def test_a_vector_is_what_it_always_was():
    assert vector("Plums are plums", 8, (3,)) == pytest.approx(
        [-0.353978359770708, 0.161941301742756, 0, 0, 0, -0.791519675011181, 0.161941301742756, 0.442431864205051]
    )


def test_another_process_gives_the_same():
    program = "from hector_hashing_embedder.hashing import embed; print(list(embed('Größe', 64, (3,)).vector))"
    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert said == {f"{vector('Größe', 64, (3,))}\n"}


@pytest.mark.parametrize("text", ["", " \n", "!?", "a", "日本語", "\ud800", "x" * 100_000, "word " * 100])
@pytest.mark.parametrize("dimension", [1, 2, 384])
def test_every_vector_has_length_1(text, dimension):
    found = vector(text, dimension)
    assert len(found) == dimension
    assert math.fsum(value * value for value in found) == pytest.approx(1)


def test_an_empty_text_is_like_none():
    assert abs(likeness("", "the ripe pear")) < 0.2
    assert vector("") == vector("...")


def test_shared_words_make_texts_alike():
    question = "When do pears ripen?"
    assert likeness(question, "Pears ripen in September.") > 0.5
    assert likeness(question, "Plums are purple.") < 0.2


def test_parts_of_words_count():
    assert likeness("sail", "sailing") > 0.2
    assert abs(likeness("sail", "sailing", ngrams=())) < 0.05


def test_capitals_and_forms_of_unicode_do_not():
    assert vector("STRASSE ﬁsh café") == vector("straße fish cafe\N{COMBINING ACUTE ACCENT}")


def test_long_words_outweigh_short_ones():
    assert likeness("the journal", "journal of a") > 0.8
    assert likeness("the journal", "the warden") < 0.4


@pytest.mark.parametrize(
    ("text", "words", "truncated"),
    [
        ("", 0, False),
        ("one two", 2, False),
        ("a " * MOST_WORDS, MOST_WORDS, False),
        ("a " * (MOST_WORDS + 1), MOST_WORDS, True),
        ("b" * (LONGEST_WORD + 1), 2, False),
        (" " * MOST_WORDS * LONGEST_WORD + "late", 0, True),
    ],
)
def test_what_is_read_is_counted(text, words, truncated):
    read = embed(text, *DEFAULT)
    assert (read.words, read.truncated) == (words, truncated)
