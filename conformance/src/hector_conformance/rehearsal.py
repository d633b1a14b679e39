"""A run, rehearsed: a host in small, whose model and tools always say the same, and which writes down what it is told.

It judges nothing but that calls succeed: what a strategy asked for and answered is the cases' to look at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from hector.plugin.v1.llm_pb2 import (
    FINISH_REASON_STOP,
    FINISH_REASON_TOOL_CALLS,
    TOOL_CHOICE_NONE,
    Model,
    TokenUsage,
)
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_TOOL, ROLE_USER, Message, Part, ToolCall, ToolResult
from hector.plugin.v1.reasoning_pb2 import (
    RUN_END_BUDGET,
    RUN_END_DONE,
    Effect,
    Failure,
    FailureKind,
    FinalizeRequest,
    FinalizeResponse,
    InitializeRequest,
    Outcome,
    ProcessIterationRequest,
    ProcessIterationResponse,
)
from hector.plugin.v1.tool_pb2 import Tool
from hector_conformance.statuses import answered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from google.protobuf.struct_pb2 import Struct

    from hector.plugin.v1.reasoning_pb2 import Generate, InitializeResponse
    from hector_conformance.instance import Instance

NOW = 1_000_000_000
"""Seconds since 1970, at which every run begins: in the year 2001, so that a strategy's own clock would show."""
TOOLS = ("weather", "population")


@dataclass(frozen=True)
class Script:
    """What a run is given.

    Attributes:
        messages: The conversation; the user says all of it.
        tools: What the agent may call. The model calls each once, in its first reply.
        native: The model calls tools natively.
        failing: By tool, how its call fails.
        model_fails: How each generation fails. None: it does not.
        answer: What the model says at last.
        result: What a tool answers, after its name.
        reverse: Outcomes come in the opposite order.
        pass_on: What becomes of a state between two calls.
    """

    messages: tuple[str, ...] = ("Which of the two is larger?",)
    prompt: str = "Be brief."
    tools: tuple[str, ...] = TOOLS
    native: bool = True
    max_iterations: int = 8
    failing: dict[str, FailureKind] = field(default_factory=dict)
    model_fails: FailureKind | None = None
    answer: str = "The first one."
    result: str = "says 42."
    reverse: bool = False
    pass_on: Callable[[Struct], Struct] = lambda state: state

    def initialize(self) -> InitializeRequest:
        """How the run begins."""
        request = InitializeRequest(
            max_iterations=self.max_iterations,
            temperature=0.5,
            system_prompt=self.prompt,
            messages=[
                Message(id=f"m{number}", role=ROLE_USER, parts=[Part(text=text)])
                for number, text in enumerate(self.messages, 1)
            ],
            tools=[_tool(name) for name in self.tools],
            model=Model(id="conformance", context_tokens=100_000, max_output_tokens=4096, tool_calling=self.native),
        )
        request.context.update({"agent": "conformance"})
        return request


