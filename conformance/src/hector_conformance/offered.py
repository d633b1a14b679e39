"""Which RPCs a plugin has: it is asked a small question by each, and UNIMPLEMENTED means that it has not.

The questions are such that no plugin does harm by answering them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grpc import StatusCode
from grpc.aio import AioRpcError

from hector.plugin.v1 import database_pb2 as database
from hector.plugin.v1 import embedder_pb2 as embedder
from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1 import plugin_pb2 as plugin
from hector.plugin.v1 import reasoning_pb2 as reasoning
from hector.plugin.v1 import tool_pb2 as tool
from hector.plugin.v1.message_pb2 import ROLE_USER, Message, Part

if TYPE_CHECKING:
    from google.protobuf.message import Message as Request
    from grpc.aio import Channel

    from hector_conformance.settings import Settings

NOBODY = "hector-conformance-nobody"
"""A name that no tool, collection or model has."""
PATIENCE = 10.0
"""Seconds for an answer. Who takes longer has the RPC."""


def questions(settings: Settings) -> dict[str, tuple[str, Request]]:
    """By RPC, its service and what is asked."""
    hello, model = "Hello.", settings.model
    said = [Message(role=ROLE_USER, parts=[Part(text=hello)])]
    asked = {
        "Plugin": (plugin.DescribeRequest(), plugin.ConfigureRequest()),
        "LLMProvider": (
            llm.GenerateTextRequest(prompt=hello, model=model),
            llm.StreamTextRequest(prompt=hello, model=model),
            llm.CallToolRequest(prompt=hello, model=model),
            llm.ListModelsRequest(),
        ),
        "EmbedderProvider": (
            embedder.EmbedTextRequest(text=hello, model=model),
            embedder.EmbedBatchRequest(texts=[hello], model=model),
            embedder.GetDimensionsRequest(model=model),
            embedder.RerankRequest(query=hello, texts=[hello]),
        ),
        "DatabaseProvider": (
            database.CreateCollectionRequest(),
            database.DeleteCollectionRequest(name=NOBODY),
            database.UpsertVectorsRequest(collection=NOBODY),
            database.SearchVectorsRequest(collection=NOBODY, vector=[1], limit=1),
            database.DeleteVectorsRequest(collection=NOBODY, ids=[NOBODY]),
            database.ListCollectionsRequest(),
            database.ListVectorsRequest(collection=NOBODY),
            database.CreateSnapshotRequest(),
        ),
        "ToolProvider": (
            tool.ListToolsRequest(),
            tool.ExecuteToolRequest(tool=NOBODY),
            tool.GetToolSchemaRequest(tool=NOBODY),
        ),
        "ReasoningStrategy": (
            reasoning.InitializeRequest(max_iterations=1, messages=said),
            reasoning.ProcessIterationRequest(iteration=1),
            reasoning.FinalizeRequest(),
        ),
    }
    return {
        type(request).__name__.removesuffix("Request"): (service, request)
        for service, requests in asked.items()
        for request in requests
    }


async def offers(channel: Channel, rpc: str, settings: Settings) -> bool:
    """Whether a plugin has an RPC of the contract, by its name alone."""
    service, request = questions(settings)[rpc]
    method = f"/hector.plugin.v1.{service}/{rpc}"
    options: dict[str, Any] = {"request_serializer": type(request).SerializeToString}
    try:
        if rpc == "StreamText":
            call = channel.unary_stream(method, **options)(request, timeout=PATIENCE)
            async for _ in call:
                break
            call.cancel()
        else:
            await channel.unary_unary(method, **options)(request, timeout=PATIENCE)
    except AioRpcError as error:
        return error.code() is not StatusCode.UNIMPLEMENTED
    return True
