"""What a plugin prints first, in whatever pieces it comes."""

import pytest

from hector_host.manager.failure import Failure
from hector_host.manager.launch.greeting import Greeting
from hector_host.manager.launch.handshake import Endpoint
from hector_host.manager.logs.logbook import Logbook

LINE = b"1|1|unix|/s|grpc|\n"


@pytest.fixture
def book(tmp_path):
    return Logbook(tmp_path / "x.log", str)


@pytest.mark.parametrize("size", [1, 5, 100])
async def test_the_handshake_is_heard_and_the_rest_is_logged(book, size):
    greeting = Greeting(book.stream())
    text = LINE + b"one\ntwo"
    for start in range(0, len(text), size):
        greeting.feed(text[start : start + size])
    greeting.close()
    assert greeting.heard.result() == Endpoint("unix", "/s")
    assert list(book.tail) == ["one", "two"]


async def test_prose_is_logged_and_waited_past(book):
    greeting = Greeting(book.stream())
    greeting.feed(b"Plugin started on :8081\nhalf")
    assert not greeting.heard.done()
    greeting.close()
    assert list(book.tail) == ["Plugin started on :8081", "half"]


@pytest.mark.parametrize("prose", [b"line\n" * 200, b"x" * 1000 + b"\n"])
async def test_after_much_prose_nothing_is_a_handshake(book, prose):
    greeting = Greeting(book.stream())
    while len(prose) < 70_000 and prose.count(b"\n") < 200:
        prose += prose
    greeting.feed(prose)
    greeting.feed(LINE)
    assert not greeting.heard.done()
    assert book.last(1) == [LINE.decode().strip()]
    greeting.close()


@pytest.mark.parametrize("prose", [b"line\n" * 250, b"x" * 1000 + b"\n"])
async def test_what_comes_in_one_piece_with_much_prose_is_logged_too(book, prose):
    greeting = Greeting(book.stream())
    while len(prose) < 70_000 and prose.count(b"\n") < 200:
        prose += prose
    greeting.feed(prose + LINE + b"ha")
    greeting.feed(b"lf\n")
    assert not greeting.heard.done()
    assert book.lines == prose.count(b"\n") + 2
    assert book.last(2) == [LINE.decode().strip(), "half"]
    greeting.close()


@pytest.mark.parametrize("end", [b"", b"\n"])
async def test_a_line_too_long_is_refused_with_or_without_its_end(book, end):
    greeting = Greeting(book.stream())
    greeting.feed(b"x" * 5000 + end)
    with pytest.raises(Failure) as caught:
        greeting.heard.result()
    assert caught.value.what.startswith("printed a line of more than 4096 bytes where its handshake was expected")
    greeting.close()


async def test_a_line_of_just_the_limit_is_prose(book):
    greeting = Greeting(book.stream())
    greeting.feed(b"x" * 4096 + b"\n")
    assert not greeting.heard.done()
    greeting.close()
