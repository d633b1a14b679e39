"""From bytes to records."""

import json

import pytest

from hector_host.manager.logs.lines import REMEMBERED, LineCutter, Record, record


def taken(cutter):
    """All lines that are there."""
    return list(iter(cutter.take, None))


def cut(cutter, text, size):
    """All lines of a text that comes in chunks of a size."""
    lines = []
    for start in range(0, len(text), size):
        cutter.feed(text[start : start + size])
        lines += taken(cutter)
    cutter.end()
    return lines + taken(cutter)


def test_lines_come_whole_however_the_chunks_fall():
    text = b"one\ntwo\n\nthree"
    for size in range(1, len(text) + 1):
        assert cut(LineCutter(), text, size) == ["one", "two", "", "three"]
        assert cut(LineCutter(), text + b"\n", size) == ["one", "two", "", "three"]


@pytest.mark.parametrize("size", [1, 7, 51, 100])
def test_a_long_line_is_cut_and_the_next_one_is_whole(size):
    text = b"x" * 50 + b"\nshort\n"
    assert cut(LineCutter(limit=10), text, size) == ["x" * 10 + " … (cut)", "short"]


def test_a_line_of_just_the_limit_is_not_cut():
    assert cut(LineCutter(limit=5), b"12345\n123456\n", 20) == ["12345", "12345 … (cut)"]


def test_it_is_known_that_a_line_goes_on_and_on():
    cutter = LineCutter(limit=5)
    seen = []
    for chunk in (b"12345", b"6", b"7", b"8\n", b"9"):
        cutter.feed(chunk)
        seen.append((taken(cutter), cutter.skipping))
    assert seen == [([], False), (["12345 … (cut)"], True), ([], True), ([], False), ([], False)]


def test_undecodable_bytes_are_shown():
    assert cut(LineCutter(), b"a\xffb\n", 9) == ["a\\xffb"]


def test_dropped_lines_are_counted_and_the_unfinished_one_is_kept():
    cutter = LineCutter()
    cutter.feed(b"one\ntwo\nthree\nfo")
    assert cutter.take() == "one"
    assert cutter.drop() == 2
    assert cutter.drop() == 0
    cutter.feed(b"ur\nfive")
    assert taken(cutter) == ["four"]
    assert cutter.drop() == 0


def test_dropping_counts_every_line_once_however_the_chunks_fall():
    text = b"12345678\n\n1\n12345678\n12"
    for size in range(1, len(text) + 1):
        for keep in range(6):
            cutter, kept, dropped = LineCutter(limit=5), 0, 0
            for start in range(0, len(text), size):
                cutter.feed(text[start : start + size])
                while kept < keep and cutter.take() is not None:
                    kept += 1
                dropped += cutter.drop()
            cutter.end()
            dropped += len(taken(cutter))
            assert kept + dropped == 5, (size, keep)


def test_the_lines_dropped_last_are_recalled_however_the_chunks_fall():
    text = b"123456\n\n1\n12345\n\xff23456789\n12\n"
    for size in range(1, len(text) + 1):
        cutter = LineCutter(limit=5)
        for start in range(0, len(text), size):
            cutter.feed(text[start : start + size])
            cutter.drop()
        assert cutter.recall(5) == ["", "1", "12345", "\\xff2345 … (cut)", "12"], size
        assert cutter.recall(5) == []


def test_of_what_was_dropped_the_newest_whole_lines_are_remembered():
    cutter = LineCutter()
    for number in range(1000):
        cutter.feed(b"%03d" % number + b"x" * 1000 + b"\n")
        cutter.drop()
    recalled = cutter.recall(200)
    assert [line[:3] for line in recalled] == [str(number) for number in range(1000 - REMEMBERED // 1004, 1000)]
    assert {len(line) for line in recalled} == {1003}


def test_a_line_of_which_the_beginning_was_taken_is_not_recalled():
    cutter = LineCutter(limit=5)
    cutter.feed(b"1234567")
    assert taken(cutter) == ["12345 … (cut)"]
    cutter.feed(b"89\nnext\n")
    assert (cutter.drop(), cutter.recall(5)) == (1, ["next"])


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
