"""Deliberately wrong processes, models and tools: each fails the case that its fault is named after, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hector_conformance import settings
from hector_conformance.case import every
from hector_conformance.runner import Verdict, run
from hector_conformance.subject import Subject
from hector_conformance.target import target
from hector_host.config import Kind

if TYPE_CHECKING:
    from pathlib import Path

SCOPES = {
    "launch": None,
    "plugin": None,
    "llm": Kind.LLM,
    "streaming": Kind.LLM,
    "tool_calling": Kind.LLM,
    "tool": Kind.TOOL,
    "receipts": Kind.TOOL,
}
"""By family of a fault, the kind whose cases it could fail; None: those of every plugin."""

UNBREAKABLE = {
    "launch.handshake_comes_first": "what breaks it does not start, see test_no_plugin",
    "launch.it_ends_with_its_host": "a plugin that goes on does not offer it",
    "plugin.reflection_names_its_services": "gRPC's own library for Go serves it whole or not at all",
    "plugin.bytes_that_are_no_message_are_refused": "gRPC's own library for Go refuses them by itself",
    "launch.by_hand_it_says_what_it_is": "by hand it gets no options: has a test of its own",
    "launch.by_hand_it_listens_where_told": "the same",
}
HUGE = "huge input"
FAULTS = [case.name for case in every() if case.name.partition(".")[0] in SCOPES and case.name not in UNBREAKABLE]


async def verdicts(
    folder: Path, kind: Kind | None, *, huge: bool = True, limit: float = 60, **config: str
) -> dict[Verdict, list[str]]:
    cases = [case for case in every() if case.kind == kind and (huge or case.group != HUGE)]
    told = settings.read(folder / settings.FILE).model_copy(update={"timeout": limit})
    async with Subject(target(str(folder)), told, config) as subject:
        outcomes = await run(subject, cases)
    print(*(f"{outcome.case.name}: {outcome.words}" for outcome in outcomes if outcome.words), sep="\n")  # noqa: T201  pytest shows it
    return {each: [outcome.case.name for outcome in outcomes if outcome.verdict is each] for each in Verdict}


@pytest.mark.parametrize("kind", [None, Kind.LLM, Kind.TOOL], ids=str)
async def test_without_a_fault_everything_passes(wrong: Path, kind: Kind | None) -> None:
    found = await verdicts(wrong, kind)
    assert found[Verdict.FAILED] == []
    assert found[Verdict.NOT_OFFERED] == (["plugin.reflection_names_its_services"] if kind is None else [])


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_fails_its_case_and_no_other(wrong: Path, fault: str) -> None:
    huge = next(case.group for case in every() if case.name == fault) == HUGE  # the others do not look at sizes
    found = await verdicts(wrong, SCOPES[fault.partition(".")[0]], huge=huge, fault=fault)
    assert found[Verdict.FAILED] == [fault]


@pytest.mark.parametrize(
    ("mark", "case"),
    [("stubborn", "launch.by_hand_it_says_what_it_is"), ("unwell", "launch.by_hand_it_listens_where_told")],
)
async def test_a_fault_by_hand_fails_its_case_and_no_other(wrong: Path, mark: str, case: str) -> None:
    (wrong / mark).touch()
    try:
        found = await verdicts(wrong, None, limit=6)
    finally:
        (wrong / mark).unlink()
    assert found[Verdict.FAILED] == [case]
