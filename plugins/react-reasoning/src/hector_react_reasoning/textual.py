"""The form of models that know nothing of tools: Thought, Action and Observation, written out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hector.plugin.v1.llm_pb2 import ModelInput, Sampling
from hector.plugin.v1.message_pb2 import Part
from hector.plugin.v1.reasoning_pb2 import STREAM_ANSWER, Generate
from hector_react_reasoning import failures, transcript
from hector_react_reasoning.forms import Action, Reply, asked
from hector_react_reasoning.instructions import ANSWER_NOW, MARKER, STOP
from hector_react_reasoning.objects import compact, parsed
from hector_react_reasoning.turns import Turn, observation
from hector_sdk.messages import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hector.plugin.v1.message_pb2 import Message, ToolResult
    from hector.plugin.v1.reasoning_pb2 import Outcome
    from hector_react_reasoning.state import Offer, Pending, State
    from hector_react_reasoning.transcript import Written
    from hector_react_reasoning.turns import Step

OBSERVATION = 16_000
"""Characters of one result that the model is shown, where up to four come at once: this form copies results."""


class Textual:
    """See `forms.Form`."""

    def question(self, state: State, *, last: bool) -> Generate:
        """Stops the model where it would invent an observation; only what follows the marker is the answer."""
        asks = ModelInput(messages=asked(state), sampling=Sampling(stop=[STOP]))
        if last:
            asks.messages.append(observation(ANSWER_NOW).message())
        return Generate(input=asks, stream=STREAM_ANSWER, answer_marker=MARKER)

    def reply(self, state: State, message: Message) -> Reply:
        """Reads the text; a reply from which something was cut is kept as it reads then, and not by its id."""
        whole = text(message)
        said = transcript.read(whole)
        best = said.thought if said.answer is None else said.answer
        return Reply(
            turn=Turn(id=message.id) if said.kept == whole.rstrip() or not said.actions else _cut(said.kept),
            thought=said.thought,
            actions=tuple(_action(state.tools, each) for each in said.actions),
            answer=(Part(text=best),) if best else (),
        )

    def results(self, pending: tuple[Pending, ...], outcomes: Mapping[str, Outcome]) -> Step:
        """One message for all of them."""
        limit = 4 * OBSERVATION // max(4, len(pending))
        told = [_observation(action, outcomes, limit) for action in pending]
        if len(told) == 1:
            return (observation(told[0]),)
        lines = [
            f"{number}. {action.tool}: {words}"
            for number, (action, words) in enumerate(zip(pending, told, strict=True), start=1)
        ]
        return (observation("\n".join([f"{len(lines)} results", *lines])),)


def _cut(kept: str) -> Turn:
    return Turn(role="assistant", text=kept)


def _action(tools: Sequence[Offer], written: Written) -> Action:
    """The action as the host performs it, or why it cannot be."""
    named = [offer for offer in tools if offer.name == written.tool]
    named = named or [offer for offer in tools if offer.name.lower() == written.tool.lower()]
    if not named:
        there = ", ".join(offer.name for offer in tools)
        return Action(
            written.tool,
            refusal=f"There is no tool `{written.tool}`. There are: {there}. Without a tool, write `{MARKER}`.",
        )
    try:
        return Action(named[0].name, _arguments(named[0], written.input))
    except ValueError as error:
        return Action(
            named[0].name,
            refusal=f"The input of `{named[0].name}` is not JSON: {error}. Write it as one JSON object.",
        )


def _arguments(offer: Offer, written: str) -> str:
    """The input as JSON text.

    Raises:
        ValueError: It is none, and nothing else can be meant.
    """
    if not written:
        return "{}"
    if offer.plain and not written.startswith("{"):
        return compact({offer.plain: _unquoted(written)})
    return compact(parsed(written))


def _unquoted(written: str) -> str:
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        return written
    return value if isinstance(value, str) else written


def _observation(action: Pending, outcomes: Mapping[str, Outcome], limit: int) -> str:
    if not action.effect:
        return action.refusal
    outcome = outcomes[action.effect]
    if outcome.HasField("failure"):
        return failures.told(action.tool, outcome)
    results = [part.tool_result for part in outcome.message.parts if part.HasField("tool_result")]
    words = "\n".join(_shown(result) for result in results) or text(outcome.message)
    if len(words) <= limit:
        return words or "(nothing)"
    half = limit // 2
    return f"{words[:half]}\n[{len(words) - 2 * half} characters left out]\n{words[-half:]}"


def _shown(result: ToolResult) -> str:
    """The text of a result; what is no text is named."""
    media = [f"[{part.media.mime_type or 'a file'}]" for part in result.parts if part.HasField("media")]
    return "\n".join(filter(None, [text(result), *media]))
