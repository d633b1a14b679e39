"""What plugin authors derive from: one class per kind, one coroutine per RPC, messages of the contract in and out.

The generic argument is the class of the options, a frozen dataclass or a pydantic model: `class Echo(LLM[Options])`.
Without it the plugin takes no options. Errors are raised (`hector_sdk.errors`); a response that has `success` needs it
true.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, get_args, get_origin

from hector_sdk.errors import Status
from hector_sdk.options import NoOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from typing_extensions import TypeVar

    from hector.plugin.v1 import database_pb2, embedder_pb2, llm_pb2, reasoning_pb2
    from hector_sdk.vectors import Embeddings, ListResponse, SearchRequest, SearchResponse, UpsertRequest

    OptionsT = TypeVar("OptionsT", default=NoOptions)
else:
    from typing import TypeVar

    OptionsT = TypeVar("OptionsT")


def unimplemented(rpc: str) -> Status:
    """What an optional RPC answers that a plugin leaves out: hosts fall back."""
    import grpc

    return Status(grpc.StatusCode.UNIMPLEMENTED, f"{rpc} is not implemented")


class Provider(ABC, Generic[OptionsT]):
    """One service of the contract, served by this process.

    Attributes:
        options: Validated. Set, as the next two, before `start`.
        data_dir: A directory that outlives the process. None when the plugin has none.
        name: The key under which the host's configuration lists the plugin.
    """

    kind: ClassVar[str]
    module: ClassVar[str]
    service: ClassVar[str]
    options_class: ClassVar[type] = NoOptions

    options: OptionsT
    data_dir: Path | None = None
    name: str = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take the options' class from the generic argument."""
        super().__init_subclass__(**kwargs)
        for base in cls.__dict__.get("__orig_bases__", ()):
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, Provider):
                cls.options_class = next((each for each in get_args(base) if isinstance(each, type)), cls.options_class)

    @classmethod
    def readers(cls) -> Mapping[str, Callable[[bytes], object]]:
        """By RPC name, what reads its requests instead of the contract's own message."""
        return {}

    async def start(self) -> None:
        """Get ready: load, connect, open. The process listens already; calls are let in when this has ended.

        Raise InvalidOptions for options that cannot be served, and Status(FAILED_PRECONDITION) for what is absent.
        What a failing or cancelled start has opened it closes itself.
        """

    async def stop(self) -> None:
        """Undo `start`, after the last call and before other options."""

    async def release(self) -> None:
        """Let go of what the SDK itself holds for this provider. Called after `stop`; not for plugins to override."""


class LLM(Provider[OptionsT]):
    """A language model. `stream_text` and `call_tool` carry the tools that the host offers in `request.input`."""

    kind = "llm_provider"
    module = "hector.plugin.v1.llm_pb2"
    service = "LLMProvider"

    @abstractmethod
    async def generate_text(self, request: llm_pb2.GenerateTextRequest) -> llm_pb2.GenerateTextResponse:
        """Answer at once."""

    async def stream_text(self, request: llm_pb2.StreamTextRequest) -> AsyncIterator[llm_pb2.StreamTextResponse]:
        """Answer in pieces, the last one with `done`. By default one piece, from the unary methods."""
        from hector.plugin.v1 import llm_pb2

        prompt, model, given = request.prompt, request.model, request.input
        answer: llm_pb2.CallToolResponse | llm_pb2.GenerateTextResponse
        if given.tools and type(self).call_tool is not LLM.call_tool:
            answer = await self.call_tool(llm_pb2.CallToolRequest(prompt=prompt, model=model, input=given))
        else:
            answer = await self.generate_text(llm_pb2.GenerateTextRequest(prompt=prompt, model=model, input=given))
        yield llm_pb2.StreamTextResponse(text=answer.text, done=True, usage=answer.usage, output=answer.output)

    async def call_tool(self, request: llm_pb2.CallToolRequest) -> llm_pb2.CallToolResponse:  # noqa: ARG002 - overridden
        """Answer with tool calls in `output.message`, or with text."""
        raise unimplemented("CallTool")

    async def list_models(self, request: llm_pb2.ListModelsRequest) -> llm_pb2.ListModelsResponse:  # noqa: ARG002 - same
        """Say which models there are; tools are offered only to those with `tool_calling`."""
        raise unimplemented("ListModels")


