"""What the host asks reaches the endpoint, and what the endpoint says reaches the host."""

from __future__ import annotations

import asyncio

import pytest

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_TOOL, ROLE_USER, Message, Part, ToolCall, ToolResult
from hector.plugin.v1.tool_pb2 import Tool

USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 7,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 16},
    "completion_tokens_details": {"reasoning_tokens": 5},
}
TOKENS = llm.TokenUsage(prompt_tokens=20, completion_tokens=7, total_tokens=27, cached_tokens=16, reasoning_tokens=5)


async def test_a_bare_prompt_is_a_users_message(endpoint, plugin, completion):
    endpoint.json(completion({"content": "Hello."}, usage=USAGE))
    async with plugin() as model:
        answer = await model.GenerateText(llm.GenerateTextRequest(prompt="Hi", model="big"))
    assert endpoint.asked[0].line == "POST /v1/chat/completions HTTP/1.1"
    assert endpoint.asked[0].body == {
        "model": "big",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
    }
    assert answer == llm.GenerateTextResponse(
        text="Hello.",
        usage=TOKENS,
        output=llm.ModelOutput(
            message=Message(role=ROLE_ASSISTANT, parts=[Part(text="Hello.")]),
            finish_reason=llm.FINISH_REASON_STOP,
            model="m-1",
        ),
    )


async def test_the_options_reach_the_endpoint(endpoint, plugin, completion):
    endpoint.json(completion({"content": "Hello."}))
    async with plugin(organization="org", headers={"X-Team": "red"}) as model:
        await model.GenerateText(llm.GenerateTextRequest(prompt="Hi"))
    headers = endpoint.asked[0].headers
    assert headers["authorization"] == "Bearer sk-very-secret"
    assert (headers["openai-organization"], headers["x-team"]) == ("org", "red")
    assert endpoint.asked[0].body["model"] == "m"


async def stream(model, request):
    return [message async for message in model.StreamText(request)]


async def test_a_stream_arrives_piece_by_piece(endpoint, plugin, chunk):
    endpoint.sse(
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "Hm."}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo."}),
        chunk({}, "stop"),
        chunk(usage=USAGE),
    )
    async with plugin() as model:
        messages = await stream(model, llm.StreamTextRequest(prompt="Hi"))
    assert endpoint.asked[0].body["stream_options"] == {"include_usage": True}
    assert messages == [
        llm.StreamTextResponse(reasoning="Hm."),
        llm.StreamTextResponse(text="Hel"),
        llm.StreamTextResponse(text="lo."),
        llm.StreamTextResponse(
            done=True,
            usage=TOKENS,
            output=llm.ModelOutput(
                message=Message(role=ROLE_ASSISTANT, parts=[Part(reasoning="Hm."), Part(text="Hello.")]),
                finish_reason=llm.FINISH_REASON_STOP,
                model="m-1",
            ),
        ),
    ]


async def test_the_first_piece_comes_before_the_last_is_there(endpoint, plugin, chunk, stream_head, stream_body):
    go_on = asyncio.Event()

    async def answer(writer):
        body = stream_body(chunk({"content": "one"}), chunk({"content": "two"}, "stop"))
        writer.write(stream_head() + body[:200])
        await writer.drain()
        await go_on.wait()
        writer.write(body[200:])

    endpoint.answers.append(answer)
    async with plugin() as model:
        pieces = model.StreamText(llm.StreamTextRequest(prompt="Hi"))
        assert (await pieces.read()).text == "one"
        go_on.set()
        assert (await pieces.read()).text == "two"
        assert (await pieces.read()).done


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r", "\n: a comment\n\n", "\nevent: ignored\nid: 7\n\n"])
async def test_every_form_of_an_event_is_read(endpoint, plugin, chunk, end):
    endpoint.sse(chunk({"content": "one "}), chunk({"content": "two"}, "stop"), end=end)
    async with plugin() as model:
        messages = await stream(model, llm.StreamTextRequest(prompt="Hi"))
    assert [message.text for message in messages] == ["one ", "two", ""]
    assert messages[-1].done
    assert not messages[-1].HasField("usage")


async def test_characters_that_are_split_between_packets_stay_whole(endpoint, plugin, chunk, stream_head, stream_body):
    body = stream_body(chunk({"content": "äöü 日本 👩‍👧"}), chunk({}, "stop"))
    endpoint.raw(stream_head(), *(bytes([byte]) for byte in body))
    async with plugin() as model:
        messages = await stream(model, llm.StreamTextRequest(prompt="Hi"))
    assert [message.text for message in messages] == ["äöü 日本 👩‍👧", ""]


def search_request(kind=llm.CallToolRequest, **more):
    tool = Tool(name="search", description="Finds.")
    tool.parameters.update({"type": "object", "properties": {"limit": {"type": "integer", "minimum": 1}}})
    asked = llm.ModelInput(messages=[Message(role=ROLE_USER, parts=[Part(text="Find")])], tools=[tool], **more)
    return kind(prompt="Find", input=asked)


