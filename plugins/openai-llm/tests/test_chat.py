"""Each word of the contract has its place in what the endpoint is asked."""

from __future__ import annotations

import grpc
import pytest

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.message_pb2 import (
    ROLE_ASSISTANT,
    ROLE_SYSTEM,
    ROLE_TOOL,
    ROLE_USER,
    Media,
    Message,
    Part,
    ToolCall,
    ToolResult,
)
from hector.plugin.v1.tool_pb2 import Tool
from hector_openai_llm.chat import parameters
from hector_sdk import Status


def asked(*messages, **more):
    request = llm.GenerateTextRequest(prompt="p", model="m", input=llm.ModelInput(messages=messages, **more))
    return parameters(request, "", max_tokens_key="max_tokens")


def said(role, *parts):
    return asked(Message(role=role, parts=parts))["messages"]


def test_the_sampling_is_passed_on_as_it_was_written():
    sampling = llm.Sampling(
        temperature=0.7, top_p=0.95, max_tokens=100, stop=["END"], seed=2**40, reasoning_effort="low"
    )
    made = asked(sampling=sampling)
    assert {key: value for key, value in made.items() if key not in ("model", "messages")} == {
        "temperature": 0.7,
        "top_p": 0.95,
        "max_tokens": 100,
        "stop": ["END"],
        "seed": 2**40,
        "reasoning_effort": "low",
    }


def test_zero_is_a_temperature():
    assert asked(sampling=llm.Sampling(temperature=0))["temperature"] == 0


def test_the_limit_has_the_endpoints_name():
    request = llm.GenerateTextRequest(prompt="p", model="m", input=llm.ModelInput(sampling=llm.Sampling(max_tokens=9)))
    assert parameters(request, "", max_tokens_key="max_completion_tokens")["max_completion_tokens"] == 9


def test_options_of_the_model_are_sent_as_they_are():
    given = llm.ModelInput()
    given.options.update({"top_k": 20, "nested": {"penalty": 0.5, "list": [1, "a", None]}})
    request = llm.GenerateTextRequest(prompt="p", model="m", input=given)
    made = parameters(request, "", max_tokens_key="max_tokens")
    assert made["extra_body"] == {"top_k": 20, "nested": {"penalty": 0.5, "list": [1, "a", None]}}
    assert isinstance(made["extra_body"]["top_k"], int)


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ('{"type":"object","properties":{"b":{},"a":{}},"required":["b","a"],"additionalProperties":false}', True),
        ('{"type":"object","properties":{"b":{},"a":{}},"required":["b"],"additionalProperties":false}', False),
        ('{"type":"object","properties":{"b":{}},"required":["b"]}', False),
        ('{"type":"array","items":{"type":"object"}}', False),
        ('{"anyOf":[{"type":"string"},{"type":"null"}]}', True),
    ],
)
def test_a_schema_keeps_its_order_and_is_enforced_where_it_can_be(schema, strict):
    import json

    made = asked(response_schema=schema)["response_format"]
    assert made["type"] == "json_schema"
    assert (made["json_schema"]["name"], made["json_schema"]["strict"]) == ("answer", strict)
    assert json.dumps(made["json_schema"]["schema"], separators=(",", ":")) == schema


def refusal(call):
    with pytest.raises(Status) as error:
        call()
    return error.value.code, error.value.message


def test_a_schema_that_is_no_json_is_refused():
    assert refusal(lambda: asked(response_schema="{")) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "response_schema is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    )


def test_a_conversation_keeps_its_order():
    made = asked(
        Message(role=ROLE_SYSTEM, parts=[Part(text="Be "), Part(text="brief.")]),
        Message(role=ROLE_USER, parts=[Part(text="Hi")]),
        Message(role=ROLE_ASSISTANT, parts=[Part(reasoning="Hm."), Part(text="Hello.")]),
    )
    assert made["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
    ]


