"""Plugins that implement less than the contract has are asked in the way that they understand."""

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from hector.plugin.v1.llm_pb2 import ModelInput
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_SYSTEM, ROLE_USER, Message, Part
from hector.plugin.v1.tool_pb2 import Tool
from hector_host.errors import CallError
from hector_host.providers.packed import components
from hector_host.providers.tool import object_schema

MISSING = ["UNIMPLEMENTED", "not here"]


def said(role, text):
    return Message(role=role, parts=[Part(text=text)])


def question(*messages, **more):
    return ModelInput(messages=messages or [said(ROLE_USER, "Hello")], **more)


CONVERSATION = (
    said(ROLE_SYSTEM, "Be kind"),
    said(ROLE_USER, "Hello"),
    said(ROLE_ASSISTANT, "Hi"),
    said(ROLE_USER, "And?"),
)


async def test_a_plugin_of_the_contract_gets_the_last_question_and_a_bare_one_the_conversation(providing):
    async with providing() as providers:
        generation = await providers.registry.llm("m").generate(question(*CONVERSATION), providers.call)
        assert generation.message.parts[0].text == "And?"
    async with providing(bare=True) as providers:
        generation = await providers.registry.llm("m").generate(question(*CONVERSATION), providers.call)
        assert generation.message.parts[0].text == "System: Be kind\n\nUser: Hello\n\nAssistant: Hi\n\nUser: And?"
        generation = await providers.registry.llm("m").generate(question(), providers.call)
        assert generation.message.parts[0].text == "Hello"


@pytest.mark.parametrize(("tools", "twin"), [([], "GenerateText"), ([Tool(name="t")], "CallTool")])
async def test_a_model_that_does_not_stream_is_asked_at_once(providing, tools, twin):
    async with providing(fail={"StreamText": [MISSING]}) as providers:
        pieces = []
        generation = await providers.registry.llm("m").generate(question(tools=tools), providers.call, pieces.append)
        assert generation.message.parts[0].text == "Hello"
        assert pieces == []
        assert providers.rpcs == ["StreamText", twin]


async def test_a_stream_is_one_message(providing):
    async with providing(stream=["a ", "b ", "c"]) as providers:
        pieces = []
        generation = await providers.registry.llm("m").generate(question(), providers.call, pieces.append)
        assert [piece.text for piece in pieces] == ["a ", "b ", "c", ""]
        assert generation.message == said(ROLE_ASSISTANT, "a b c")
        assert generation.model == "m"


async def test_a_gap_in_a_stream_is_bounded_and_the_whole_of_it_is_not(providing):
    async with providing(stream=["a ", "b ", "c"], pause=3600, timeout="300ms") as providers:
        pieces = []
        with pytest.raises(CallError) as caught:
            await providers.registry.llm("m").generate(question(), providers.call, pieces.append)
        assert str(caught.value).splitlines()[0] == "llm_provider/p: StreamText did not answer within 0.3 s"
        assert [piece.text for piece in pieces] == ["a ", "b "]


async def test_what_the_configuration_says_of_a_model_goes_along_and_the_question_wins(providing):
    llm = {"model": "m", "temperature": 0.5, "max_tokens": 9, "stop": ["END"], "config": {"mood": "calm"}}
    async with providing(llm=llm) as providers:
        asked = question()
        asked.sampling.max_tokens = 3
        await providers.registry.llm("m").generate(asked, providers.call)
        ((_, request),) = providers.asked
        assert request["model"] == "m"
        assert request["input"]["sampling"] == {"temperature": 0.5, "max_tokens": 3, "stop": ["END"]}
        assert request["input"]["options"] == {"mood": "calm"}


async def test_a_model_of_a_plugin_that_lists_none_can_do_nothing_special(providing):
    async with providing(llm={"model": "x"}, fail={"ListModels": [MISSING]}) as providers:
        model = await providers.registry.llm("m").model(providers.call)
        assert (model.id, model.tool_calling) == ("x", False)
        await providers.registry.llm("m").model(providers.call)
        assert providers.rpcs == ["ListModels"]  # asked once


async def test_the_only_model_is_the_default(providing):
    async with providing() as providers:
        assert (await providers.registry.llm("m").model(providers.call)).id == "m"


