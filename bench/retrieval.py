"""How well document stores are searched: questions whose answers' places are known, in every mode.

What is claimed is claimed of each corpus, and of the questions that were held out apart from those that a search may
have been tuned by. Beside the comparisons there is a table of everything, and a plot.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.evaluation.corpora import corpora, django
from bench.evaluation.questions import FILES, problems, read
from bench.sample import Comparison
from bench.stores import opened
from hector_host.config.search import MODES
from hector_host.documents import evaluation
from hector_host.documents.index import index
from hector_host.documents.question import Options
from hector_host.documents.search import search
from hector_host.providers.call import Call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bench.evaluation.questions import Question
    from hector_host.config.search import Mode
    from hector_host.documents.evaluation import Result
    from hector_host.documents.store import Store

    Results = dict[tuple[str, str, str], dict[Mode, Result]]
    """By corpus, part and kind of the questions."""

RESULTS = Path(__file__).parent / "results"
FOUND = 0.9
"""The share of questions that are to be answered among the first five passages."""
PARTS = {"tuning": lambda one: not one.held_out, "held out": lambda one: one.held_out}
KINDS = {
    "all": lambda _: True,
    "with its answer's words": lambda one: not one.no_shared_words,
    "in other words": lambda one: one.no_shared_words,
}


async def measure() -> AsyncIterator[Comparison]:
    results: Results = {}
    with django() as sources:
        entries = corpora(sources)
        questions = {name: read(file) for name, file in FILES.items()}
        wrong = [one for name in entries for one in problems(questions[name], Path(entries[name]["path"]))]
        if wrong:
            raise SystemExit("\n".join(["the questions are not what they say:", *wrong]))
        async with opened(entries) as host:
            for name, store in host.stores.items():
                report = await index(store, Call())
                print(f"{name}: {report.chunks} chunks in {report.seconds:.0f} s", file=sys.stderr, flush=True)
                results |= await asked(name, store, questions[name])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "retrieval.md").write_text(table(results), encoding="utf-8")
    plot(results, RESULTS / "retrieval.png")
    for name in entries:
        for part in PARTS:
            for comparison in compared(name, part, results[name, part, "all"]):
                yield comparison


async def asked(name: str, store: Store, questions: list[Question]) -> Results:
    """What came of the questions of a store, in every mode."""
    cases = evaluation.read(FILES[name])
    results: Results = {}
    for mode in MODES:
        found = await search(
            [store], [case.question for case in cases], Options(mode=mode, limit=evaluation.DEPTH), Call()
        )
        for part, is_in_part in PARTS.items():
            for kind, is_of_kind in KINDS.items():
                chosen = [at for at, one in enumerate(questions) if is_in_part(one) and is_of_kind(one)]
                result = evaluation.judged([cases[at] for at in chosen], [found[at] for at in chosen])
                results.setdefault((name, part, kind), {})[mode] = result
    return results


def compared(name: str, part: str, by_mode: dict[Mode, Result]) -> Iterator[Comparison]:
    """Both claims of a corpus and a part of its questions."""
    hits = {mode: result.hits[5] for mode, result in by_mode.items()}
    better: Mode = "vector" if hits["vector"] >= hits["keyword"] else "keyword"
    share: dict[str, Any] = {"unit": "of the questions", "scale": 1.0, "limit": 1.0}
    yield Comparison(
        f"questions without an answer in five passages, {name}, {part}",
        "hybrid",
        "claimed",
        [1 - hits["hybrid"]],
        [1 - FOUND],
        **share,
        note=", ".join(f"MRR {result.mrr:.2f} by {mode}" for mode, result in by_mode.items()),
    )
    yield Comparison(
        f"questions with an answer in five passages, {name}, {part}",
        better,
        "hybrid",
        [hits[better]],
        [hits["hybrid"]],
        **share,
    )


def table(results: Results) -> str:
    """Every figure, as Markdown."""
    lines = [
        "| corpus | questions | mode | hit@1 | hit@5 | hit@10 | MRR |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (name, part, kind), by_mode in results.items():
        for mode, result in by_mode.items():
            figures = " | ".join(f"{value:.3f}" for value in (*(result.hits[rank] for rank in (1, 5, 10)), result.mrr))
            lines.append(f"| {name} | {part}, {kind} | {mode} | {figures} |")
    return "\n".join(lines) + "\n"


def plot(results: Results, file: Path) -> None:
    """Hits in five passages, a group of bars for each corpus, part and kind."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(11, 0.55 * len(results) + 1.2), layout="constrained")
    for number, mode in enumerate(MODES):
        places = [place + 0.27 * (number - 1) for place in range(len(results))]
        hits = [by_mode[mode].hits[5] for by_mode in results.values()]
        axes.barh(places, hits, height=0.25, label=mode)
    axes.set_yticks(range(len(results)), [", ".join(key) for key in results])
    axes.axvline(FOUND, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel("share of the questions that are answered in the first five passages; the line is what is claimed")
    axes.legend(loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=120)
    print(f"plot: {file}", file=sys.stderr)