class Database(Provider[OptionsT]):
    """A vector database. Vectors come as arrays (`hector_sdk.vectors`), and may be answered so."""

    kind = "database_provider"
    module = "hector.plugin.v1.database_pb2"
    service = "DatabaseProvider"

    @classmethod
    def readers(cls) -> Mapping[str, Callable[[bytes], object]]:
        """What carries vectors is read without a list for each."""
        from hector_sdk.vectors import READERS

        return READERS

    @abstractmethod
    async def create_collection(
        self, request: database_pb2.CreateCollectionRequest
    ) -> database_pb2.CreateCollectionResponse:
        """Create; equal settings again are harmless, others ALREADY_EXISTS."""

    @abstractmethod
    async def delete_collection(
        self, request: database_pb2.DeleteCollectionRequest
    ) -> database_pb2.DeleteCollectionResponse:
        """Delete; one that is not there is harmless."""

    @abstractmethod
    async def upsert_vectors(self, request: UpsertRequest) -> database_pb2.UpsertVectorsResponse:
        """Insert or replace by id; answers once they are durable."""

    @abstractmethod
    async def search_vectors(self, request: SearchRequest) -> SearchResponse | database_pb2.SearchVectorsResponse:
        """Find the nearest, best first."""

    @abstractmethod
    async def delete_vectors(self, request: database_pb2.DeleteVectorsRequest) -> database_pb2.DeleteVectorsResponse:
        """Delete by exactly one of ids and filter."""

    async def list_collections(
        self,
        request: database_pb2.ListCollectionsRequest,  # noqa: ARG002 - overridden
    ) -> database_pb2.ListCollectionsResponse:
        """Say which collections there are."""
        raise unimplemented("ListCollections")

    async def list_vectors(
        self,
        request: database_pb2.ListVectorsRequest,  # noqa: ARG002 - overridden
    ) -> ListResponse | database_pb2.ListVectorsResponse:
        """Fetch by id, or page through what matches."""
        raise unimplemented("ListVectors")

    async def create_snapshot(
        self,
        request: database_pb2.CreateSnapshotRequest,  # noqa: ARG002 - overridden
    ) -> database_pb2.CreateSnapshotResponse:
        """Copy everything, as it is at one moment, into a folder."""
        raise unimplemented("CreateSnapshot")


class Embedder(Provider[OptionsT]):
    """Turns texts into vectors. They may be answered as an array (`hector_sdk.vectors`)."""

    kind = "embedder_provider"
    module = "hector.plugin.v1.embedder_pb2"
    service = "EmbedderProvider"

    @abstractmethod
    async def embed_batch(
        self, request: embedder_pb2.EmbedBatchRequest
    ) -> Embeddings | embedder_pb2.EmbedBatchResponse:
        """Embed texts, in order, all or none."""

    @abstractmethod
    async def get_dimensions(self, request: embedder_pb2.GetDimensionsRequest) -> embedder_pb2.GetDimensionsResponse:
        """Say how long the vectors are."""

    async def embed_text(self, request: embedder_pb2.EmbedTextRequest) -> Embeddings | embedder_pb2.EmbedTextResponse:
        """Embed one text. By default a batch of one."""
        from hector.plugin.v1 import embedder_pb2

        batch = await self.embed_batch(
            embedder_pb2.EmbedBatchRequest(
                texts=[request.text],
                model=request.model,
                input_type=request.input_type,
                dimension=request.dimension,
            )
        )
        if not isinstance(batch, embedder_pb2.EmbedBatchResponse):
            return batch
        if not batch.success:
            return embedder_pb2.EmbedTextResponse(error=batch.error)
        (only,) = batch.embeddings
        return embedder_pb2.EmbedTextResponse(
            success=True, vector=only.vector, tokens=only.tokens, truncated=only.truncated, model=batch.model
        )

    async def rerank(self, request: embedder_pb2.RerankRequest) -> embedder_pb2.RerankResponse:  # noqa: ARG002 - overridden
        """Score how well each text answers a query; by default not offered."""
        raise unimplemented("Rerank")


class Reasoning(Provider[OptionsT]):
    """A way of reasoning: a pure function of each request, which keeps nothing between calls."""

    kind = "reasoning_strategy"
    module = "hector.plugin.v1.reasoning_pb2"
    service = "ReasoningStrategy"

    @abstractmethod
    async def initialize(self, request: reasoning_pb2.InitializeRequest) -> reasoning_pb2.InitializeResponse:
        """Make the first state."""

    @abstractmethod
    async def process_iteration(
        self, request: reasoning_pb2.ProcessIterationRequest
    ) -> reasoning_pb2.ProcessIterationResponse:
        """Take outcomes, ask for effects, or be done."""

    @abstractmethod
    async def finalize(self, request: reasoning_pb2.FinalizeRequest) -> reasoning_pb2.FinalizeResponse:
        """Give the answer."""
