"""From bytes to records."""

import json

import pytest

from hector_host.manager.lines import LineCutter, Record, record


def test_lines_come_whole_however_the_chunks_fall():
    text = b"one\ntwo\nthree"
    for size in range(1, len(text) + 1):
        cutter = LineCutter()
        lines = [line for start in range(0, len(text), size) for line in cutter.feed(text[start : start + size])]
        assert lines + cutter.flush() == ["one", "two", "three"]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_long_line_is_cut_and_the_next_one_is_whole(size):
    text = b"x" * 50 + b"\nshort\n"
    cutter = LineCutter(limit=10)
    lines = [line for start in range(0, len(text), size) for line in cutter.feed(text[start : start + size])]
    assert [*lines, *cutter.flush()] == ["x" * 10 + " … (cut)", "short"]


def test_a_line_of_just_the_limit_is_not_cut():
    assert LineCutter(limit=5).feed(b"12345\n") == ["12345"]


def test_undecodable_bytes_are_shown():
    assert LineCutter().feed(b"a\xffb\n") == ["a\\xffb"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plain", Record("", "plain")),
        ("\x1b[2Jwiped\x00", Record("", "\\x1b[2Jwiped\\x00")),
        ("tab\there\r", Record("", "tab    here")),
        ("[WARN] careful", Record("WARN", "careful")),
        ("[info]  so", Record("INFO", "so")),
        ("[other] thing", Record("", "[other] thing")),
        ("[unfinished", Record("", "[unfinished")),
        ("panic: runtime error", Record("ERROR", "panic: runtime error")),
        ('{"@level": "warning", "@message": "hot", "celsius": 90, "who": "x"}', Record("WARN", "hot celsius=90 who=x")),
        ('{"@level": 7, "@message": ["a"], "@timestamp": "t", "@module": "m"}', Record("", "['a']")),
        ('{"@level": "error", "@message": "two\\nlines"}', Record("ERROR", "two\\nlines")),
        ('{"level": "info"}', Record("", '{"level": "info"}')),
        ("{broken", Record("", "{broken")),
    ],
)
def test_a_record(line, expected):
    assert record(line) == expected


def test_json_too_deep_is_text():
    line = '{"@message":' + "[" * 100_000
    assert record(line) == Record("", line)


def test_a_record_is_always_one_line():
    line = json.dumps({"@message": "a\u2028b\u0085c\rd\ne"})
    assert str(record(line)).isprintable()
