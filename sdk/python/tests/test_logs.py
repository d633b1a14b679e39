import json
import logging

import pytest

from hector_sdk.logs import JsonLines


def line(level, message, error=None):
    record = logging.LogRecord("mine.part", level, "file", 1, message, ("%d",), error and (type(error), error, None))
    return json.loads(JsonLines().format(record))


@pytest.mark.parametrize(
    ("level", "word"),
    [
        (5, "trace"),
        (logging.DEBUG, "debug"),
        (logging.INFO, "info"),
        (25, "info"),
        (logging.WARNING, "warn"),
        (logging.ERROR, "error"),
        (logging.CRITICAL, "error"),
    ],
)
def test_levels_are_those_of_the_host(level, word):
    assert line(level, "x %s")["@level"] == word


def test_a_line_holds_strings_and_is_bounded():
    entry = line(logging.ERROR, "a\nb %s", ZeroDivisionError("é" * 20_000))
    assert entry.keys() == {"@level", "@message", "@timestamp", "@module", "traceback"}
    assert all(isinstance(value, str) for value in entry.values())
    assert (entry["@message"], entry["@module"]) == ("a\nb %d", "mine.part")
    assert len(entry["traceback"]) == 4_000
