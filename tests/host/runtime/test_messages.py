"""A message is held once, under one id; only its author sees what only its author can read."""

import pytest

from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_SYSTEM, ROLE_USER, Message, Part, ToolCall
from hector_host.errors import RunError
from hector_host.runtime.answer_stream import AnswerStream
from hector_host.runtime.ids import apply, change
from hector_host.runtime.messages import Messages, readable_by


def said(text, role=ROLE_ASSISTANT, name=""):
    return Message(id=name, role=role, parts=[Part(text=text)])


def test_what_a_strategy_writes_again_is_the_same_message():
    messages = Messages("r", [])
    question = messages.add(said("Hello", ROLE_USER))
    first, new = messages.resolve([said("Be brief.", ROLE_SYSTEM), Message(id=question.id)], "engine")
    again, none = messages.resolve([said("Be brief.", ROLE_SYSTEM), Message(id=question.id)], "engine")
    assert [message.id for message in first] == ["r/2", "r/1"] == [message.id for message in again]
    assert [message.id for message in new] == ["r/2"]
    assert none == []
    assert first[1].parts[0].text == "Hello"


def test_a_message_that_nobody_holds_is_refused():
    with pytest.raises(RunError) as caught:
        Messages("r", []).resolve([Message(id="x/1")], "engine default")
    assert str(caught.value) == "engine default: names a message 'x/1' that this run does not have"


def test_an_answer_is_the_message_that_says_it_in_this_run_alone():
    messages = Messages("r", [said("Yes.", name="before/2")])
    assert messages.answer(said("Yes.")).id == "r/1"
    assert messages.answer(said("Yes.")).id == "r/1"


def test_only_its_author_reads_thoughts_signatures_and_native_blocks():
    message = Message(id="r/1", role=ROLE_ASSISTANT, model="m/one")
    message.parts.extend(
        [Part(reasoning="hm"), Part(native="{}"), Part(text="Hi", signature=b"s"), Part(tool_call=ToolCall(id="c"))]
    )
    assert readable_by("m/one", message) == message
    others = readable_by("m/two", message)
    assert [part.WhichOneof("part") for part in others.parts] == ["text", "tool_call"]
    assert others.parts[0].signature == b""
    assert message.parts[2].signature == b"s"


@pytest.mark.parametrize("before", [[], ["a"], ["a", "b", "c"]])
@pytest.mark.parametrize("after", [[], ["a"], ["a", "b"], ["a", "x", "c"], ["z"]])
def test_a_list_of_ids_comes_back_from_its_change(before, after):
    assert apply(before, change(before, after)) == after


@pytest.mark.parametrize("size", range(1, 12))
def test_only_what_follows_the_marker_is_the_answer(size):
    whole = "I think.\nFinal Answer:  It is so.\n"
    told = []
    stream = AnswerStream("Final Answer:", told.append)
    for start in range(0, len(whole), size):
        stream.feed(whole[start : start + size])
    assert "".join(told) == "It is so.\n"
