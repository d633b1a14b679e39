"""The RPCs, and the process."""

import asyncio
import os
import sys

import grpc
import pytest

from hector.plugin.v1.llm_pb2 import (
    CallToolRequest,
    GenerateTextRequest,
    ListModelsRequest,
    StreamTextRequest,
    StreamTextResponse,
)
from hector.plugin.v1.plugin_pb2 import DescribeRequest
from hector_echo_llm.plugin import EchoLLM
from hector_sdk.testing import Stubs, running


async def streamed(stubs, **request):
    return [message async for message in stubs.llm.StreamText(StreamTextRequest(**request))]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("one  two\nthree ", ["one  ", "two\n", "three "]),
        (" \tlead", [" \t", "lead"]),
        ("\u00a0no break", ["\u00a0no ", "break"]),
        ("", []),
    ],
)
async def test_the_text_is_streamed_word_by_word(text, pieces):
    async with running(EchoLLM(), config={}) as stubs:
        *texts, last = await streamed(stubs, prompt=text)
        whole = await stubs.llm.GenerateText(GenerateTextRequest(prompt=text))
    assert texts == [StreamTextResponse(text=piece) for piece in pieces]
    assert last == StreamTextResponse(done=True, usage=whole.usage, output=whole.output)


async def test_all_three_ways_of_asking_answer_alike(says):
    asked = says.asked(says.user("q"), tools=("search",))
    async with running(EchoLLM(), config={}) as stubs:
        generated = await stubs.llm.GenerateText(GenerateTextRequest(model="reader", input=asked))
        called = await stubs.llm.CallTool(CallToolRequest(model="reader", input=asked))
        (only,) = await streamed(stubs, model="reader", input=asked)
    assert (called.text, called.usage, called.output) == (generated.text, generated.usage, generated.output)
    assert (only.output, only.usage) == (generated.output, generated.usage)


@pytest.mark.parametrize("code", ["INTERNAL", "UNAVAILABLE"])
async def test_a_reply_fails_after_its_text(code):
    reply = {"text": "so far", "error": "the wire broke"} | ({} if code == "INTERNAL" else {"code": code})
    async with running(EchoLLM(), config={"replies": [reply]}) as stubs:
        stream = stubs.llm.StreamText(StreamTextRequest(model="script"))
        assert [(await stream.read()).text, (await stream.read()).text] == ["so ", "far"]
        for call in (stream.read(), stubs.llm.GenerateText(GenerateTextRequest(model="script"))):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await call
            assert (error.value.code().name, error.value.details()) == (code, "the wire broke")


async def test_a_reply_waits():
    async with running(EchoLLM(), config={"replies": [{"text": "late", "delay": 60}]}) as stubs:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stubs.llm.GenerateText(GenerateTextRequest(model="script"), timeout=0.2)
    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_models_that_are_not_there():
    async with running(EchoLLM(), config={}) as stubs:
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await stubs.llm.GenerateText(GenerateTextRequest(model="gpt"))
        with pytest.raises(grpc.aio.AioRpcError) as speechless:
            await stubs.llm.GenerateText(GenerateTextRequest(model="script"))
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
    assert unknown.value.details() == 'no model "gpt": there are echo, reader, script'
    assert speechless.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert speechless.value.details() == 'the model "script" has no replies: list them in the option "replies"'


@pytest.mark.parametrize("calling", [True, False])
async def test_the_models_are_listed(calling):
    async with running(EchoLLM(), config={"tool_calling": calling}) as stubs:
        listed = (await stubs.llm.ListModels(ListModelsRequest())).models
    assert {model.id: model.tool_calling for model in listed} == {"echo": False, "reader": True, "script": calling}


async def test_bad_replies_are_named():
    replies = [{"text": "a"}, {"tool_calls": [{"arguments": {}}], "finish": "soon"}]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async with running(EchoLLM(), config={"replies": replies}):
            pass
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == (
        "replies[1].tool_calls[0].tool: is required; "
        "replies[1].finish: input should be 'stop', 'length', 'tool_calls', 'content_filter', 'refusal', "
        "'context_overflow' or 'other'"
    )


async def test_the_process_shakes_hands_and_describes_itself():
    environ = {**os.environ, "HECTOR_PLUGIN": "hector_plugin_v1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hector_echo_llm", env=environ, stdout=asyncio.subprocess.PIPE
    )
    try:
        line = (await process.stdout.readline()).decode()
        async with grpc.aio.insecure_channel(f"unix:{line.split('|')[3]}") as channel:
            described = await Stubs(channel).plugin.Describe(DescribeRequest())
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0
    assert (described.name, described.version) == ("echo-llm", "0.1.0")
    assert described.description == "Three language models that need no network, to try Hector and to test agents."
    assert list(described.services) == ["hector.plugin.v1.LLMProvider"]
    assert sorted(described.config_schema["properties"]) == ["replies", "tool_calling"]
