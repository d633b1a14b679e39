"""What a model is told when an action of it failed: what happened, and what it may do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector.plugin.v1.reasoning_pb2 import (
    FAILURE_KIND_DENIED,
    FAILURE_KIND_INVALID,
    FAILURE_KIND_NOT_FOUND,
    FAILURE_KIND_OUTCOME_UNKNOWN,
    FAILURE_KIND_TIMEOUT,
    FAILURE_KIND_UNAVAILABLE,
)
from hector_sdk.messages import text

if TYPE_CHECKING:
    from hector.plugin.v1.reasoning_pb2 import FailureKind, Outcome

LIMIT = 4000
"""Characters of a failure's own words that are passed on."""

_WORDS: dict[FailureKind, str] = {
    FAILURE_KIND_INVALID: "{tool} does not accept this input: {why} Correct the input.",
    FAILURE_KIND_NOT_FOUND: "{tool} cannot be called: {why}",
    FAILURE_KIND_DENIED: "{tool} is not permitted here: {why} Do not try it again.",
    FAILURE_KIND_TIMEOUT: "{tool} did not answer in time: {why} It may have done a part of its work.",
    FAILURE_KIND_UNAVAILABLE: "{tool} is out of reach now: {why} Find another way, or say that it is.",
    FAILURE_KIND_OUTCOME_UNKNOWN: "It is unknown whether {tool} did its work: {why} Check before you do it again.",
}


def told(tool: str, outcome: Outcome) -> str:
    """The words for an outcome that has a failure."""
    words = _WORDS.get(outcome.failure.kind, "{tool} failed: {why}")
    return words.format(tool=tool, why=_sentence(_why(outcome)))


def _why(outcome: Outcome) -> str:
    """The tool's own words where there are some: the host's begin with the tool's name."""
    results = [part.tool_result for part in outcome.message.parts if part.HasField("tool_result")]
    words = "".join(text(result) for result in results) or outcome.failure.message
    return words if len(words) <= LIMIT else f"{words[:LIMIT]} …"


def _sentence(words: str) -> str:
    words = words.strip() or "nobody said why"
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."
