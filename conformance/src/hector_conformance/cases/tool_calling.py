"""What models promise whose entry in ListModels says that they call tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.tool_pb2 import Tool
from hector_conformance.asking import called, question, streamed, user
from hector_conformance.case import Failed, NotOffered, case
from hector_conformance.statuses import answered
from hector_host.config import Kind
from hector_host.errors import quoted

if TYPE_CHECKING:
    from hector_conformance.subject import Subject

SEARCH = "search"
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
ASKED = "Search for the height of the Eiffel Tower."


@case(Kind.LLM, "contract", requires=("ListModels",))
async def models_that_call_tools_have_call_tool(subject: Subject) -> None:
    """Who lists a model with tool_calling serves CallTool."""
    await _model(subject)
    if not await subject.offers("CallTool"):
        raise Failed("a model with tool_calling needs CallTool; it is UNIMPLEMENTED")


@case(Kind.LLM, "contract", requires=("ListModels", "CallTool"))
async def calls_only_offered_tools(subject: Subject) -> None:
    """CallTool answers with calls of offered tools, or with text."""
    response = await _offer(subject)
    foreign = [name for name in called(response.output.message.parts) if name != SEARCH]
    if foreign:
        raise Failed(f"{SEARCH} was offered; the answer calls {quoted(', '.join(foreign), 100)}")


@case(Kind.LLM, "contract", requires=("ListModels", "CallTool"))
async def finish_reason_tells_of_tool_calls(subject: Subject) -> None:
    """An answer with tool calls ends by them; one without has another reason."""
    response = await _offer(subject)
    calls, reason = called(response.output.message.parts), response.output.finish_reason
    name = llm.FinishReason.Name(reason) if reason in llm.FinishReason.values() else str(reason)
    if bool(calls) != (reason == llm.FINISH_REASON_TOOL_CALLS) and reason != llm.FINISH_REASON_UNSPECIFIED:
        raise Failed(f"the finish reason of an answer with {len(calls)} tool calls fits them; it is {name}")


@case(Kind.LLM, "contract", requires=("ListModels", "CallTool"))
async def forbidden_tools_are_not_called(subject: Subject) -> None:
    """With TOOL_CHOICE_NONE no tool is called."""
    response = await _offer(subject, llm.TOOL_CHOICE_NONE)
    calls = called(response.output.message.parts)
    if calls:
        raise Failed(f"with TOOL_CHOICE_NONE no tool is called; the answer calls {quoted(', '.join(calls), 100)}")


@case(Kind.LLM, "contract", requires=("ListModels", "CallTool", "StreamText"))
async def streams_carry_tool_calls(subject: Subject) -> None:
    """Where CallTool calls a tool, the last message of StreamText does."""
    calls = called((await _offer(subject)).output.message.parts)
    if not calls:
        raise NotOffered("it answered the suite's question without a tool")
    request = await question(subject, llm.StreamTextRequest, user(ASKED), tools=[_tool()])
    request.model = await _model(subject)
    async with subject.running() as instance:
        messages = await streamed(instance.stubs.llm.StreamText(request))
    there = called(messages[-1].output.message.parts) if messages else []
    if not there:
        raise Failed(f"the last message of the stream calls {quoted(calls[0], 100)}; it calls nothing")


async def _offer(subject: Subject, choice: llm.ToolChoice = llm.TOOL_CHOICE_UNSPECIFIED) -> llm.CallToolResponse:
    request = await question(subject, llm.CallToolRequest, user(ASKED), tools=[_tool()], tool_choice=choice)
    request.model = await _model(subject)
    async with subject.running() as instance:
        return await answered("CallTool", instance.stubs.llm.CallTool(request))


async def _model(subject: Subject) -> str:
    """A model that calls tools: the one that the settings name, if it does, else the first of all."""
    async with subject.running() as instance:
        listed = await answered("ListModels", instance.stubs.llm.ListModels(llm.ListModelsRequest()))
    names = [model.id for model in listed.models if model.tool_calling]
    if not names:
        raise NotOffered("no model of ListModels has tool_calling")
    return subject.settings.model if subject.settings.model in names else names[0]


def _tool() -> Tool:
    parameters = Struct()
    parameters.update(SCHEMA)
    return Tool(name=SEARCH, description="Searches the web.", parameters=parameters)
