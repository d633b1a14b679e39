"""Arguments that a model wrote are checked by a schema that a plugin wrote; neither may harm the host."""

import pytest

from hector.plugin.v1.tool_pb2 import Tool
from hector_host.runtime.parameters import InvalidArgumentsError, check, parse, unfit


def tool(schema):
    made = Tool(name="t")
    made.parameters.update(schema)
    return made


def text(**keywords):
    return {"type": "object", "properties": {"a": {"type": "string"} | keywords}}


def test_what_fits_is_given():
    assert parse('{"a": "x"}', tool(text(pattern="^x$"))) == {"a": "x"}
    assert parse("", tool({"type": "object"})) == {}


@pytest.mark.parametrize(
    ("schema", "arguments", "wrong"),
    [
        (text(pattern="^x$"), '{"a": "y"}', "a: 'y' does not match '^x$'"),
        (text(pattern="["), '{"a": "y"}', "the schema cannot be used: error"),
        (text() | {"required": ["b"]}, "{}", "'b' is a required property"),
        ({"type": ["object", "null"]}, "null", "the arguments are not an object but null"),
        ({"$ref": "http://127.0.0.1:9/schema"}, "{}", "the schema cannot be used: _WrappedReferencingError"),
        (text(maxLength=3), '{"a": "' + "x" * 5000 + '"}', "a: '" + "x" * 496 + " …"),
    ],
)
def test_what_does_not_fit_is_told_in_a_line(schema, arguments, wrong):
    with pytest.raises(InvalidArgumentsError) as caught:
        parse(arguments, tool(schema))
    assert str(caught.value) == wrong


@pytest.mark.timeout(10)
def test_a_pattern_that_would_run_for_hours_is_given_up():
    wrong = check(text(pattern="^(a+)+$"), {"a": "a" * 60 + "!"})
    assert wrong in (
        "a: whether it matches '^(a+)+$' takes too long to tell",
        f"a: '{'a' * 60}!' does not match '^(a+)+$'",
    )


def test_patterns_of_names_are_the_plugins_to_check():
    schema = {"type": "object", "patternProperties": {"^(a+)+$": {"type": "string"}}, "additionalProperties": False}
    assert check(schema, {"a" * 60 + "!": 1}) == ""


def test_an_answer_is_held_to_the_schema_of_its_question():
    assert unfit("", "anything") == ""
    assert unfit('{"type": "integer"}', "7") == ""
    assert unfit('{"type": "integer"}', '"seven"') == "'seven' is not of type 'integer'"
    assert unfit('{"type": "integer"}', "seven") == "the answer is not JSON: Expecting value: line 1 column 1 (char 0)"
