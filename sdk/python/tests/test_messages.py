from hector.plugin.v1.message_pb2 import Message, Part, ToolCall, ToolResult
from hector_sdk import calls, text


def test_text_and_calls_leave_the_rest_out():
    first, second = ToolCall(id="1", tool="a"), ToolCall(id="2", tool="b")
    message = Message(
        parts=[Part(text="one "), Part(reasoning="hm"), Part(tool_call=first), Part(text="two"), Part(tool_call=second)]
    )
    assert text(message) == "one two"
    assert calls(message) == [first, second]
    assert text(ToolResult(parts=[Part(text="found")])) == "found"
