from hector.plugin.v1.tool_pb2 import Tool
from hector_react_reasoning.instructions import offer, system
from hector_react_reasoning.state import Offer


def described(**properties):
    tool = Tool(name="t", description="Does\n  things.")
    tool.parameters.update({"type": "object", "properties": properties, "required": ["b"]})
    text = system("", [tool])
    return text[text.index("- t") : text.index("\n\nWrite")]


def test_parameters_read_well():
    assert described(
        a={"type": "string", "description": "First\nof all.", "default": "x"},
        b={"type": "integer", "title": "B"},
        c={"enum": ["x", "y"]},
        d={"type": "array", "items": {"type": "string"}, "description": "Many."},
        e={},
    ) == (
        "- t: Does things.\n"
        "    b (integer, required)\n"
        "    a (string): First of all.\n"
        '    c ({"enum": ["x", "y"]})\n'
        '    d ({"items": {"type": "string"}, "type": "array"}): Many.\n'
        "    e (any)"
    )


def test_a_plain_text_stands_for_the_one_text_that_a_tool_needs(make_tool):
    assert offer(make_tool("t", a="string")) == Offer("t", "a")
    assert offer(make_tool("t", a="string", b="string?")) == Offer("t", "a")
    assert offer(make_tool("t", a="string?")) == Offer("t", "a")
    assert offer(make_tool("t", a="integer")) == Offer("t")
    assert offer(make_tool("t", a="string", b="string")) == Offer("t")
    assert offer(Tool(name="t")) == Offer("t")
