import pytest

from hector_shell_tools.words import printable, size


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"plain \xc3\xa9\n\ttext", "plain é\n\ttext"),
        (b"\x1b[31;1mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07after", "after"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"\x1b]never closed\nnext", "\nnext"),
        (b"\x1bcreset", "reset"),
        (b"one\r\ntwo\rthree", "one\ntwo\nthree"),
        (b"bell\x07 back\x08 nul\x00 del\x7f", "bell back nul del"),
        (b"bad \xff\xfe", "bad \ufffd\ufffd"),
        ("c1 \x9b31m".encode(), "c1 31m"),
        ("user\u202egnp.exe".encode(), "usergnp.exe"),
        ("half \udcff name", "half \ufffd name"),
    ],
)
def test_nothing_that_acts_is_left(raw, expected):
    assert printable(raw) == expected


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (1023, "1023 bytes"), (65536, "64 KiB"), (3 << 19, "1.5 MiB")]
)
def test_sizes_read_well(count, words):
    assert size(count) == words
