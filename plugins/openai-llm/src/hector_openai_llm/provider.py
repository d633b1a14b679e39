"""The contract's RPCs over one client of an endpoint."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import grpc

from hector.plugin.v1 import llm_pb2 as llm
from hector_openai_llm import chat, failures
from hector_openai_llm.failures import FinishedError
from hector_openai_llm.options import OPENAI, Options, check, seconds
from hector_openai_llm.reply import BrokenReplyError, Reply
from hector_sdk import LLM, Status

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from openai import AsyncOpenAI


class OpenAILLM(LLM[Options]):
    """Any model of an OpenAI-compatible endpoint."""

    client: AsyncOpenAI

    async def start(self) -> None:
        """Make the client. Nothing is sent: an endpoint that is down now may be up at the first call."""
        check(self.options)
        self.client = await asyncio.to_thread(_client, self.options)

    async def stop(self) -> None:
        """Close the connections."""
        await self.client.close()

    async def generate_text(self, request: llm.GenerateTextRequest) -> llm.GenerateTextResponse:
        """Answer at once."""
        text, usage, output = await self._answer(request)
        return llm.GenerateTextResponse(text=text, usage=usage, output=output)

    async def call_tool(self, request: llm.CallToolRequest) -> llm.CallToolResponse:
        """Answer at once, with tool calls where the model wants them."""
        text, usage, output = await self._answer(request)
        return llm.CallToolResponse(text=text, usage=usage, output=output)

    async def _answer(self, request: chat.Request) -> tuple[str, llm.TokenUsage | None, llm.ModelOutput]:
        reply = Reply()
        try:
            with failures.named(self.options):
                said = await self.client.chat.completions.create(**self._parameters(request), stream=False)
                reply.add(_mapping(said))
                if not _mapping(said).get("choices"):
                    raise BrokenReplyError("it has no choices")
                return reply.text, reply.usage, reply.output()
        except FinishedError as finished:
            return "", None, llm.ModelOutput(finish_reason=finished.reason)

    async def stream_text(self, request: llm.StreamTextRequest) -> AsyncIterator[llm.StreamTextResponse]:
        """Answer as the endpoint does, piece by piece; done only once it said that the answer is complete."""
        reply = Reply()
        try:
            with failures.named(self.options):
                # Closed by name: else the connection would live until the garbage is collected.
                async with contextlib.aclosing(self._pieces(request, reply)) as pieces:
                    async for text, reasoning in pieces:
                        yield llm.StreamTextResponse(text=text, reasoning=reasoning)
                last = llm.StreamTextResponse(done=True, usage=reply.usage, output=reply.output())
        except FinishedError as finished:
            last = llm.StreamTextResponse(done=True, output=llm.ModelOutput(finish_reason=finished.reason))
        yield last

    async def _pieces(self, request: llm.StreamTextRequest, reply: Reply) -> AsyncGenerator[tuple[str, str]]:
        asked = self._parameters(request) | {"stream": True, "stream_options": {"include_usage": True}}
        async with await self.client.chat.completions.create(**asked) as stream:
            async for chunk in stream:
                text, reasoning = reply.add(_mapping(chunk))
                if text or reasoning:
                    yield text, reasoning
        if reply.finish is None:
            raise Status(
                grpc.StatusCode.UNAVAILABLE, f"{self.options.base_url} ended the stream before the answer was complete"
            )

    async def list_models(self, request: llm.ListModelsRequest) -> llm.ListModelsResponse:  # noqa: ARG002 - it is empty
        """List what the endpoint lists, and the option's model; what they can do is what the options claim."""
        try:
            with failures.named(self.options):
                listed = [model.id async for model in self.client.models.list()]
        except Status as error:
            # Not every endpoint has a list.
            if error.code is not grpc.StatusCode.NOT_FOUND:
                raise
            listed = []
        names = dict.fromkeys([self.options.model, *listed] if self.options.model else listed)
        return llm.ListModelsResponse(models=[self._model(name) for name in names])

    def _model(self, name: str) -> llm.Model:
        return llm.Model(
            id=name,
            tool_calling=self.options.tool_calling,
            response_schema=self.options.response_schema,
            input_media=self.options.input_media,
        )

    def _parameters(self, request: chat.Request) -> dict[str, Any]:
        # OpenAI's newer models refuse the old name; other endpoints know no other.
        own = self.options.base_url.rstrip("/") == OPENAI
        key = "max_completion_tokens" if own else "max_tokens"
        return chat.parameters(request, self.options.model, max_tokens_key=key)


def _client(options: Options) -> AsyncOpenAI:
    from openai import AsyncOpenAI, Timeout

    return AsyncOpenAI(
        # The library insists on a key; endpoints without keys ignore it.
        api_key=options.api_key or "none",
        base_url=options.base_url,
        organization=options.organization or None,
        timeout=Timeout(seconds(options), connect=min(seconds(options), 10.0)),
        max_retries=options.max_retries,
        default_headers=options.headers,
    )


def _mapping(said: Any) -> Mapping[str, Any]:
    """What the library made of the endpoint's JSON, as it was: it checks no types itself."""
    made = said.to_dict(warnings=False) if hasattr(said, "to_dict") else said
    if not isinstance(made, Mapping):
        raise BrokenReplyError("it is no JSON object; is base_url right?")
    return made