CALLS = [
    {"id": "a", "type": "function", "function": {"name": "search", "arguments": '{"limit": 1}'}},
    {"id": "b", "type": "function", "function": {"name": "search", "arguments": '{"limit"'}},
]


async def test_tools_are_offered_and_called(endpoint, plugin, completion):
    endpoint.json(completion({"content": None, "tool_calls": CALLS}, "tool_calls"))
    async with plugin() as model:
        answer = await model.CallTool(search_request(tool_choice=llm.TOOL_CHOICE_REQUIRED))
    assert endpoint.asked[0].body["tool_choice"] == "required"
    assert endpoint.asked[0].body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "search",
                "description": "Finds.",
                "parameters": {"type": "object", "properties": {"limit": {"type": "integer", "minimum": 1}}},
            },
        }
    ]
    assert answer.text == ""
    assert answer.output.finish_reason == llm.FINISH_REASON_TOOL_CALLS
    assert [part.tool_call for part in answer.output.message.parts] == [
        ToolCall(id="a", tool="search", arguments='{"limit": 1}'),
        ToolCall(id="b", tool="search", arguments='{"limit"'),
    ]


async def test_a_stream_carries_tool_calls_of_any_size(endpoint, plugin, chunk):
    large = '{"text": "' + "x" * 3_000_000 + '"}'
    pieces = [large[start : start + 50_000] for start in range(0, len(large), 50_000)]
    endpoint.sse(
        chunk({"content": "I search."}),
        chunk({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "search"}}]}),
        *(chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in pieces),
        chunk({"tool_calls": [{"index": 1, "id": "b", "function": {"name": "other", "arguments": ""}}]}),
        chunk({}, "tool_calls"),
    )
    async with plugin() as model:
        *_, last = await stream(model, search_request(llm.StreamTextRequest))
    text, first, second = last.output.message.parts
    assert text.text == "I search."
    assert first.tool_call == ToolCall(id="a", tool="search", arguments=large)
    assert second.tool_call == ToolCall(id="b", tool="other")


async def test_what_only_the_endpoint_understands_comes_back_to_it(endpoint, plugin, completion):
    call = {"id": "a", "type": "function", "function": {"name": "search", "arguments": "{}"}}
    kept = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    details = [{"type": "reasoning.encrypted", "data": "abc"}]
    endpoint.json(completion({"tool_calls": [call | kept], "reasoning_details": details}, "tool_calls"))
    request = search_request()
    async with plugin() as model:
        answer = await model.CallTool(request)
        result = Message(
            role=ROLE_TOOL, parts=[Part(tool_result=ToolResult(call_id="a", tool="search", parts=[Part(text="It.")]))]
        )
        request.input.messages.extend([answer.output.message, result])
        await model.CallTool(request)
    assert endpoint.asked[1].body["messages"] == [
        {"role": "user", "content": "Find"},
        {"role": "assistant", "content": None, "reasoning_details": details, "tool_calls": [call | kept]},
        {"role": "tool", "tool_call_id": "a", "content": "It."},
    ]


async def test_the_models_are_those_of_the_endpoint_and_the_options(endpoint, plugin):
    endpoint.json({"object": "list", "data": [{"id": "one", "object": "model"}, {"id": "m", "object": "model"}]})
    async with plugin(input_media=["image/*"]) as model:
        listed = await model.ListModels(llm.ListModelsRequest())
    assert endpoint.asked[0].line == "GET /v1/models HTTP/1.1"
    able = {"tool_calling": True, "response_schema": True, "input_media": ["image/*"]}
    assert list(listed.models) == [llm.Model(id="m", **able), llm.Model(id="one", **able)]


async def test_an_endpoint_without_a_list_has_the_model_of_the_options(endpoint, plugin):
    endpoint.json({"error": {"message": "no such page"}}, 404)
    async with plugin(tool_calling=False) as model:
        listed = await model.ListModels(llm.ListModelsRequest())
    assert list(listed.models) == [llm.Model(id="m", response_schema=True)]


@pytest.mark.parametrize("streamed", [False, True])
async def test_cancelling_closes_the_connection(endpoint, plugin, chunk, broken_off, streamed):
    asked = asyncio.Event()

    async def answer(writer):
        writer.write(broken_off(chunk({"content": "one"})))
        await writer.drain()
        asked.set()
        while True:
            writer.write(b": still here\n")
            await writer.drain()
            await asyncio.sleep(0)

    endpoint.answers.append(answer)
    async with plugin() as model:
        if streamed:
            call = model.StreamText(llm.StreamTextRequest(prompt="Hi"))
            assert (await call.read()).text == "one"
        else:
            call = model.GenerateText(llm.GenerateTextRequest(prompt="Hi"))
        await asyncio.wait_for(asked.wait(), 10)
        call.cancel()
        await asyncio.wait_for(endpoint.gone.wait(), 10)
