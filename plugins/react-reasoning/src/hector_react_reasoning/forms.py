"""The two ways to tell a model of tools and to understand what it wants. The machine knows only that there are ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hector_react_reasoning.turns import Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hector.plugin.v1.message_pb2 import Message, Part
    from hector.plugin.v1.reasoning_pb2 import Generate, Outcome
    from hector_react_reasoning.state import Pending, State
    from hector_react_reasoning.turns import Step


@dataclass(frozen=True)
class Action:
    """What the model wants to be done.

    Attributes:
        tool: The tool it names.
        arguments: JSON text.
        call: The model's id of a native call.
        refusal: Why it cannot be done. Empty: it can.
    """

    tool: str
    arguments: str = ""
    call: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class Reply:
    """What the model said.

    Attributes:
        turn: The reply as the next generation shall see it.
        thought: What it thought. May be empty.
        actions: What it wants to be done; none where there is an answer.
        answer: The answer where there are no actions, else the best that could be one. Empty: nothing could.
    """

    turn: Turn
    thought: str
    actions: tuple[Action, ...]
    answer: tuple[Part, ...]


class Form(Protocol):
    """A way to speak of tools with a model. Every method is a pure function."""

    def question(self, state: State, *, last: bool) -> Generate:
        """What the model is asked; with `last` it has to answer."""

    def reply(self, state: State, message: Message) -> Reply:
        """What the model said."""

    def results(self, pending: tuple[Pending, ...], outcomes: Mapping[str, Outcome]) -> Step:
        """What the model is told of its actions; there is an outcome for every effect."""


def asked(state: State) -> list[Message]:
    """The messages of a generation that both forms begin with: the system message, the conversation, the steps."""
    system = [Turn(role="system", text=state.system)] if state.system else []
    conversation = [Turn(id=name) for name in state.conversation]
    return [turn.message() for turn in (*system, *conversation, *(turn for step in state.steps for turn in step))]