async def test_an_embedder_without_batches_gets_one_text_at_a_time(providing):
    async with providing("embedder_providers", fail={"EmbedBatch": [MISSING]}) as providers:
        assert (
            await providers.registry.embedder("e").embed(["a", "b"], call=providers.call) == [components([1, 0, 0])] * 2
        )
        assert providers.rpcs == ["EmbedBatch", "EmbedText", "EmbedText"]
        assert [request.get("input_type") for _, request in providers.asked] == ["INPUT_TYPE_DOCUMENT"] * 3


async def test_an_embedder_with_batches_alone_gets_batches_of_one(providing):
    async with providing("embedder_providers", fail={"EmbedText": [MISSING]}) as providers:
        for _ in range(2):
            assert await providers.registry.embedder("e").embed(["a"], call=providers.call) == [components([1, 0, 0])]
        assert providers.rpcs == ["EmbedText", "EmbedBatch", "EmbedBatch"]


async def test_an_embedder_with_neither_is_named(providing):
    async with providing("embedder_providers", fail={"EmbedText": [MISSING], "EmbedBatch": [MISSING]}) as providers:
        with pytest.raises(CallError) as caught:
            await providers.registry.embedder("e").embed(["a"], call=providers.call)
    assert caught.value.code is grpc.StatusCode.UNIMPLEMENTED


async def test_an_embedder_that_does_not_tell_its_dimension_is_measured(providing):
    async with providing("embedder_providers", fail={"GetDimensions": [MISSING]}) as providers:
        assert await providers.registry.embedder("e").dimension(providers.call) == 3
        assert providers.rpcs == ["GetDimensions", "EmbedText"]
        assert await providers.registry.embedder("e4").dimension(providers.call) == 4  # as configured, unasked
        assert len(providers.asked) == 2


async def test_vectors_of_another_number_or_length_are_refused(providing):
    async with providing("embedder_providers", batch=3) as providers:
        with pytest.raises(CallError) as caught:
            await providers.registry.embedder("e").embed(["a", "b"], call=providers.call)
        assert str(caught.value) == "embedder_provider/p: answered 3 vectors for 2 texts"
        with pytest.raises(CallError) as caught:
            await providers.registry.embedder("e4").embed(["a"], query=True, call=providers.call)
        assert str(caught.value) == (
            "embedder_provider/p: answered vectors of 3 numbers, embedders.e4 says 4\n"
            "  Set embedders.e4.config.dimension to what the model gives."
        )
        assert providers.asked[-1][1]["input_type"] == "INPUT_TYPE_QUERY"


async def test_tools_have_whole_schemas_however_they_are_told(providing):
    told = {
        "short": {"url": "string", "times": "integer"},
        "whole": {"type": "object", "properties": {}},
        "asked": None,
    }
    schemas = {"asked": {"type": "object", "required": ["x"], "properties": {"x": {"type": "number"}}}}
    async with providing("tool_providers", tools=told, schemas=schemas) as providers:
        tools = await providers.registry.tools("p").tools(providers.call)
        await providers.registry.tools("p").tools(providers.call)
        assert providers.rpcs == ["ListTools", "GetToolSchema"]
        assert {name: MessageToDict(tool.parameters) for name, tool in tools.items()} == {
            "short": {"type": "object", "properties": {"url": {"type": "string"}, "times": {"type": "integer"}}},
            "whole": told["whole"],
            "asked": schemas["asked"],
        }


async def test_a_tool_without_any_schema_takes_anything(providing):
    async with providing("tool_providers", tools={"t": None}, fail={"GetToolSchema": [MISSING]}) as providers:
        (tool,) = (await providers.registry.tools("p").tools(providers.call)).values()
        assert dict(tool.parameters.items())["type"] == "object"


@pytest.mark.parametrize(
    ("told", "schema"),
    [
        ({}, {"type": "object", "properties": {}}),
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({"type": "string"}, {"type": "object", "properties": {"type": {"type": "string"}}}),
        ({"a": "any"}, {"type": "object", "properties": {}, "a": "any"}),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
    ],
)
def test_short_and_long_forms_of_a_schema(told, schema):
    assert object_schema(told) == schema


async def test_a_result_that_is_too_large_is_refused(providing):
    async with providing("tool_providers", tools={"t": {}}, result=(1 << 20) + 1) as providers:
        with pytest.raises(CallError) as caught:
            await providers.registry.tools("p").execute("t", {}, "k", providers.call)
        assert str(caught.value) == (
            "tool_provider/p: t returned 1,048,583 bytes, at most 1,048,576 are accepted\n"
            "  Ask the tool for less: a part of the file, fewer matches."
        )