def test_no_tool_is_forced_where_none_is_offered():
    assert "tool_choice" not in asked(tool_choice=llm.TOOL_CHOICE_REQUIRED)
    assert asked(tools=[Tool(name="t")], tool_choice=llm.TOOL_CHOICE_NONE)["tool_choice"] == "none"
    assert "tool_choice" not in asked(tools=[Tool(name="t")])


def test_a_tool_without_parameters_has_an_empty_schema():
    (tool,) = asked(tools=[Tool(name="t")])["tools"]
    assert tool["function"]["parameters"] == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [('{"a": 1}', '{"a": 1}'), ("", "{}"), ('{"a"', '{"invalid": "{\\"a\\""}'), ("[1]", '{"invalid": "[1]"}')],
)
def test_broken_arguments_do_not_break_the_conversation(arguments, sent):
    (message,) = said(ROLE_ASSISTANT, Part(tool_call=ToolCall(id="a", tool="t", arguments=arguments)))
    assert message == {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "a", "type": "function", "function": {"name": "t", "arguments": sent}}],
    }


def test_what_another_plugin_kept_is_left_out():
    call = Part(tool_call=ToolCall(id="a", tool="t"), signature=b"\x80opaque")
    (message,) = said(ROLE_ASSISTANT, Part(native="not json"), Part(native="[1]"), call)
    assert set(message) == {"role", "content", "tool_calls"}
    assert set(message["tool_calls"][0]) == {"id", "type", "function"}


def test_each_result_is_a_message_and_pictures_follow():
    structured = ToolResult(call_id="b", tool="t")
    structured.structured.struct_value.update({"ä": 1})
    made = said(
        ROLE_TOOL,
        Part(
            tool_result=ToolResult(
                call_id="a",
                tool="t",
                parts=[Part(text="Seen."), Part(media=Media(mime_type="image/png", data=b"\1\2"))],
            )
        ),
        Part(tool_result=structured),
        Part(tool_result=ToolResult(call_id="c", tool="t", failed=True, parts=[Part(text="No such file")])),
    )
    assert made == [
        {"role": "tool", "tool_call_id": "a", "content": "Seen."},
        {"role": "tool", "tool_call_id": "b", "content": '{"ä": 1.0}'},
        {"role": "tool", "tool_call_id": "c", "content": "Error: No such file"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AQI="}}]},
    ]


@pytest.mark.parametrize(
    ("media", "sent"),
    [
        (
            Media(mime_type="image/jpeg", uri="https://x/y.jpg"),
            {"type": "image_url", "image_url": {"url": "https://x/y.jpg"}},
        ),
        (Media(uri="https://x/y"), {"type": "image_url", "image_url": {"url": "https://x/y"}}),
        (
            Media(mime_type="audio/mpeg", data=b"\1"),
            {"type": "input_audio", "input_audio": {"data": "AQ==", "format": "mp3"}},
        ),
        (
            Media(mime_type="application/pdf", name="a.pdf", data=b"\1"),
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AQ=="}},
        ),
    ],
)
def test_media_stand_where_they_were_said(media, sent):
    (message,) = said(ROLE_USER, Part(text="Look: "), Part(media=media), Part(text="!"))
    assert message["content"] == [{"type": "text", "text": "Look: "}, sent, {"type": "text", "text": "!"}]


@pytest.mark.parametrize(
    ("media", "words"),
    [
        (Media(mime_type="video/mp4", data=b"1"), 'media of type "video/mp4"'),
        (Media(mime_type="audio/wav", uri="https://x"), 'media of type "audio/wav" by address'),
        (Media(mime_type="image/png", blob="b-7"), "media b-7 without its bytes"),
    ],
)
def test_media_that_cannot_be_sent_are_refused(media, words):
    assert refusal(lambda: said(ROLE_USER, Part(media=media))) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        f"{words} cannot be sent: pictures, wav, mp3 and PDF can",
    )
