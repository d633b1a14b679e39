"""Language models: chooses the RPC, fills the prompt that bare plugins read, and joins a stream into one message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from hector.plugin.v1.llm_pb2 import (
    FINISH_REASON_STOP,
    FINISH_REASON_TOOL_CALLS,
    FINISH_REASON_UNSPECIFIED,
    CallToolRequest,
    GenerateTextRequest,
    ListModelsRequest,
    Model,
    ModelInput,
    Sampling,
    StreamTextRequest,
)
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_USER, Message
from hector_host.errors import CallError
from hector_host.providers.prompt import text_of, transcript
from hector_host.providers.rpc import Rpc

if TYPE_CHECKING:
    from collections.abc import Callable

    from hector.plugin.v1.llm_pb2 import (
        CallToolResponse,
        FinishReason,
        GenerateTextResponse,
        ListModelsResponse,
        ModelOutput,
        StreamTextResponse,
        TokenUsage,
    )
    from hector_host.config import LLMConfig
    from hector_host.manager import Manager, Plugin
    from hector_host.providers.call import Call

    Response = GenerateTextResponse | CallToolResponse | StreamTextResponse


SILENT = frozenset({None, "text", "reasoning", "native"})
"""Kinds of parts that are no answer by themselves; a text is one unless it is empty."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What a model answered: the message has text, tool calls or both."""

    message: Message
    usage: TokenUsage
    finish_reason: FinishReason
    model: str


class LLMProvider:
    """One entry of `llms:`."""

    def __init__(self, name: str, config: LLMConfig, manager: Manager) -> None:
        self.name = name
        self._config = config
        self._rpc: Rpc[LLMProviderStub] = Rpc(f"llm/{name}", config.plugin, manager, LLMProviderStub)
        self._models: tuple[Plugin, dict[str, Model]] | None = None
        self._unary_only: Plugin | None = None
        self._sampling = Sampling(
            temperature=config.temperature,
            max_tokens=config.max_tokens,
            top_p=config.top_p,
            stop=config.stop,
            seed=config.seed,
            reasoning_effort=config.reasoning_effort or "",
        )

    async def model(self, call: Call) -> Model:
        """What the configured model can do; where the plugin does not tell, nothing may be relied on.

        Raises:
            CallError: The plugin does not list its models for another reason than having no list.
        """
        plugin = await self._rpc.plugin(call)
        if self._models is None or self._models[0] is not plugin:
            self._models = (plugin, await self._list_models(call))
        models = self._models[1]
        if not self._config.model and len(models) == 1:
            return next(iter(models.values()))
        return models.get(self._config.model) or Model(id=self._config.model)

    async def _list_models(self, call: Call) -> dict[str, Model]:
        try:
            response: ListModelsResponse = await self._rpc.unary("ListModels", ListModelsRequest(), call)
        except CallError as error:
            if error.code is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            return {}
        return {model.id: model for model in response.models}

    async def generate(
        self, question: ModelInput, call: Call, on_piece: Callable[[StreamTextResponse], None] | None = None
    ) -> Generation:
        """Asks the model once.

        Args:
            question: Every message whole; tools only for a model that calls them. What its `sampling` leaves unset
                comes from the configuration.
            on_piece: Told of each piece as it comes; without it nothing is streamed.

        Raises:
            CallError: The plugin failed, or answered with nothing.
        """
        plugin = await self._rpc.plugin(call)
        self._complete(question)
        prompt = _prompt(question, bare=not plugin.serves_plugin)
        if on_piece is not None and self._unary_only is not plugin:
            try:
                return await self._stream(plugin, prompt, question, call, on_piece)
            except CallError as error:
                if error.code is not grpc.StatusCode.UNIMPLEMENTED:
                    raise
                self._unary_only = plugin
        request: CallToolRequest | GenerateTextRequest
        if question.tools:
            method, request = "CallTool", CallToolRequest(prompt=prompt, model=self._config.model, input=question)
        else:
            method, request = (
                "GenerateText",
                GenerateTextRequest(prompt=prompt, model=self._config.model, input=question),
            )
        response = await self._rpc.unary(method, request, call, step="generate")
        return self._generation(plugin, method, response.text, response)

    async def _stream(
        self,
        plugin: Plugin,
        prompt: str,
        question: ModelInput,
        call: Call,
        on_piece: Callable[[StreamTextResponse], None],
    ) -> Generation:
        request = StreamTextRequest(prompt=prompt, model=self._config.model, input=question)
        pieces: list[StreamTextResponse] = []

        def take(piece: StreamTextResponse) -> None:
            pieces.append(piece)
            on_piece(piece)

        if not await self._rpc.stream("StreamText", request, call, take, step="generate"):
            told = "before it was done" if pieces else "without an answer"
            raise CallError(
                f"{plugin.label}: StreamText ended {told}",
                "A stream of this plugin has to close with a message whose done is true.",
                detail=f"the stream ended {told}",
            )
        return self._generation(plugin, "StreamText", "".join([piece.text for piece in pieces]), pieces[-1])

    def _complete(self, question: ModelInput) -> None:
        """Fills in what the configuration says of the model; what the strategy said wins."""
        if self._sampling.ByteSize():
            sampling = Sampling()
            sampling.CopyFrom(self._sampling)
            if question.sampling.stop:
                del sampling.stop[:]
            sampling.MergeFrom(question.sampling)
            question.sampling.CopyFrom(sampling)
        if self._config.config and not question.HasField("options"):
            question.options.update(self._config.config)

    def _generation(self, plugin: Plugin, method: str, text: str, response: Response) -> Generation:
        output: ModelOutput = response.output
        message = Message(role=ROLE_ASSISTANT, parts=output.message.parts)
        if not message.parts and text:
            message.parts.add(text=text)
        kinds = {part.WhichOneof("part") for part in message.parts}
        calls = "tool_call" in kinds
        ended_well = output.finish_reason in (FINISH_REASON_UNSPECIFIED, FINISH_REASON_STOP)
        if ended_well and not (kinds - SILENT or text_of(message)):
            raise CallError(
                f"{plugin.label}: {method} answered with nothing: no text and no tool call",
                f"Look into its log: {plugin.log_file}",
                detail="the model answered with nothing",
            )
        reason = output.finish_reason or (FINISH_REASON_TOOL_CALLS if calls else FINISH_REASON_STOP)
        model = output.model or self._config.model
        return Generation(message, response.usage, reason, f"{self.name}/{model}" if model else self.name)


def _prompt(question: ModelInput, *, bare: bool) -> str:
    """The `prompt` field: all that a bare plugin reads, a convenience to the others."""
    if bare:
        return transcript(question.messages)
    asked = [message for message in question.messages if message.role == ROLE_USER]
    return text_of(asked[-1]) if asked else ""
