"""The built-in strategy: generate; while the model calls tools, call them and generate again.

A model that calls no tools is asked once, and its text is the answer.

State, version 1: `system`, the system prompt; `messages`, the ids of the conversation; `tools`, the names offered;
`unused`, those that the model cannot call, until that has been said; once there is one, `answer`, its text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict

from hector.plugin.v1.llm_pb2 import TOOL_CHOICE_NONE, FinishReason, ModelInput
from hector.plugin.v1.message_pb2 import ROLE_SYSTEM, Message, Part
from hector.plugin.v1.reasoning_pb2 import (
    STREAM_ANSWER,
    Effect,
    FinalizeResponse,
    Generate,
    InitializeResponse,
    ProcessIterationResponse,
)
from hector.plugin.v1.tool_pb2 import Tool
from hector_host.errors import ConfigError, RunError
from hector_host.providers.prompt import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector.plugin.v1.message_pb2 import ToolCall
    from hector.plugin.v1.reasoning_pb2 import FinalizeRequest, InitializeRequest, Outcome, ProcessIterationRequest
    from hector_host.providers.call import Call

VERSION = 1
LAST_ITERATION = 1


class DefaultEngine:
    """See `strategy.Strategy`."""

    async def initialize(self, request: InitializeRequest, call: Call) -> InitializeResponse:  # noqa: ARG002
        """Raises ConfigError: it takes no options."""
        if request.options.fields:
            unknown = ", ".join(sorted(request.options.fields))
            raise ConfigError(
                f"agents.{request.context['agent']}.reasoning: the engine default has no option {unknown}",
                "Remove it, or name the engine that has it: engine: plugin:NAME",
            )
        response = InitializeResponse(success=True, state_version=VERSION)
        tools = [tool.name for tool in request.tools]
        response.state.update(
            {
                "system": request.system_prompt,
                "messages": [message.id for message in request.messages],
                "tools": tools if request.model.tool_calling else [],
                "unused": [] if request.model.tool_calling else tools,
            }
        )
        return response

    async def process_iteration(self, request: ProcessIterationRequest, call: Call) -> ProcessIterationResponse:  # noqa: ARG002
        """Raises RunError: the model failed."""
        state = MessageToDict(request.state)
        outcomes = request.input.outcomes
        response = ProcessIterationResponse(success=True, state_version=VERSION)
        answered = _answer(outcomes)
        state["messages"] += [outcome.message.id for outcome in outcomes if outcome.message.id]
        if answered is None:
            response.result.effects.append(_generate(state, request))
            if unused := state.pop("unused", None):
                response.result.thought = f"the model calls no tools: it answers without {', '.join(unused)}"
        elif calls := _calls(answered):
            response.result.effects.extend(
                Effect(id=f"t{request.iteration}.{number}", tool_call=made)
                for number, made in enumerate(calls, start=1)
            )
        else:
            state["answer"] = _said(answered, outcomes)
            response.done = True
        response.state.update(state)
        return response

    async def finalize(self, request: FinalizeRequest, call: Call) -> FinalizeResponse:  # noqa: ARG002
        """Raises RunError: there is no answer."""
        if "answer" not in request.state.fields:
            raise RunError("the model went on calling tools")
        return FinalizeResponse(success=True, result=str(request.state["answer"]))


def _answer(outcomes: Sequence[Outcome]) -> Message | None:
    """What the model said, if it was asked."""
    for outcome in outcomes:
        if not outcome.id.startswith("g"):
            continue
        if outcome.HasField("failure"):
            raise RunError(outcome.failure.message)
        return outcome.message
    return None


def _said(message: Message, outcomes: Sequence[Outcome]) -> str:
    text = text_of(message)
    if not text:
        reason = FinishReason.Name(outcomes[0].finish_reason).removeprefix("FINISH_REASON_").lower().replace("_", " ")
        raise RunError(f"the model gave no answer: {reason}", "Ask in other words, or for less at once.")
    return text


def _calls(message: Message) -> list[ToolCall]:
    return [part.tool_call for part in message.parts if part.HasField("tool_call")]


def _generate(state: dict[str, Any], request: ProcessIterationRequest) -> Effect:
    messages = [Message(id=name) for name in state["messages"]]
    if state["system"]:
        messages.insert(0, Message(role=ROLE_SYSTEM, parts=[Part(text=state["system"])]))
    question = ModelInput(messages=messages, tools=[Tool(name=name) for name in state["tools"]])
    if question.tools and request.input.left.iterations == LAST_ITERATION:
        question.tool_choice = TOOL_CHOICE_NONE
    return Effect(id=f"g{request.iteration}", generate=Generate(input=question, stream=STREAM_ANSWER))
