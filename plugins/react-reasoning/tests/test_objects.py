import pytest

from hector_react_reasoning.objects import parsed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('{"a": 1}\nI hope this helps.', {"a": 1}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
    ],
)
def test_objects_are_read_leniently(text, value):
    assert parsed(text) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{'a': 1}", "Expecting property name enclosed in double quotes at line 1, column 2"),
        ('{"a": 1,\n "b": }', "Expecting value at line 2, column 7"),
        ("[1]", "it is not an object"),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a":' * 100_000, "it is nested too deeply"),
    ],
)
def test_what_is_wrong_with_an_object_is_said(text, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - compared below
        parsed(text)
    assert str(caught.value) == words
