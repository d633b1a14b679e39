"""What is kept of what a plugin writes."""

import re

import leftovers
import pytest

from hector_host.manager.logs import lines, logbook, logfile
from hector_host.manager.logs.logbook import Logbook


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(logbook, "time", clock)
    return clock


@pytest.fixture
def book(tmp_path, clock):
    return Logbook(tmp_path / "logs" / "x.log", lambda text: text.replace("secret", "${KEY}"))


@pytest.fixture
def open_files(tmp_path):
    """The files in the test's folder that this process has open."""
    return lambda: [link for link in leftovers.descriptors(tmp_path) if link.startswith(str(tmp_path))]


@pytest.fixture
def stream(book):
    stream = book.stream()
    yield stream
    stream.close()


def test_lines_go_to_the_file_with_time_and_level(book, stream):
    assert stream.feed(b"[WARN] hot\nmy secret\n")
    first, second = book.path.read_text().splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(stamp + " WARN  hot", first)
    assert re.fullmatch(stamp + r" -     my \$\{KEY\}", second)
    assert book.last(5) == ["WARN hot", "my ${KEY}"]


def test_the_file_is_there_before_the_first_line(book, stream):
    assert book.path.read_text() == ""


def test_the_last_lines_are_kept(book, stream):
    stream.feed(numbered(300))
    assert list(book.tail) == [str(number) for number in range(100, 300)]
    assert book.last(2) == ["298", "299"]


LINE = b"x" * (1024 - logbook.STAMP) + b"\n"


def numbered(count):
    """So many lines."""
    return b"".join(b"%d\n" % number for number in range(count))


def test_a_flood_is_dropped_and_counted(book, stream, clock):
    for _ in range(1024):
        assert stream.feed(LINE)
    assert not stream.feed(LINE * 4)
    assert not stream.feed(b"y" * lines.REMEMBERED + b"\n")
    assert (book.lines, book.dropped) == (1024, 5)
    clock.now = 1.0
    assert stream.feed(LINE)
    text = LINE.decode().strip()
    assert book.last(3) == [text, "WARN 5 lines dropped: logged faster than allowed", text]
    assert (book.lines, book.dropped, book.bytes) == (1025, 5, 1029 * len(LINE) + lines.REMEMBERED + 1)


def test_the_last_lines_of_a_flood_come_before_what_is_kept_next(book, stream, clock):
    while stream.feed(LINE):
        pass
    stream.feed(numbered(300) + b"FATAL: my secret is \x1b gone\n")
    clock.now = 1.0
    assert stream.feed(b"bye\n")
    last = [*(str(number) for number in range(102, 300)), "FATAL: my ${KEY} is \\x1b gone"]
    assert book.last(200) == [*last, "bye"]
    assert [line.split(maxsplit=2)[2] for line in book.path.read_text().splitlines()[-201:]] == [
        "103 lines dropped: logged faster than allowed",
        *last,
        "bye",
    ]
    assert (book.lines, book.dropped) == (1024 + 200, 103)


def test_the_last_lines_of_a_stream_are_kept_whatever_is_allowed(book, clock):
    stream, seen = book.stream(), []
    book._watch = seen.append
    while stream.feed(LINE):
        pass
    stream.feed(numbered(300))
    stream.feed(b"[ERROR] the disk of the model ")
    stream.feed(b"is gone")
    before = book.lines
    stream.close()
    assert list(book.tail) == [
        "WARN 103 lines dropped: logged faster than allowed",
        *(str(number) for number in range(102, 300)),
        "ERROR the disk of the model is gone",
    ]
    assert list(map(str, seen[-200:])) == list(book.tail)
    assert (book.lines - before, book.dropped) == (199, 103)


def test_what_another_stream_told_to_be_dropped_is_kept_in_the_end(book, stream, clock):
    other = book.stream()
    while other.feed(LINE):
        pass
    other.feed(b"last words\n")
    clock.now = 1.0
    stream.feed(b"one\n")
    text = LINE.decode().strip()
    assert book.last(3) == [text, "WARN 2 lines dropped: logged faster than allowed", "one"]
    other.close()
    assert book.last(3) == ["one", text, "last words"]
    assert book.dropped == 0
    stream.feed(b"two\n")
    assert book.last(1) == ["two"]


def test_the_rest_of_a_flood_comes_in_pieces_that_can_be_read(book, stream, clock):
    while stream.feed(LINE):
        pass
    for tick in range(1, 101):
        clock.now = tick / 100
        stream.feed(LINE * 64)
    notes = [line for line in book.tail if line.startswith("WARN")]
    assert 2 <= len(notes) <= 4
    assert 190 * 1024 < (book.lines - 1024) * 1024 <= logbook.RATE + 1024


def test_two_streams_share_what_is_allowed(book, stream, clock):
    other = book.stream()
    while stream.feed(LINE):
        pass
    assert not other.feed(b"a word\n")
    other.close()


def test_a_flood_of_empty_lines_is_one_too(book, stream, clock):
    assert not stream.feed(b"\n" * 65536)
    assert book.lines == logbook.MOST
    for _ in range(100):
        stream.feed(b"\n" * 65536)
    assert book.lines == logbook.BURST // logbook.STAMP
    assert book.lines + book.dropped == 101 * 65536


def test_a_line_without_an_end_holds_its_reader_back(book, stream, clock):
    assert [stream.feed(b"x" * 8192), stream.feed(b"x"), stream.feed(b"x" * 65536)] == [True, False, False]
    assert stream.feed(b"\nnext\n")
    assert book.last(5) == ["x" * 8192 + " … (cut)", "next"]
    assert book.dropped == 0


def test_what_was_dropped_and_is_not_remembered_is_told_in_the_end(book, stream, clock):
    while stream.feed(LINE):
        pass
    stream.feed(b"y" * lines.REMEMBERED + b"\n")
    other = book.stream()
    stream.close()
    assert not book.last(1)[0].startswith("WARN")
    other.close()
    assert book.last(1) == ["WARN 2 lines dropped: logged faster than allowed"]


def test_the_file_is_open_while_a_stream_is(book, open_files):
    one, two = book.stream(), book.stream()
    one.feed(b"one\n")
    one.close()
    one.close()
    assert open_files() == [str(book.path)]
    two.close()
    assert open_files() == []
    three = book.stream()
    three.feed(b"two\n")
    three.close()
    assert open_files() == []
    assert [line.split()[2] for line in book.path.read_text().splitlines()] == ["one", "two"]


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    book = Logbook(tmp_path / "logs" / "x.log", str)
    stream = book.stream()
    assert stream.feed(b"on it goes\n")
    assert book.last(1) == ["on it goes"]
    stream.close()


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
    assert host.log("x").stat().st_size < logfile.LIMIT + logbook.BURST


async def test_the_last_words_after_a_flood_are_in_the_dossier(host, until):
    fatal = "FATAL: the disk of the model is gone"
    async with host.manager(x=host.faulty("exits", flood=200_000, stderr=f"{fatal}\n", code=9)) as manager:
        manager.start(["x"])
        dossier = await until(lambda: manager.dossier("x"))
    assert dossier.reason == "exit:9"
    assert dossier.log[-2:] == ("line 199999 of a flood", fatal)
    assert len(dossier.log) == 200
    told = [int(line.split()[1]) for _, line in host.lines if line.startswith("WARN ")]
    assert dossier.log_dropped == sum(told) > 0
    assert len(host.lines) - len(told) + dossier.log_dropped == 200_001
    assert host.lines[-1] == ("x", fatal)
    assert host.log("x").read_text().count(fatal) == 1
