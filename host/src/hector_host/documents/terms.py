"""What counts as a word of a text, for the keyword index: the same for passages and for questions.

SQLite's tokenizer cuts at everything that is no letter or digit, folds case and accents, and stems English. Two kinds
of text would come out of it as one long word each, and are cut here before: writing without spaces (Chinese, Japanese,
Thai and the like, as overlapping pairs of characters) and names in camel case, whose parts are indexed beside the name.
"""

from __future__ import annotations

import re

UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
"""Runs of scripts that put no space between words."""

_CAMEL = re.compile(r"\b\w*[a-z0-9][A-Z]\w*\b")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NO_WORD = str.maketrans('"\0', "  ")


def indexed(text: str) -> str:
    """A text as the index reads it: runs without spaces become the pairs of their characters."""
    return UNSPACED.sub(lambda run: f" {' '.join(_pairs(run.group()))} ", text)


def parts(text: str) -> str:
    """The parts of all names in camel case: `Create Snapshot` for a text that says `CreateSnapshot`."""
    return " ".join(part for name in _CAMEL.findall(text) for part in _PART.findall(name))


def terms(query: str) -> list[str]:
    """The terms of a question as FTS5 reads them, each once: `"hector"`, `"max_pods"`. Empty: it has no word.

    Every term is quoted, so that nothing in it is an operator. What is written without a space between is one term:
    `max_pods` finds its parts side by side, in that order. Of a name in camel case there is the name, and its parts.
    """
    found: dict[str, None] = {}
    for written in indexed(query).split():
        for term in (written, *(part for name in _CAMEL.findall(written) for part in _PART.findall(name))):
            if any(map(str.isalnum, term)):
                found[_quoted(term)] = None
    return list(found)


def _quoted(term: str) -> str:
    """A string of FTS5. Quotes in it, and the zero at which SQLite would stop reading, are no part of any word."""
    return '"' + term.lower().translate(_NO_WORD).strip() + '"'


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)] or [run]
