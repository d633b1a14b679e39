"""The files of questions, and whether what they say of themselves is true."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bench.evaluation.passages import content_words, passage

FILES = {name: Path(__file__).parent / f"{name}.jsonl" for name in ("project", "django")}


@dataclass(frozen=True, slots=True)
class Question:
    """A line of a file.

    Attributes:
        sources: Files that answer it, relative to the corpus; one is enough.
        passages: For each of these, words of it that stand where the answer does.
        no_shared_words: No passage has a content word of it.
        held_out: Not for tuning.
    """

    question: str
    sources: tuple[str, ...]
    passages: tuple[str, ...]
    no_shared_words: bool
    held_out: bool


def read(file: Path) -> list[Question]:
    """The questions of a file."""
    lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return [Question(**line | {key: tuple(line[key]) for key in ("sources", "passages")}) for line in lines]


def problems(questions: list[Question], folder: Path) -> list[str]:
    """What is not as the questions say: an answer that is not where they say, or that shares words with them."""
    return [problem for one in questions for problem in _problems(one, folder)]


def held_out(questions: list[Question]) -> set[str]:
    """Those that have to be held out: of either kind the third with the lowest SHA-256."""
    kinds = [[one.question for one in questions if one.no_shared_words is kind] for kind in (True, False)]
    return {text for kind in kinds for text in sorted(kind, key=_digest)[: -(-len(kind) // 3)]}


def _problems(one: Question, folder: Path) -> list[str]:
    found: list[str] = []
    for source, quotation in zip(one.sources, one.passages, strict=True):
        try:
            text = passage(source, (folder / source).read_text(encoding="utf-8"), quotation)
        except (OSError, ValueError) as error:
            found.append(f"{one.question}: {error}")
            continue
        shared = content_words(one.question) & content_words(text)
        if one.no_shared_words and shared:
            found.append(f"{one.question}: {source}: has its words {', '.join(sorted(shared))}")
    return found


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
