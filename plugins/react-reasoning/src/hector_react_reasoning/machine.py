"""The strategy as a pure state machine: a request in, a response out; no clock, no chance, no I/O, nothing kept.

    ask ──► the model replies ──┬─ actions ──► perform them ──► observe ──► ask
                                ├─ of no use ──► say why ──► ask
                                └─ an answer ──► done

A generation is the effect `gN` of iteration N, the actions of iteration N are the effects `tN.1`, `tN.2`, …
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToDict, ParseDict

from hector.plugin.v1.llm_pb2 import FINISH_REASON_CONTEXT_OVERFLOW
from hector.plugin.v1.message_pb2 import Part, ToolCall
from hector.plugin.v1.reasoning_pb2 import FAILURE_KIND_CONTEXT_OVERFLOW, Effect
from hector_react_reasoning.native import Native
from hector_react_reasoning.state import Pending, State
from hector_react_reasoning.textual import Textual
from hector_react_reasoning.turns import Turn, bounded, observation
from hector_sdk.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hector.plugin.v1.reasoning_pb2 import IterationInput, Outcome
    from hector_react_reasoning.forms import Form, Reply

MISHAPS = 3
"""Useless replies in a row before the strategy gives up."""

_FORMS: dict[str, Form] = {"native": Native(), "text": Textual()}
_TOO_LATE = "Not done: no more actions are possible."
_EMPTY = "Your reply was empty. Go on: use a tool, or answer."


class MissingOutcome(ValueError):  # noqa: N818 - it says what is wrong
    """The host asks for the next step without what came of an effect of the last one."""


@dataclass(frozen=True)
class Move:
    """What an iteration comes to. Without effects the run is done."""

    state: State
    effects: tuple[Effect, ...] = ()
    thought: str = ""


def advance(state: State, iteration: int, given: IterationInput) -> Move:
    """The next move.

    Raises:
        Failure: The run cannot come to an answer.
        MissingOutcome: An effect has none.
    """
    return _Iteration(state, iteration, given).move()


def answer(state: State) -> list[Part]:
    """The parts of the answer.

    Raises:
        Failure: There is none.
    """
    if state.answer is None:
        raise Failure("the model was still at work")
    return [ParseDict(part, Part()) for part in state.answer]


class _Iteration:
    """One call of `advance`."""

    def __init__(self, state: State, iteration: int, given: IterationInput) -> None:
        self._state = replace(state, said=(*state.said, *(message.id for message in given.messages)))
        self._form = _FORMS[state.form]
        self._number = iteration
        self._outcomes: Mapping[str, Outcome] = {outcome.id: outcome for outcome in given.outcomes}
        self._last = given.HasField("left") and given.left.iterations <= 1

    def move(self) -> Move:
        state = self._state
        if state.asked:
            return self._heard(state, self._outcome(state.asked))
        if state.pending:
            state = self._observed(state)
        return self._ask(state)

    def _outcome(self, effect: str) -> Outcome:
        outcome = self._outcomes.get(effect)
        if outcome is None:
            raise MissingOutcome(f"there is no outcome of effect {effect!r}")
        if not outcome.HasField("failure") and not outcome.message.id:
            raise MissingOutcome(f"the outcome of effect {effect!r} has neither a failure nor a message with an id")
        return outcome

    def _ask(self, state: State, thought: str = "") -> Move:
        said = (tuple(Turn(id=name) for name in state.said),) if state.said else ()
        asking = replace(
            state, steps=bounded((*state.steps, *said)), said=(), asked=f"g{self._number}", last=self._last
        )
        effect = Effect(id=asking.asked, generate=self._form.question(asking, last=self._last))
        return Move(asking, (effect,), thought)

    def _heard(self, state: State, outcome: Outcome) -> Move:
        was_last = state.last
        state = replace(state, asked="", last=False)
        overflow = FAILURE_KIND_CONTEXT_OVERFLOW
        if outcome.failure.kind == overflow or outcome.finish_reason == FINISH_REASON_CONTEXT_OVERFLOW:
            return self._ask(_shortened(state), "the conversation is too long for the model: older steps are left out")
        if outcome.HasField("failure"):
            raise Failure(f"the model failed: {outcome.failure.message}")
        reply = self._form.reply(state, outcome.message)
        if was_last:
            return self._finish(state, reply)
        if reply.actions:
            return self._act(state, reply)
        if not reply.answer:
            told = (observation(_EMPTY),)
            return self._mishap(replace(state, steps=(*state.steps, told)), reply.thought)
        if state.said:  # the user went on talking meanwhile: what was to be the answer is a part of the conversation
            return self._ask(replace(state, steps=(*state.steps, (reply.turn,))), _line(reply.thought))
        return self._finish(state, reply)

    def _finish(self, state: State, reply: Reply) -> Move:
        if not reply.answer:
            raise Failure("the model was told to answer at last, and did not")
        parts = tuple(MessageToDict(part) for part in reply.answer)
        return Move(replace(state, answer=parts), thought=_line(reply.thought))

    def _act(self, state: State, reply: Reply) -> Move:
        """Performs what can be; what cannot is told the model with the outcomes of the rest, or at once.

        In the last iteration nothing is performed any more: no generation would see what came of it.
        """
        pending: list[Pending] = []
        effects: list[Effect] = []
        for action in reply.actions:
            refusal = _TOO_LATE if self._last else action.refusal
            name = "" if refusal else f"t{self._number}.{len(effects) + 1}"
            pending.append(Pending(action.tool, effect=name, call=action.call, refusal=refusal))
            if name:
                call = ToolCall(id=action.call or name, tool=action.tool, arguments=action.arguments)
                effects.append(Effect(id=name, tool_call=call))
        state = replace(state, pending=tuple(pending), steps=(*state.steps, (reply.turn,)))
        if effects:
            return Move(replace(state, mishaps=0), tuple(effects), _line(reply.thought))
        return self._mishap(self._observed(state), reply.thought)

    def _observed(self, state: State) -> State:
        outcomes = {action.effect: self._outcome(action.effect) for action in state.pending if action.effect}
        *before, current = state.steps
        results = self._form.results(state.pending, outcomes)
        return replace(state, pending=(), steps=(*before, (*current, *results)))

    def _mishap(self, state: State, thought: str) -> Move:
        """Asks again, after the model has been told why."""
        if state.mishaps == MISHAPS:
            raise Failure(f"the model gave {MISHAPS + 1} replies in a row that were of no use")
        return self._ask(replace(state, mishaps=state.mishaps + 1), _line(thought))


def _shortened(state: State) -> State:
    """Without the older half of the steps. What belongs together stays together: a step is a call and its results."""
    if len(state.steps) < 2:
        raise Failure("the conversation is too long for the model, even without the steps of this run")
    return replace(state, steps=state.steps[(len(state.steps) + 1) // 2 :])


def _line(thought: str, limit: int = 300) -> str:
    line = " ".join(thought.split())
    return line if len(line) <= limit else f"{line[:limit]}…"
