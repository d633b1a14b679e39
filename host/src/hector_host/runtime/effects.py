"""Performs the effects that a strategy asks for. What goes wrong with one is its outcome, told to the strategy."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

from grpc import StatusCode

from hector.host.v1.run_pb2 import (
    GenerationFinished,
    QuestionAsked,
    RunEvent,
    Source,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from hector.plugin.v1.llm_pb2 import TOOL_CHOICE_NONE, ModelInput, TokenUsage
from hector.plugin.v1.message_pb2 import ROLE_TOOL, ROLE_USER, Message, Part
from hector.plugin.v1.reasoning_pb2 import (
    FAILURE_KIND_INVALID,
    FAILURE_KIND_UNSPECIFIED,
    STREAM_ANSWER,
    Failure,
    Outcome,
)
from hector_host.errors import CallError, PluginError, RunError, quoted
from hector_host.providers.prompt import text_of
from hector_host.runtime.answer_stream import AnswerStream
from hector_host.runtime.messages import readable_by
from hector_host.runtime.parameters import unfit
from hector_host.runtime.toolset import SHOWN_NAME, failure_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hector.plugin.v1.llm_pb2 import StreamTextResponse
    from hector.plugin.v1.message_pb2 import ToolCall
    from hector.plugin.v1.reasoning_pb2 import Effect, Generate, Question
    from hector_host.providers.llm import Generation
    from hector_host.registry import Registry
    from hector_host.runtime.scope import Scope
    from hector_host.runtime.toolset import Toolset

    Ask = Callable[[QuestionAsked], Awaitable[str]]

SHOWN_RESULT = 2000
"""Characters of a tool's result in its event."""

GENERATIONS = 2
"""Times that a model is asked when its plugin is gone. A second generation costs money and nothing else, so it is the
run's to decide and never the transport's; one lost process is worth it, a plugin that dies of every question is not."""

MOST_TOKENS = 2**31 - 1


