"""Endpoints say the same in different ways."""

from __future__ import annotations

import pytest

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.message_pb2 import ToolCall
from hector_openai_llm.reply import Reply


def replied(*said):
    reply = Reply()
    for one in said:
        reply.add(one)
    return reply


def tool_calls(*said):
    return [part.tool_call for part in replied(*said).output().message.parts if part.HasField("tool_call")]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", llm.FINISH_REASON_STOP),
        ("length", llm.FINISH_REASON_LENGTH),
        ("tool_calls", llm.FINISH_REASON_TOOL_CALLS),
        ("function_call", llm.FINISH_REASON_TOOL_CALLS),
        ("content_filter", llm.FINISH_REASON_CONTENT_FILTER),
        ("eos", llm.FINISH_REASON_OTHER),
        (None, llm.FINISH_REASON_UNSPECIFIED),
    ],
)
def test_each_end_has_its_reason(completion, word, reason):
    assert replied(completion({"content": "x"}, word)).output().finish_reason == reason


def test_a_refusal_is_the_answer_and_the_reason(completion, chunk):
    for reply in (
        replied(completion({"content": None, "refusal": "I will not."})),
        replied(chunk({"refusal": "I will "}), chunk({"refusal": "not."}), chunk({}, "stop")),
    ):
        assert reply.text == "I will not."
        assert reply.output().finish_reason == llm.FINISH_REASON_REFUSAL


def test_calls_that_end_with_stop_are_calls(completion):
    call = {"id": "a", "function": {"name": "t", "arguments": "{}"}}
    assert replied(completion({"tool_calls": [call]}, "stop")).output().finish_reason == llm.FINISH_REASON_TOOL_CALLS


def test_calls_are_told_apart_by_index(chunk):
    assert tool_calls(
        chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "t", "arguments": "1"}}]}),
        chunk({"tool_calls": [{"index": 1, "id": "b", "function": {"name": "u", "arguments": "3"}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "2"}}]}),
        chunk({"tool_calls": [{"index": 1, "id": "b", "function": {"arguments": "4"}}]}),
    ) == [ToolCall(id="a", tool="t", arguments="12"), ToolCall(id="b", tool="u", arguments="34")]


@pytest.mark.parametrize("index", [{}, {"index": 0}, {"index": None}])
def test_calls_without_an_index_are_told_apart_by_id(chunk, index):
    one = index | {"id": "a", "function": {"name": "t", "arguments": "1"}}
    two = index | {"id": "b", "function": {"name": "t", "arguments": "2"}}
    assert tool_calls(chunk({"tool_calls": [one, two]})) == [
        ToolCall(id="a", tool="t", arguments="1"),
        ToolCall(id="b", tool="t", arguments="2"),
    ]


def test_a_text_may_come_in_parts(completion):
    parts = [{"type": "text", "text": "one "}, {"type": "thinking", "thinking": []}, {"type": "text", "text": "two"}]
    assert replied(completion({"content": parts})).text == "one two"


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_visible_reasoning_is_no_text(completion, key):
    reply = replied(completion({"content": "x", key: "Hm."}))
    assert reply.text == "x"
    assert reply.output().message.parts[0].reasoning == "Hm."


def test_extras_of_a_stream_are_joined(chunk):
    reply = replied(
        chunk({"reasoning_details": [{"n": 1}], "note": "a", "rank": 1}),
        chunk({"reasoning_details": [{"n": 2}], "note": "b", "rank": 2, "empty": None}),
    )
    (part,) = reply.output().message.parts
    assert part.native == '{"reasoning_details":[{"n":1},{"n":2}],"note":"ab","rank":2}'


def test_other_choices_are_not_mixed_in(chunk):
    other = {"index": 1, "delta": {"content": "other"}, "finish_reason": None}
    assert replied(chunk({"content": "x"}) | {"choices": [other]}, chunk({"content": "x"})).text == "x"


def test_strange_counts_are_unknown(chunk):
    usage = {"prompt_tokens": None, "completion_tokens": "7", "total_tokens": 10**12, "prompt_tokens_details": 3}
    assert replied(chunk(usage=usage)).usage == llm.TokenUsage(total_tokens=2**31 - 1)


def test_no_usage_is_no_usage(chunk):
    assert replied(chunk({"content": "x"}, "stop")).usage is None
