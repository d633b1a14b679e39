"""`hector search --eval`: the questions of a file in every mode, and how many found their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hector_host.api.messages import SEARCH_MODES
from hector_host.cli.columns import aligned
from hector_host.cli.objects import print_json
from hector_host.documents.evaluation import DEPTH, RANKS, judged, read
from hector_host.errors import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from hector.host.v1.search_pb2 import Passage, SearchRequest, SearchResponse
    from hector_host.cli.client import Client
    from hector_host.config.search import Mode
    from hector_host.documents.evaluation import Case, Result

    Search = Callable[[SearchRequest], Awaitable[SearchResponse]]

AT_ONCE = 20
"""Questions in one request."""

SHOWN = 5
"""Results that are shown of a question that missed."""


async def evaluated(
    host: AbstractAsyncContextManager[Client],
    request: SearchRequest,
    file: Path,
    modes: Sequence[Mode],
    *,
    misses: bool,
    as_json: bool,
) -> None:
    """Asks all questions, and prints how that went.

    Args:
        request: How to search; the questions, the mode and the limit are set here.
        modes: Empty: all.

    Raises:
        ConfigError: The file is wrong.
    """
    from hector_host.config.search import MODES

    cases = read(file)
    modes = modes or MODES
    request.limit = DEPTH
    results: dict[Mode, Result] = {}
    async with host as client, client.searching(request.store, modes, rerank=not request.no_rerank) as search:
        for mode in modes:
            request.mode = SEARCH_MODES[mode]
            store, found = await _asked(search, request, cases)
            results[mode] = judged(cases, found)
    if as_json:
        told = {mode: _record(result, misses=misses) for mode, result in results.items()}
        print_json({"store": store, "questions": len(cases), "modes": told})
        return
    rows = [("mode", *(f"hit@{rank}" for rank in RANKS), "MRR")]
    rows += [(mode, *map(_figure, result.hits.values()), _figure(result.mrr)) for mode, result in results.items()]
    print(f"{printable(store)}: {len(cases)} question{'s' if len(cases) > 1 else ''}\n{aligned(rows)}")
    if misses:
        for mode, result in results.items():
            _print_misses(mode, result)


async def _asked(search: Search, request: SearchRequest, cases: Sequence[Case]) -> tuple[str, list[Sequence[Passage]]]:
    """The store that was asked, and the passages for each question."""
    store = ""
    found: list[Sequence[Passage]] = []
    for start in range(0, len(cases), AT_ONCE):
        del request.questions[:]
        request.questions.extend(case.question for case in cases[start : start + AT_ONCE])
        response = await search(request)
        store = response.store
        found += [answer.passages for answer in response.answers]
    return store, found


def _print_misses(mode: str, result: Result) -> None:
    for miss in result.misses:
        wanted = ", ".join(str(source) for source in miss.case.sources)
        print(f"\n{mode}: {quoted(miss.case.question, 200)}\n  not found: {quoted(wanted)}")
        print(
            "\n".join(f"  {rank}. {quoted(source)}" for rank, source in enumerate(miss.found[:SHOWN], 1)) or "  nothing"
        )


def _record(result: Result, *, misses: bool) -> dict[str, Any]:
    record: dict[str, Any] = {f"hit@{rank}": share for rank, share in result.hits.items()}
    record["mrr"] = result.mrr
    if misses:
        record["misses"] = [
            {"question": miss.case.question, "sources": list(map(str, miss.case.sources)), "found": list(miss.found)}
            for miss in result.misses
        ]
    return record


def _figure(share: float) -> str:
    return f"{share:.3f}"
