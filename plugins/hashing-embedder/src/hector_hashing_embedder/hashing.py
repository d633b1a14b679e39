"""Texts as vectors by feature hashing (Weinberger et al. 2009).

Each word and each part of it adds to one place of the vector, or subtracts there. The same text gives the same vector
in every process and on every machine.
"""

from __future__ import annotations

import math
import re
import unicodedata
from array import array
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

LONGEST_WORD = 32
"""Characters. What runs on without a space, as in Chinese or base64, is cut into words of this length."""
MOST_WORDS = 2048
"""Words that are read of a text."""
HEAVY = 8
"""Characters from which on a word has its whole weight: frequent words are short (Zipf 1935) and say little."""

WORD = re.compile(rf"\w{{1,{LONGEST_WORD}}}")
NOTHING = "<>"
"""What an empty text is a text of."""


@dataclass(frozen=True)
class Embedded:
    """What became of one text."""

    vector: array[float]
    """Of length 1."""
    words: int
    truncated: bool


def embed(text: str, dimension: int, ngrams: tuple[int, ...]) -> Embedded:
    """One text as `dimension` floats; `ngrams` are the lengths of the parts of a word that count, too."""
    words, truncated = _words(text)
    vector = array("d", bytes(8 * dimension))
    for word, times in Counter(words or [NOTHING]).items():
        weight = (1 + math.log(times)) * min(len(word), HEAVY) / HEAVY
        own, *parts = _places(word, dimension, ngrams)
        _add(vector, (own,), weight)
        if parts:
            _add(vector, parts, weight / math.sqrt(len(parts)))  # together they weigh as much as the word
    length = math.sqrt(math.fsum(value * value for value in vector))
    if not length:  # few places: everything was taken back
        vector[0] = length = 1.0
    return Embedded(array("d", (value / length for value in vector)), len(words), truncated)


def _words(text: str) -> tuple[list[str], bool]:
    """The words that are read, in one form of Unicode and without capitals; and whether there are more."""
    most = MOST_WORDS * LONGEST_WORD
    words = WORD.findall(unicodedata.normalize("NFKC", text[:most]).casefold())
    return words[:MOST_WORDS], len(text) > most or len(words) > MOST_WORDS


def _add(vector: array[float], places: tuple[int, ...] | list[int], weight: float) -> None:
    for place in places:
        if place < 0:
            vector[~place] -= weight
        else:
            vector[place] += weight


@lru_cache(maxsize=16_384)
def _places(word: str, dimension: int, ngrams: tuple[int, ...]) -> array[int]:
    """Where a word and its parts go: an index to add to, or the complement of one to subtract from."""
    bounded = f"<{word}>"  # so that a beginning differs from a middle
    parts = [bounded[at : at + size] for size in ngrams for at in range(len(bounded) - size + 1)]
    return array("i", (_place(feature, dimension) for feature in (word, *parts)))


def _place(feature: str, dimension: int) -> int:
    hashed = int.from_bytes(blake2b(feature.encode(errors="surrogatepass"), digest_size=8).digest(), "big")
    index = (hashed >> 1) % dimension
    return ~index if hashed & 1 else index
