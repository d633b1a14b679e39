"""The service: the contract's messages around the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from hector.plugin.v1.reasoning_pb2 import (
    FinalizeResponse,
    InitializeResponse,
    IterationResult,
    ProcessIterationResponse,
)
from hector_react_reasoning import instructions, machine
from hector_react_reasoning.state import VERSION, BrokenState, Offer, State, UnreadableVersion
from hector_sdk import Failure, Reasoning, Status
from hector_sdk.values import plain

if TYPE_CHECKING:
    from google.protobuf.struct_pb2 import Struct

    from hector.plugin.v1.reasoning_pb2 import FinalizeRequest, InitializeRequest, ProcessIterationRequest

FORMS = ("auto", "text")


class React(Reasoning):
    """ReAct. Keeps nothing between calls: any replica can take any step of any run."""

    async def initialize(self, request: InitializeRequest) -> InitializeResponse:
        """Raises Status: options that it cannot read. Raises Failure: there is nothing to answer."""
        textual = _form(request.options) == "text" or not request.model.tool_calling
        if not request.messages:
            raise Failure("there is no message to answer")
        conversation = tuple(message.id for message in request.messages)
        if textual and request.tools:
            system = instructions.system(request.system_prompt, request.tools)
            offers = tuple(instructions.offer(tool) for tool in request.tools)
            state = State("text", system, offers, conversation)
        else:
            offers = tuple(Offer(tool.name) for tool in request.tools)
            state = State("native", request.system_prompt, offers, conversation)
        return InitializeResponse(success=True, state=state.struct(), state_version=VERSION)

    async def process_iteration(self, request: ProcessIterationRequest) -> ProcessIterationResponse:
        """Raises Failure: the run cannot come to an answer."""
        state = _read(request.state, request.state_version)
        try:
            move = machine.advance(state, request.iteration, request.input)
        except machine.MissingOutcome as error:
            raise Status(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error
        return ProcessIterationResponse(
            success=True,
            result=IterationResult(thought=move.thought, effects=move.effects),
            done=not move.effects,
            state=move.state.struct(),
            state_version=VERSION,
        )

    async def finalize(self, request: FinalizeRequest) -> FinalizeResponse:
        """Raises Failure: there is no answer yet."""
        parts = machine.answer(_read(request.state, request.state_version))
        words = "".join(part.text for part in parts)
        whole = parts if any(part.WhichOneof("part") != "text" for part in parts) else None
        return FinalizeResponse(success=True, result=words, parts=whole)


def _form(options: Struct) -> str:
    given = plain(options)
    if unknown := sorted(set(given) - {"form"}):
        raise _invalid(f"unknown option {', '.join(unknown)}: there is form")
    form = given.get("form", "auto")
    if form not in FORMS:
        raise _invalid(f"form: {form!r} is none of {', '.join(FORMS)}")
    return str(form)


def _invalid(words: str) -> Status:
    return Status(grpc.StatusCode.INVALID_ARGUMENT, words)


def _read(state: Struct, version: int) -> State:
    try:
        return State.read(state, version)
    except UnreadableVersion as error:
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, str(error)) from error
    except BrokenState as error:
        raise Status(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error
