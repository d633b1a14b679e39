"""From coroutines to RPCs: errors, metadata, streams, defaults and generated servicers."""

import asyncio

import grpc
import pytest

from hector.plugin.v1 import database_pb2, embedder_pb2, llm_pb2, reasoning_pb2
from hector.plugin.v1.llm_pb2_grpc import LLMProviderServicer
from hector.plugin.v1.plugin_pb2 import ConfigureRequest, DescribeRequest
from hector.plugin.v1.tool_pb2 import Tool
from hector_sdk import LLM, Call, Database, Embedder, Failure, Reasoning, Status, current_call, serve
from hector_sdk.testing import running


class Moody(LLM):
    """Does what the prompt says."""

    def __init__(self):
        self.cancelled = asyncio.Event()

    async def generate_text(self, request):
        match request.prompt:
            case "fail":
                raise Failure("not that")
            case "status":
                raise Status(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down")
            case "bug":
                raise ZeroDivisionError("the secret is 42")
            case "call":
                return llm_pb2.GenerateTextResponse(text=repr(current_call()))
            case "large":
                return llm_pb2.GenerateTextResponse(text="x" * (5 << 20))
            case _:
                usage = llm_pb2.TokenUsage(total_tokens=1)
                output = llm_pb2.ModelOutput(model="m")
                return llm_pb2.GenerateTextResponse(text="fine", usage=usage, output=output)


class Streaming(Moody):
    async def stream_text(self, request):
        yield llm_pb2.StreamTextResponse(text=current_call().run)
        if request.prompt == "wait":
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
        await self.generate_text(request)

    async def call_tool(self, request):
        return llm_pb2.CallToolResponse(text="called")


class Refusing(Database):
    async def create_collection(self, request):
        raise Failure("too many")

    async def _no(self, request):
        raise NotImplementedError

    delete_collection = upsert_vectors = search_vectors = delete_vectors = _no


class Fixed(Embedder):
    async def embed_batch(self, request):
        if not all(request.texts):
            return embedder_pb2.EmbedBatchResponse(error="an empty text")
        vectors = [embedder_pb2.Embedding(vector=[len(text), request.dimension], tokens=3) for text in request.texts]
        return embedder_pb2.EmbedBatchResponse(success=True, embeddings=vectors, model=request.model)

    async def get_dimensions(self, request):
        return embedder_pb2.GetDimensionsResponse(dimension=2)


class Done(Reasoning):
    async def initialize(self, request):
        return reasoning_pb2.InitializeResponse(success=True, state_version=7)

    async def process_iteration(self, request):
        raise Failure("cannot read that state")

    async def finalize(self, request):
        return reasoning_pb2.FinalizeResponse(success=True, result="done")


class Raw(LLMProviderServicer):
    async def GenerateText(self, request, context):  # noqa: N802 - the contract's name
        return llm_pb2.GenerateTextResponse(text="raw")


class SyncRaw(LLMProviderServicer):
    def GenerateText(self, request, context):  # noqa: N802 - the contract's name
        return llm_pb2.GenerateTextResponse(text="sync")


async def refused(call):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code(), error.value.details()


@pytest.mark.parametrize(
    ("prompt", "code", "words"),
    [
        ("fail", grpc.StatusCode.FAILED_PRECONDITION, "not that"),
        ("status", grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down"),
        ("bug", grpc.StatusCode.INTERNAL, "ZeroDivisionError"),
    ],
)
async def test_errors_become_statuses(prompt, code, words, caplog):
    async with running(Streaming(), config={}) as stubs:
        assert await refused(stubs.llm.GenerateText(llm_pb2.GenerateTextRequest(prompt=prompt))) == (code, words)
        stream = stubs.llm.StreamText(llm_pb2.StreamTextRequest(prompt=prompt))
        assert (await stream.read()).text == ""
        assert await refused(stream.read()) == (code, words)
    assert ("the secret is 42" in caplog.text) is (prompt == "bug")


async def test_a_failure_is_success_false_where_there_is_success():
    async with running(Refusing(), config={}) as stubs:
        answer = await stubs.database.CreateCollection(database_pb2.CreateCollectionRequest())
        assert answer == database_pb2.CreateCollectionResponse(success=False, error="too many")
        code, words = await refused(stubs.database.ListCollections(database_pb2.ListCollectionsRequest()))
        assert (code, words) == (grpc.StatusCode.UNIMPLEMENTED, "ListCollections is not implemented")


async def test_the_metadata_is_the_current_call():
    metadata = (("hector-run", "r1"), ("hector-user", "ann"), ("hector-credential-mail", "s3cret"), ("x-bin", b"\0"))
    async with running(Streaming(), config={}) as stubs:
        said = await stubs.llm.GenerateText(llm_pb2.GenerateTextRequest(prompt="call"), metadata=metadata)
        assert said.text == repr(Call(run="r1", user="ann"))
        (only,) = [each async for each in stubs.llm.StreamText(llm_pb2.StreamTextRequest(), metadata=metadata)]
        assert only.text == "r1"
    assert current_call() == Call()


def test_a_call_keeps_credentials_apart_and_out_of_logs():
    call = Call.of([("hector-credential-mail", "s3cret"), ("traceparent", "00-1")])
    assert call.credentials == {"mail": "s3cret"}
    assert call.metadata["traceparent"] == "00-1"
    assert "s3cret" not in repr(call)


async def test_a_cancelled_call_cancels_the_handler():
    provider = Streaming()
    async with running(provider, config={}) as stubs:
        stream = stubs.llm.StreamText(llm_pb2.StreamTextRequest(prompt="wait"))
        await stream.read()
        stream.cancel()
        await asyncio.wait_for(provider.cancelled.wait(), 10)


async def test_streaming_by_default_is_one_piece():
    request = llm_pb2.StreamTextRequest(prompt="x")
    with_tools = llm_pb2.StreamTextRequest(prompt="x", input=llm_pb2.ModelInput(tools=[Tool(name="t")]))
    async with running(Moody(), config={}) as stubs:
        for asked in (request, with_tools):
            (only,) = [message async for message in stubs.llm.StreamText(asked)]
            assert (only.text, only.done, only.usage.total_tokens, only.output.model) == ("fine", True, 1, "m")
        for call in (stubs.llm.CallTool(llm_pb2.CallToolRequest()), stubs.llm.ListModels(llm_pb2.ListModelsRequest())):
            assert (await refused(call))[0] is grpc.StatusCode.UNIMPLEMENTED


async def test_streaming_by_default_calls_tools_where_they_are_offered():
    class Calling(Moody):
        call_tool = Streaming.call_tool

    with_tools = llm_pb2.StreamTextRequest(input=llm_pb2.ModelInput(tools=[Tool(name="t")]))
    async with running(Calling(), config={}) as stubs:
        (only,) = [message async for message in stubs.llm.StreamText(with_tools)]
    assert (only.text, only.done) == ("called", True)


async def test_one_text_is_a_batch_of_one():
    async with running(Fixed(), config={}) as stubs:
        answer = await stubs.embedder.EmbedText(embedder_pb2.EmbedTextRequest(text="abc", model="m", dimension=2))
        assert answer == embedder_pb2.EmbedTextResponse(success=True, vector=[3, 2], tokens=3, model="m")
        empty = await stubs.embedder.EmbedText(embedder_pb2.EmbedTextRequest())
        assert empty == embedder_pb2.EmbedTextResponse(success=False, error="an empty text")


async def test_a_strategy_is_served():
    async with running(Done(), config={}) as stubs:
        assert (await stubs.reasoning.Initialize(reasoning_pb2.InitializeRequest())).state_version == 7
        answer = await stubs.reasoning.ProcessIteration(reasoning_pb2.ProcessIterationRequest())
        assert (answer.success, answer.error) == (False, "cannot read that state")
        assert (await stubs.reasoning.Finalize(reasoning_pb2.FinalizeRequest())).result == "done"


async def test_several_kinds_in_one_process():
    async with running(Moody(), Fixed(), config={}) as stubs:
        described = await stubs.plugin.Describe(DescribeRequest())
        assert list(described.services) == ["hector.plugin.v1.LLMProvider", "hector.plugin.v1.EmbedderProvider"]
        assert (await stubs.llm.GenerateText(llm_pb2.GenerateTextRequest())).text == "fine"
        assert (await stubs.embedder.GetDimensions(embedder_pb2.GetDimensionsRequest())).dimension == 2


@pytest.mark.parametrize(("servicer", "text"), [(Raw(), "raw"), (SyncRaw(), "sync")])
async def test_a_generated_servicer_is_served_as_it_is(servicer, text):
    async with running(servicer) as stubs:
        described = await stubs.plugin.Describe(DescribeRequest())
        assert list(described.services) == ["hector.plugin.v1.LLMProvider"]
        assert not described.HasField("config_schema")
        assert (await stubs.llm.GenerateText(llm_pb2.GenerateTextRequest())).text == text
        code, _ = await refused(stubs.llm.ListModels(llm_pb2.ListModelsRequest()))
        assert code is grpc.StatusCode.UNIMPLEMENTED
        await stubs.plugin.Configure(ConfigureRequest(config={"its": "own"}))


async def test_messages_larger_than_grpcs_own_limit():
    async with running(Moody(), config={}) as stubs:
        answer = await stubs.llm.GenerateText(llm_pb2.GenerateTextRequest(prompt="large", model="x" * (5 << 20)))
    assert len(answer.text) == 5 << 20


async def test_something_else_cannot_be_served():
    with pytest.raises(TypeError) as error:
        async with running(object()):
            pass
    assert str(error.value) == "object is neither a provider of hector_sdk nor a generated servicer"
    assert callable(serve)