class Performer:
    """Performs the effects of one run.

    Attributes:
        usage: The sum over the generations so far.
        failed_generation: Why the newest generation failed; a strategy that gives up because of it is not to blame.
    """

    def __init__(self, scope: Scope, registry: Registry, toolset: Toolset, *, ask: Ask | None, streaming: bool) -> None:
        self._run = scope.run
        self._llm = scope.llm
        self._messages = scope.messages
        self._journal = scope.journal
        self._events = scope.events
        self._call = scope.call
        self._registry = registry
        self._toolset = toolset
        self._ask = ask
        self._streaming = streaming
        self._call_ids: set[str] = set()
        self.usage = TokenUsage()
        self._sources: dict[tuple[str, str], Source] = {}
        self.failed_generation: PluginError | None = None
        # Outcomes go to the strategy while they are being written.
        self._pending: list[asyncio.Future[None]] = []

    def best_sources(self) -> list[Source]:
        """Every passage that a tool found, once, best first."""
        return sorted(self._sources.values(), key=_worst_first, reverse=True)

    async def perform(self, effect: Effect, messages: Sequence[Message]) -> Outcome:
        """What came of one effect.

        Args:
            messages: Those that a generation names, whole.

        Raises:
            HectorError: The run cannot go on: the configuration is wrong, or nobody can answer a question.
        """
        kind = effect.WhichOneof("effect")
        if kind == "generate":
            return await self._generate(effect.id, effect.generate, messages)
        if kind == "tool_call":
            return await self._tool_call(effect.id, effect.tool_call)
        return await self._question(effect.id, effect.question)

    def note(self, written: asyncio.Future[None], event: RunEvent | None) -> None:
        """Publishes an event when its journal entry is on disk, which nobody waits for yet."""
        if event is not None:
            self._events.publish_when(written, event)
        self._pending.append(written)

    async def flush(self, *written: asyncio.Future[None]) -> None:
        """Waits until everything noted so far, and these entries, are on disk.

        Raises:
            HectorError: Something of it could not be written.
        """
        pending, self._pending = [*self._pending, *written], []
        await asyncio.gather(*pending)

    def _settle(self, outcome: Outcome, event: RunEvent) -> Outcome:
        self.note(self._journal.settle(self._run, outcome), event)
        return outcome

    async def _generate(self, effect: str, wanted: Generate, messages: Sequence[Message]) -> Outcome:
        outcome = Outcome(id=effect)
        finished = GenerationFinished(effect_id=effect)
        try:
            author, generation = await self._ask_model(effect, wanted, messages)
        except PluginError as error:
            self.failed_generation = error
            outcome.failure.CopyFrom(failure_of(error, FAILURE_KIND_UNSPECIFIED))
            finished.error = error.what
            return self._settle(outcome, RunEvent(generation_finished=finished))
        self.failed_generation = None
        message = generation.message
        message.model = author
        self._name_calls(message)
        outcome.message.CopyFrom(self._messages.add(message))
        outcome.usage.CopyFrom(generation.usage)
        outcome.finish_reason = generation.finish_reason
        self._count(generation.usage)
        finished.model = generation.model
        finished.usage.CopyFrom(generation.usage)
        finished.finish_reason = generation.finish_reason
        finished.message_id = message.id
        return self._settle(outcome, RunEvent(generation_finished=finished))

    async def _ask_model(self, effect: str, wanted: Generate, messages: Sequence[Message]) -> tuple[str, Generation]:
        """Who was asked, as messages name their author, and what came of it.

        The author is the model that was asked for: a plugin tells in the generation which revision of it answered, and
        the revision may differ from one answer to the next.
        """
        name = wanted.llm or self._llm
        if name != self._llm:
            raise RunError(
                f"asks the model {quoted(name, SHOWN_NAME)!r}, which the agent does not have", f"It has: {self._llm}"
            )
        provider = self._registry.llm(name)
        model = await provider.model(self._call)
        question = ModelInput()
        question.CopyFrom(wanted.input)
        del question.messages[:]
        del question.tools[:]
        author = f"{name}/{model.id}" if model.id else name
        question.messages.extend(readable_by(author, message) for message in messages)
        if model.tool_calling:
            question.tools.extend(self._toolset.named(tool) for tool in wanted.input.tools)
        for left in reversed(range(GENERATIONS)):
            try:
                if wanted.stream != STREAM_ANSWER or not self._streaming:
                    return author, await provider.generate(question, self._call)
                return author, await self._stream(effect, wanted, question)
            except CallError as error:
                if not left or error.code is not StatusCode.UNAVAILABLE or not error.retryable:
                    raise
        raise AssertionError

    async def _stream(self, effect: str, wanted: Generate, question: ModelInput) -> Generation:
        may_call = bool(question.tools) and question.tool_choice != TOOL_CHOICE_NONE
        told = answered = False

        def tell(text: str) -> None:
            self._events.publish(RunEvent(text_delta=TextDelta(effect_id=effect, text=text, provisional=may_call)))

        answer = AnswerStream(wanted.answer_marker, tell)

        def on_piece(piece: StreamTextResponse) -> None:
            nonlocal told, answered
            if piece.reasoning:
                told = True
                self._events.publish(RunEvent(text_delta=TextDelta(effect_id=effect, reasoning=piece.reasoning)))
            if piece.text:
                told = answered = True
                answer.feed(piece.text)

        try:
            generation = await self._registry.llm(wanted.llm or self._llm).generate(question, self._call, on_piece)
        except CallError as error:
            error.retryable = error.retryable and not told  # nobody can take back what the user has read
            raise
        if not answered:  # a plugin that does not stream
            answer.feed(text_of(generation.message))
        return generation

    def _name_calls(self, message: Message) -> None:
        """Makes the ids of tool calls unique within the run, where the model does not."""
        calls = [part.tool_call for part in message.parts if part.HasField("tool_call")]
        given = {call.id for call in calls}
        for call in calls:
            if not call.id or call.id in self._call_ids:
                fresh = (f"call-{number}" for number in count(len(self._call_ids) + 1))
                call.id = next(name for name in fresh if name not in self._call_ids | given)
            self._call_ids.add(call.id)

    def _count(self, usage: TokenUsage) -> None:
        whole = usage.total_tokens or usage.prompt_tokens + usage.completion_tokens
        for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"):
            self._add(name, getattr(usage, name))
        self._add("total_tokens", whole)

    def _add(self, name: str, tokens: int) -> None:
        """Plugins may count anything: the sum stays within its field."""
        setattr(self.usage, name, min(max(getattr(self.usage, name) + tokens, 0), MOST_TOKENS))

    async def _tool_call(self, effect: str, made: ToolCall) -> Outcome:
        self._events.publish(
            RunEvent(tool_started=ToolStarted(effect_id=effect, tool=made.tool, arguments=made.arguments))
        )
        came = await self._toolset.execute(made, f"{self._run}/{effect}", self._call)
        came.result.call_id = made.id
        message = Message(role=ROLE_TOOL, parts=[Part(tool_result=came.result)])
        outcome = Outcome(id=effect, message=self._messages.add(message), failure=came.failure)
        self._sources |= {(source.store, source.location): source for source in came.sources}
        event = ToolFinished(
            effect_id=effect,
            tool=made.tool,
            failed=came.result.failed,
            result="".join(part.text for part in came.result.parts)[:SHOWN_RESULT],
            sources=came.sources,
        )
        return self._settle(outcome, RunEvent(tool_finished=event))

    async def _question(self, effect: str, question: Question) -> Outcome:
        asked = QuestionAsked(effect_id=effect, text=question.text, answer_schema=question.answer_schema)
        if self._ask is None:
            raise RunError(
                f"the agent asks, and nobody is there to answer: {quoted(question.text)}",
                "Run it where somebody can answer: hector chat, or hector call on a terminal.",
            )
        self._events.publish(RunEvent(question=asked))
        said = await self._ask(asked)
        message = Message(role=ROLE_USER, parts=[Part(text=said)])
        outcome = Outcome(id=effect, message=self._messages.add(message))
        if wrong := unfit(question.answer_schema, said):
            outcome.failure.CopyFrom(Failure(kind=FAILURE_KIND_INVALID, message=wrong))
        self.note(self._journal.settle(self._run, outcome), None)
        return outcome


def _worst_first(source: Source) -> float:
    return source.score
