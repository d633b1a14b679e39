"""Performs the effects that a strategy asks for. What goes wrong with one is its outcome, told to the strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector.host.v1.run_pb2 import (
    GenerationFinished,
    QuestionAsked,
    RunEvent,
    Source,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from hector.plugin.v1.llm_pb2 import FINISH_REASON_OTHER, TOOL_CHOICE_NONE, ModelInput, TokenUsage
from hector.plugin.v1.message_pb2 import ROLE_TOOL, ROLE_USER, Message, Part
from hector.plugin.v1.reasoning_pb2 import STREAM_ANSWER, Outcome
from hector_host.errors import CallError, RunError, quoted
from hector_host.providers.prompt import text_of
from hector_host.runtime.answer_stream import AnswerStream
from hector_host.runtime.messages import readable_by
from hector_host.runtime.toolset import failure_of

if TYPE_CHECKING:
    import asyncio
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


class Performer:
    """Performs the effects of one run.

    Attributes:
        usage: The sum over the generations so far.
        failed_generation: Why the newest generation failed; a strategy that gives up because of it is not to blame.
        pending: Journal entries under way. Outcomes go to the strategy while they are being written.
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
        self.failed_generation: CallError | None = None
        self.pending: list[asyncio.Future[None]] = []

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

    def note(self, written: asyncio.Future[None], event: RunEvent) -> None:
        """Publishes an event when its journal entry is on disk, which nobody waits for yet."""
        self._events.publish_when(written, event)
        self.pending.append(written)

    def _settle(self, outcome: Outcome, event: RunEvent) -> Outcome:
        self.note(self._journal.settle(self._run, outcome), event)
        return outcome

    async def _generate(self, effect: str, wanted: Generate, messages: Sequence[Message]) -> Outcome:
        outcome = Outcome(id=effect)
        finished = GenerationFinished(effect_id=effect)
        try:
            generation = await self._ask_model(effect, wanted, messages)
        except CallError as error:
            self.failed_generation = error
            outcome.failure.CopyFrom(failure_of(error))
            outcome.finish_reason = FINISH_REASON_OTHER
            finished.error = error.what
            return self._settle(outcome, RunEvent(generation_finished=finished))
        self.failed_generation = None
        message = generation.message
        message.model = generation.model
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

    async def _ask_model(self, effect: str, wanted: Generate, messages: Sequence[Message]) -> Generation:
        name = wanted.llm or self._llm
        if name != self._llm:
            raise RunError(f"asks the model {name!r}, which the agent does not have", f"It has: {self._llm}")
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
        if wanted.stream != STREAM_ANSWER or not self._streaming:
            return await provider.generate(question, self._call)
        return await self._stream(effect, wanted, question)

    async def _stream(self, effect: str, wanted: Generate, question: ModelInput) -> Generation:
        may_call = bool(question.tools) and question.tool_choice != TOOL_CHOICE_NONE
        told = False

        def tell(text: str) -> None:
            self._events.publish(RunEvent(text_delta=TextDelta(effect_id=effect, text=text, provisional=may_call)))

        answer = AnswerStream(wanted.answer_marker, tell)

        def on_piece(piece: StreamTextResponse) -> None:
            nonlocal told
            if piece.reasoning:
                self._events.publish(RunEvent(text_delta=TextDelta(effect_id=effect, reasoning=piece.reasoning)))
            if piece.text:
                told = True
                answer.feed(piece.text)

        generation = await self._registry.llm(wanted.llm or self._llm).generate(question, self._call, on_piece)
        if not told:  # a plugin that does not stream
            answer.feed(text_of(generation.message))
        return generation

    def _name_calls(self, message: Message) -> None:
        """Makes the ids of tool calls unique within the run, where the model does not."""
        for part in message.parts:
            if not part.HasField("tool_call"):
                continue
            if not part.tool_call.id or part.tool_call.id in self._call_ids:
                part.tool_call.id = f"call-{len(self._call_ids) + 1}"
            self._call_ids.add(part.tool_call.id)

    def _count(self, usage: TokenUsage) -> None:
        total = self.usage
        total.prompt_tokens += usage.prompt_tokens
        total.completion_tokens += usage.completion_tokens
        total.total_tokens += usage.total_tokens or usage.prompt_tokens + usage.completion_tokens
        total.cached_tokens += usage.cached_tokens
        total.reasoning_tokens += usage.reasoning_tokens

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
        message = Message(role=ROLE_USER, parts=[Part(text=await self._ask(asked))])
        outcome = Outcome(id=effect, message=self._messages.add(message))
        written = self._journal.settle(self._run, outcome)
        self.pending.append(written)
        return outcome


def _worst_first(source: Source) -> float:
    return source.score
