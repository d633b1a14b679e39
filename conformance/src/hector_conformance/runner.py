"""Puts a plugin to every case that is for it, one after the other. Each has its time, and none can stop the rest."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from grpc.aio import AioRpcError, UsageError

from hector_conformance.case import RESTART, Case, Failed, NotOffered
from hector_conformance.subject import NO_RESTART
from hector_host.errors import HectorError, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hector_conformance.subject import Subject

WORDS = 400
"""Characters of a plugin's own words that a verdict shows."""


class Verdict(StrEnum):
    """What came of a case."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_OFFERED = "not offered"
    EXCUSED = "excused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case and what came of it.

    Attributes:
        words: Why, safe to print. Empty when it passed.
        seconds: How long it took.
    """

    case: Case
    verdict: Verdict
    words: str
    seconds: float


async def run(
    subject: Subject, cases: Iterable[Case], told: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Puts a plugin to those of the cases that are for its kinds.

    Args:
        told: Hears of each outcome at once.

    Raises:
        StartError, ConfigError: It does not even start.
    """
    async with subject.running():
        pass
    outcomes = []
    for case in cases:
        if case.kind is None or case.kind in subject.kinds:
            outcomes.append(await judged(subject, case))
            told(outcomes[-1])
    return outcomes


async def judged(subject: Subject, case: Case) -> Outcome:
    """What comes of one case."""
    started = time.monotonic()
    verdict, words = await _tried(subject, case)
    if verdict is not Verdict.FAILED and subject.end:
        verdict, words = Verdict.FAILED, f"{subject.end} in the course of this case"
    excuse = subject.settings.excused.get(case.name)
    if verdict is Verdict.FAILED and excuse is not None:
        verdict, words = Verdict.EXCUSED, f"{quoted(excuse)} ({words})"
    return Outcome(case, verdict, words, time.monotonic() - started)


async def _tried(subject: Subject, case: Case) -> tuple[Verdict, str]:
    limit = asyncio.timeout(subject.limit)
    try:
        async with limit:
            await _offered(subject, case)
            await case.run(subject)
    except NotOffered as reason:
        return Verdict.NOT_OFFERED, str(reason)
    except Failed as failure:
        return Verdict.FAILED, str(failure)
    except TimeoutError:
        if not limit.expired():
            raise
        return Verdict.FAILED, f"took longer than {subject.limit:g} s"
    except (AioRpcError, UsageError, asyncio.CancelledError) as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return Verdict.FAILED, f"a call failed: {_told(error)}"
    except HectorError as error:
        return Verdict.FAILED, quoted(error.what, WORDS)
    return Verdict.PASSED, ""


def _told(error: BaseException) -> str:
    """A host that gives a plugin up closes the connection, which ends its calls without a status."""
    if isinstance(error, AioRpcError):
        return f"{error.code().name}: {quoted(error.details() or '', WORDS)}"
    return "the connection had ended"


async def _offered(subject: Subject, case: Case) -> None:
    if RESTART in case.requires and not subject.restartable:
        raise NotOffered(NO_RESTART)
    for rpc in case.requires:
        if rpc != RESTART and not await subject.offers(rpc):
            raise NotOffered(f"it has no {rpc}")
