"""The loop of one run: ask the strategy, journal the effects it wants, perform them, journal their outcomes, again."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

from hector.host.v1.run_pb2 import RunEvent, Thought
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, Message, Part
from hector.plugin.v1.reasoning_pb2 import (
    RUN_END_BUDGET,
    RUN_END_DONE,
    Budget,
    FinalizeRequest,
    IterationInput,
    ProcessIterationRequest,
)
from hector_host.errors import CallError, RunError, quoted
from hector_host.providers.together import together
from hector_host.runtime.ids import change
from hector_host.runtime.journal import NewIteration
from hector_host.runtime.strategy import bounded
from hector_host.runtime.toolset import SHOWN_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.struct_pb2 import Struct

    from hector.plugin.v1.reasoning_pb2 import Effect, InitializeResponse, Outcome, ProcessIterationResponse, RunEnd
    from hector_host.runtime.effects import Performer
    from hector_host.runtime.scope import Scope
    from hector_host.runtime.strategy import Strategy

MOST_EFFECTS = 64
"""Effects of one iteration: all of them are performed at the same time."""


class Loop:
    """One run from its first iteration to its answer.

    Args:
        engine: As the configuration names it; errors begin with it.
    """

    def __init__(
        self, scope: Scope, performer: Performer, strategy: Strategy, engine: str, max_iterations: int
    ) -> None:
        self._run = scope.run
        self._messages = scope.messages
        self._journal = scope.journal
        self._events = scope.events
        self._call = scope.call
        self._performer = performer
        self._strategy = strategy
        self._engine = engine
        self._max_iterations = max_iterations
        self._effect_ids: set[str] = set()
        self._named = scope.messages.given

    async def answer(self, begun: InitializeResponse) -> Message:
        """Runs until the strategy is done or its iterations are spent; the answer is a message that the host holds.

        Raises:
            HectorError: The run ended without an answer.
        """
        state, version = begun.state, begun.state_version
        outcomes: Sequence[Outcome] = ()
        # One more than there are: in it the strategy sees what came of its last effects, and can only be done.
        for number in range(1, self._max_iterations + 2):
            response, now = await self._ask(number, state, version, outcomes)
            state, version = bounded(_state(response), self._engine), response.state_version
            effects = response.result.effects
            if response.done or response.result.done:
                if effects:
                    raise RunError(f"{self._engine}: is done and asks for {len(effects)} effects in one answer")
                self._note(number, now, response, state)
                return await self._finalize(state, version, RUN_END_DONE)
            if number > self._max_iterations:
                break
            outcomes = await self._perform(number, now, response, state)
        return await self._finalize(state, version, RUN_END_BUDGET)

    async def _ask(
        self, number: int, state: Struct, version: int, outcomes: Sequence[Outcome]
    ) -> tuple[ProcessIterationResponse, int]:
        request = ProcessIterationRequest(
            state=state,
            state_version=version,
            iteration=number,
            input=IterationInput(
                outcomes=outcomes,
                # Follows from the run, so that a replay draws the same.
                seed=zlib.crc32(f"{self._run}/{number}".encode()),
                left=Budget(iterations=self._max_iterations + 1 - number),
            ),
        )
        now = time.time_ns() // 1000
        request.input.now.FromMicroseconds(now)
        try:
            return await self._strategy.process_iteration(request, self._call), now
        except (CallError, RunError) as error:
            if isinstance(error, CallError) and error.code is not None:
                raise  # the strategy itself broke
            # It gave up. When its model failed, the model is to blame.
            raise self._performer.failed_generation or self._gave_up(error) from None

    def _gave_up(self, error: CallError | RunError) -> RunError:
        return RunError(f"{self._engine}: gave up: {_words(error)}", error.step)

    async def _perform(
        self, number: int, now: int, response: ProcessIterationResponse, state: Struct
    ) -> Sequence[Outcome]:
        effects = response.result.effects
        self._check(effects)
        wanted = self._note(number, now, response, state)
        await self._performer.flush()
        return await together([self._performer.perform(effect, wanted.get(effect.id, [])) for effect in effects])

    def _note(
        self, number: int, now: int, response: ProcessIterationResponse, state: Struct
    ) -> dict[str, list[Message]]:
        """Has the iteration journaled and its thought told; the messages that its generations name."""
        wanted, iteration = self._iteration(number, now, response, state)
        thought = RunEvent(thought=Thought(iteration=number, text=iteration.thought)) if iteration.thought else None
        self._performer.note(self._journal.iterate(self._run, iteration), thought)
        return wanted

    def _check(self, effects: Sequence[Effect]) -> None:
        if len(effects) > MOST_EFFECTS:
            raise RunError(
                f"{self._engine}: asks for {len(effects)} effects at once, at most {MOST_EFFECTS} are performed"
            )
        for effect in effects:
            name = quoted(effect.id, SHOWN_NAME)
            if not effect.id or effect.id in self._effect_ids:
                wrong = f"uses the effect id {name!r} twice" if effect.id else "asks for an effect without an id"
                raise RunError(f"{self._engine}: {wrong}", "An effect's id is unique within the run.")
            if effect.WhichOneof("effect") is None:
                raise RunError(
                    f"{self._engine}: effect {name!r} is of a kind that this host does not know",
                    "Upgrade Hector to a version that knows what the strategy needs.",
                )
            self._effect_ids.add(effect.id)

    def _iteration(
        self, number: int, now: int, response: ProcessIterationResponse, state: Struct
    ) -> tuple[dict[str, list[Message]], NewIteration]:
        """The messages that each generation names, and what is journaled of the iteration."""
        wanted: dict[str, list[Message]] = {}
        naming: dict[str, str] = {}
        written: list[Message] = []
        for effect in response.result.effects:
            if not effect.HasField("generate"):
                continue
            whole, new = self._messages.resolve(effect.generate.input.messages, self._engine)
            ids = [message.id for message in whole]
            naming[effect.id] = change(self._named, ids)
            self._named = ids
            wanted[effect.id] = whole
            written += new
        thought = quoted(response.result.thought)
        iteration = NewIteration(
            number, now, thought, state, response.state_version, response.result.effects, written, naming
        )
        return wanted, iteration

    async def _finalize(self, state: Struct, version: int, end: RunEnd) -> Message:
        request = FinalizeRequest(state=state, state_version=version, end=end)
        try:
            response = await self._strategy.finalize(request, self._call)
        except (CallError, RunError) as error:
            if isinstance(error, CallError) and error.code is not None:
                raise
            if end != RUN_END_BUDGET:
                raise self._gave_up(error) from None
            raise RunError(
                f"{self._engine}: no answer within {self._max_iterations} iterations: {_words(error)}",
                "Raise reasoning.max_iterations of the agent, or ask for less at once.",
            ) from None
        message = Message(role=ROLE_ASSISTANT, parts=response.parts)
        if not message.parts:
            message.parts.append(Part(text=response.result))
        return self._messages.answer(message)


def _state(response: ProcessIterationResponse) -> Struct:
    if response.HasField("state") or not response.result.HasField("state"):
        return response.state
    return response.result.state


def _words(error: CallError | RunError) -> str:
    """Why a strategy said no, without the name of the RPC by which it did."""
    return quoted(error.detail) if isinstance(error, CallError) and error.detail else error.what
