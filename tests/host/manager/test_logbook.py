"""What is kept of what a plugin writes."""

import re

import pytest

from hector_host.manager import logbook
from hector_host.manager.logbook import Logbook


@pytest.fixture
def book(tmp_path):
    return Logbook(tmp_path / "logs" / "x.log", lambda text: text.replace("secret", "${KEY}"))


def test_lines_go_to_the_file_with_time_and_level(book):
    assert book.write(["[WARN] hot", "my secret"])
    first, second = book.path.read_text().splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(stamp + " WARN  hot", first)
    assert re.fullmatch(stamp + r" -     my \$\{KEY\}", second)
    assert book.last(5) == ["WARN hot", "my ${KEY}"]


def test_the_last_lines_are_kept(book):
    book.write([str(number) for number in range(300)])
    assert list(book.tail) == [str(number) for number in range(100, 300)]
    assert book.last(2) == ["298", "299"]


def test_a_flood_is_dropped_and_counted(book, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(logbook.time, "monotonic", lambda: now[0])
    book = Logbook(book.path, str)
    line = "x" * 1023
    assert book.write([line] * 1024)
    assert not book.write([line] * 7)
    now[0] = 1.0
    assert book.write([line])
    assert book.last(2) == ["WARN 7 lines dropped: logged faster than allowed", line]


def test_the_file_is_turned_over_once(book, monkeypatch):
    monkeypatch.setattr(logbook, "FILE_LIMIT", 100)
    for number in range(9):
        book.write([f"{number} " + "x" * 40])
    old = book.path.with_name("x.log.1")
    assert [line.split()[2] for line in old.read_text().splitlines()] == ["6", "7"]
    assert [line.split()[2] for line in book.path.read_text().splitlines()] == ["8"]


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    book = Logbook(tmp_path / "logs" / "x.log", str)
    assert book.write(["on it goes"])
    assert book.last(1) == ["on it goes"]


def test_every_kept_line_is_shown_to_who_watches(tmp_path):
    seen = []
    book = Logbook(tmp_path / "x.log", str, seen.append)
    stream = book.stream()
    stream.feed(b"one\ntw")
    stream.feed(b"o\nrest")
    stream.close()
    assert [entry.text for entry in seen] == ["one", "two", "rest"]


async def test_a_plugin_that_floods_is_drained_and_held_back(host, until):
    async with host.manager(x=host.faulty("flood")) as manager:
        manager.start(["x"])
        await until(lambda: any("lines dropped" in line for _, line in host.lines))
    assert host.log("x").stat().st_size < logbook.FILE_LIMIT + logbook.BURST
