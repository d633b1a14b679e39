"""The provider: four RPCs of the contract in terms of one reply."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, Message, Part, ToolCall
from hector_echo_llm.conversation import PIECES, Conversation, count
from hector_echo_llm.models import MODELS, Options, Reply
from hector_sdk import LLM, Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Request = llm.CallToolRequest | llm.GenerateTextRequest | llm.StreamTextRequest


class EchoLLM(LLM[Options]):
    """Answers from nothing but the request and the options."""

    async def generate_text(self, request: llm.GenerateTextRequest) -> llm.GenerateTextResponse:
        """Answer at once."""
        reply, usage, output = await self._answer(request)
        _fail(reply)
        return llm.GenerateTextResponse(text=reply.text, usage=usage, output=output)

    async def call_tool(self, request: llm.CallToolRequest) -> llm.CallToolResponse:
        """Answer at once, alike."""
        reply, usage, output = await self._answer(request)
        _fail(reply)
        return llm.CallToolResponse(text=reply.text, usage=usage, output=output)

    async def stream_text(self, request: llm.StreamTextRequest) -> AsyncIterator[llm.StreamTextResponse]:
        """Answer word by word."""
        reply, usage, output = await self._answer(request)
        for piece in PIECES.findall(reply.text):
            yield llm.StreamTextResponse(text=piece)
        _fail(reply)
        yield llm.StreamTextResponse(done=True, usage=usage, output=output)

    async def list_models(self, request: llm.ListModelsRequest) -> llm.ListModelsResponse:  # noqa: ARG002
        """Echo, reader and script."""
        echo = llm.Model(id="echo", description="Says the last user message back.")
        reader = llm.Model(
            id="reader", description="Searches, then answers with the best passage and its source.", tool_calling=True
        )
        script = llm.Model(
            id="script", description="Replies as its options say.", tool_calling=self.options.tool_calling
        )
        return llm.ListModelsResponse(models=[echo, reader, script])

    async def _answer(self, request: Request) -> tuple[Reply, llm.TokenUsage, llm.ModelOutput]:
        name = request.model or "echo"
        if name not in MODELS:
            there = ", ".join(MODELS)
            raise Status(grpc.StatusCode.NOT_FOUND, f'no model "{name}": there are {there}')
        asked = Conversation(request)
        reply = MODELS[name](asked, self.options)
        await asyncio.sleep(reply.delay)
        return reply, _usage(asked, reply), _output(name, asked, reply)


def _fail(reply: Reply) -> None:
    if reply.error:
        raise Status(grpc.StatusCode[reply.code], reply.error)


def _usage(asked: Conversation, reply: Reply) -> llm.TokenUsage:
    read, said = asked.words, count(reply.text)
    return llm.TokenUsage(prompt_tokens=read, completion_tokens=said, total_tokens=read + said)


def _output(model: str, asked: Conversation, reply: Reply) -> llm.ModelOutput:
    message = Message(role=ROLE_ASSISTANT, parts=[Part(text=reply.text)] if reply.text else [])
    for number, call in enumerate(reply.tool_calls, start=asked.calls + 1):
        message.parts.add(tool_call=ToolCall(id=f"call-{number}", tool=call.tool, arguments=call.json))
    finish = reply.finish or ("tool_calls" if reply.tool_calls else "stop")
    return llm.ModelOutput(message=message, finish_reason=f"FINISH_REASON_{finish.upper()}", model=model)
