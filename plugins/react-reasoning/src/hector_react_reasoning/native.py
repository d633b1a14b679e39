"""The form of models that call tools natively: calls and results are parts of messages, which the host holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector.plugin.v1.llm_pb2 import TOOL_CHOICE_NONE, ModelInput
from hector.plugin.v1.message_pb2 import Part
from hector.plugin.v1.reasoning_pb2 import STREAM_ANSWER, Generate
from hector.plugin.v1.tool_pb2 import Tool
from hector_react_reasoning import failures
from hector_react_reasoning.forms import Action, Reply, asked
from hector_react_reasoning.turns import Turn, observation
from hector_sdk.messages import calls, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hector.plugin.v1.message_pb2 import Message
    from hector.plugin.v1.reasoning_pb2 import Outcome
    from hector_react_reasoning.state import Pending, State
    from hector_react_reasoning.turns import Step

ANSWER_NOW = "No more tools can be called. Answer now, as well as you can with what you know."


class Native:
    """See `forms.Form`."""

    def question(self, state: State, *, last: bool) -> Generate:
        """Offers the tools by name; the last time it forbids them."""
        asks = ModelInput(messages=asked(state), tools=[Tool(name=offer.name) for offer in state.tools])
        if last and state.tools:
            asks.tool_choice = TOOL_CHOICE_NONE
            asks.messages.append(observation(ANSWER_NOW).message())
        return Generate(input=asks, stream=STREAM_ANSWER)

    def reply(self, state: State, message: Message) -> Reply:  # noqa: ARG002 - the other form needs it
        """The calls; the text beside them is the thought. Without calls the text is the answer."""
        actions = tuple(Action(call.tool, call.arguments, call=call.id) for call in calls(message))
        return Reply(
            turn=Turn(id=message.id),
            thought=text(message) if actions else "",
            actions=actions,
            answer=tuple(_visible(part) for part in message.parts if part.text.strip() or part.HasField("media")),
        )

    def results(self, pending: tuple[Pending, ...], outcomes: Mapping[str, Outcome]) -> Step:
        """The host's own message for each call; what failed or was refused is put into words here."""
        return tuple(_result(action, outcomes.get(action.effect)) for action in pending)


def _visible(part: Part) -> Part:
    """The part without what only a model reads."""
    return Part(media=part.media) if part.HasField("media") else Part(text=part.text)


def _result(action: Pending, outcome: Outcome | None) -> Turn:
    if outcome is not None and not outcome.HasField("failure"):
        return Turn(id=outcome.message.id)
    words = action.refusal if outcome is None else failures.told(action.tool, outcome)
    return Turn(role="tool", text=words, tool=action.tool, call=action.call)