def _tool(name: str) -> Tool:
    tool = Tool(name=name, description=f"Tells the {name} of a place.")
    tool.parameters.update({"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]})
    return tool


class Rehearsal:
    """One run.

    Attributes:
        calls: Each RPC with its request and response, in order.
        held: All messages by id: those of the conversation, and what came of effects.
        effects: What was asked for, by iteration.
        done: The strategy said so itself.
        said_no: Its words for it where it ended the run by success = false; None where it did not.
        final: The last response. None where the run had ended before.

    Args:
        instances: Take the run's calls in turn.
    """

    def __init__(self, script: Script, *instances: Instance) -> None:
        self.script = script
        self.calls: list[tuple[str, Any, Any]] = []
        self.held: dict[str, Message] = {}
        self.effects: list[list[Effect]] = []
        self.done = False
        self.said_no: str | None = None
        self.final: FinalizeResponse | None = None
        self._instances = instances
        self._replied = False

    async def run(self) -> Self:
        """Runs to the end. Raises Failed when a call ends with a status."""
        request = self.script.initialize()
        self.held.update({message.id: message for message in request.messages})
        begun: InitializeResponse = await self._call("Initialize", request)
        state, version = begun.state, begun.state_version
        outcomes: Sequence[Outcome] = ()
        for number in range(1, self.script.max_iterations + 2):
            if self.said_no is not None:
                return self
            step = self.step(number, state, version, outcomes)
            response: ProcessIterationResponse = await self._call("ProcessIteration", step)
            state, version = state_of(response), response.state_version
            self.effects.append(list(response.result.effects))
            self.done = response.done or response.result.done
            if self.done:
                break
            outcomes = [self._perform(effect) for effect in response.result.effects]
        if self.said_no is None:
            end = RUN_END_DONE if self.done else RUN_END_BUDGET
            state = self.script.pass_on(state)
            self.final = await self._call("Finalize", FinalizeRequest(state=state, state_version=version, end=end))
        return self

    def step(self, number: int, state: Struct, version: int, outcomes: Sequence[Outcome]) -> ProcessIterationRequest:
        """The request of an iteration."""
        request = ProcessIterationRequest(state=self.script.pass_on(state), state_version=version, iteration=number)
        request.input.outcomes.extend(reversed(outcomes) if self.script.reverse else outcomes)
        request.input.now.FromSeconds(NOW + number)
        request.input.seed = 7 * number
        request.input.left.iterations = self.script.max_iterations + 1 - number
        return request

    @property
    def states(self) -> list[Struct]:
        """Every state that was answered."""
        return [state_of(each) for rpc, _, each in self.calls if rpc != "Finalize"]

    @property
    def outline(self) -> tuple[list[list[str]], bool, str | None, bool, str]:
        """What it comes to: the kinds of effects, how it ended, and the answer."""
        kinds = [sorted(_kind(effect) for effect in effects) for effects in self.effects]
        final = self.final or FinalizeResponse()
        return kinds, self.done, self.said_no, final.success, final.result

    async def _call(self, rpc: str, request: Any) -> Any:
        instance = self._instances[len(self.calls) % len(self._instances)]
        response: Any = await answered(f"{rpc} of a run", getattr(instance.stubs.reasoning, rpc)(request))
        self.calls.append((rpc, request, response))
        if not response.success and rpc != "Finalize":
            self.said_no = response.error
        return response

    def _perform(self, effect: Effect) -> Outcome:
        kind = effect.WhichOneof("effect")
        if kind == "generate":
            return self._generate(effect.id, effect.generate)
        if kind == "tool_call":
            return self._run_tool(effect.id, effect.tool_call)
        return Outcome(id=effect.id, message=self._hold(Message(role=ROLE_USER, parts=[Part(text="Yes.")])))

    def _generate(self, effect: str, asked: Generate) -> Outcome:
        if self.script.model_fails is not None:
            return Outcome(id=effect, failure=Failure(kind=self.script.model_fails, message="the model failed"))
        offered = [tool.name for tool in asked.input.tools if tool.name in self.script.tools]
        message, reason = Message(role=ROLE_ASSISTANT, model="conformance"), FINISH_REASON_STOP
        if offered and not self._replied and self.script.native and asked.input.tool_choice != TOOL_CHOICE_NONE:
            calls = [ToolCall(id=f"c-{name}", tool=name, arguments='{"place": "Rome"}') for name in offered]
            message.parts.extend([Part(text="I look."), *(Part(tool_call=call) for call in calls)])
            reason = FINISH_REASON_TOOL_CALLS
        else:
            message.parts.append(Part(text=f"{asked.answer_marker} {self.script.answer}".strip()))
        self._replied = True
        usage = TokenUsage(prompt_tokens=10, completion_tokens=5, total_tokens=15)
        return Outcome(id=effect, message=self._hold(message), usage=usage, finish_reason=reason)

    def _run_tool(self, effect: str, call: ToolCall) -> Outcome:
        kind = self.script.failing.get(call.tool)
        words = f"{call.tool} {self.script.result}" if kind is None else f"{call.tool} failed"
        result = ToolResult(call_id=call.id, tool=call.tool, failed=kind is not None, parts=[Part(text=words)])
        message = self._hold(Message(role=ROLE_TOOL, parts=[Part(tool_result=result)]))
        failure = None if kind is None else Failure(kind=kind, message=words)
        return Outcome(id=effect, message=message, failure=failure)

    def _hold(self, message: Message) -> Message:
        message.id = f"m{len(self.held) + 1}"
        self.held[message.id] = message
        return message


def state_of(response: Any) -> Struct:
    """The state of a response, as a host reads it."""
    if isinstance(response, ProcessIterationResponse) and not response.HasField("state"):
        return response.result.state
    return response.state  # type: ignore[no-any-return]


def _kind(effect: Effect) -> str:
    kind = effect.WhichOneof("effect") or "none"
    return f"{kind} {effect.tool_call.tool}" if kind == "tool_call" else kind
