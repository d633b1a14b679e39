"""What a server of go-plugin's kind says beside the calls: logged, bounded, dropped, and no call's concern."""

import asyncio

import grpc
import pytest

from hector_host.manager.connect import sideband
from hector_host.manager.connect.channel import connect
from hector_host.manager.connect.sideband import Sideband
from hector_host.manager.logs.logbook import Logbook


def printed(channel, data):
    """A `plugin.StdioData`."""
    return sideband._stdio_data()(channel=channel, data=data).SerializeToString()


class Server:
    """Says what a test puts into its queues; None ends a stream, an exception ends it with that.

    Attributes:
        open: Streams that are open.
        offered: What the broker has sent so far.
    """

    def __init__(self):
        self.stdio, self.broker = asyncio.Queue(), asyncio.Queue()
        self.open = set()
        self.offered = 0

    async def stream_stdio(self, request, context):
        assert request == b""
        async for each in self._said("stdio", self.stdio):
            yield each

    async def start_stream(self, requests, context):
        async for each in self._said("broker", self.broker):
            self.offered += 1
            yield each

    async def _said(self, name, queue):
        self.open.add(name)
        try:
            while (said := await queue.get()) is not None:
                yield said
        finally:
            self.open.discard(name)


@pytest.fixture
async def server(tmp_path):
    served = Server()
    stdio = grpc.unary_stream_rpc_method_handler(served.stream_stdio)
    broker = grpc.stream_stream_rpc_method_handler(served.start_stream)
    running = grpc.aio.server()
    running.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler("plugin.GRPCStdio", {"StreamStdio": stdio}),
            grpc.method_handlers_generic_handler("plugin.GRPCBroker", {"StartStream": broker}),
        )
    )
    running.add_insecure_port(f"unix:{tmp_path}/s")
    await running.start()
    yield served
    await running.stop(None)


@pytest.fixture
def book(tmp_path):
    return Logbook(tmp_path / "x.log", str)


@pytest.fixture
async def beside(server, book, tmp_path):
    made = Sideband(connect(f"unix:{tmp_path}/s"), book)
    yield made
    await made.close()


async def test_what_is_printed_is_logged_line_by_line(server, beside, book, until):
    for message in (
        printed(1, b"half a "),
        printed(2, b"[WARN] on stderr\n"),
        printed(1, b'line\n{"@level":"info","@message":"json"}\nrest'),
    ):
        server.stdio.put_nowait(message)
    server.stdio.put_nowait(None)
    await until(lambda: "rest" in book.tail)
    assert sorted(book.tail) == ["INFO json", "WARN on stderr", "half a line", "rest"]


async def test_nothing_printed_moves_the_cursor(server, beside, book, until):
    server.stdio.put_nowait(printed(1, b"\x1b[2Jx\n"))
    await until(lambda: book.tail)
    assert list(book.tail) == ["\\x1b[2Jx"]


async def test_an_unknown_channel_is_dropped(server, beside, book, until):
    server.stdio.put_nowait(printed(7, b"lost\n"))
    server.stdio.put_nowait(printed(1, b"kept\n"))
    await until(lambda: book.tail)
    assert list(book.tail) == ["kept"]


async def test_what_is_no_message_ends_the_stream_and_nothing_else(server, beside, book, until):
    await until(lambda: server.open == {"stdio", "broker"})
    server.stdio.put_nowait(b"\xff\xff")
    await until(lambda: server.open == {"broker"})
    assert not book.tail


async def test_a_flood_is_held_back(server, beside, book, until, monkeypatch):
    pauses = []
    monkeypatch.setattr(sideband.asyncio, "sleep", lambda seconds: pauses.append(seconds) or _sleep(0))
    for _ in range(3 << 10):
        server.stdio.put_nowait(printed(1, (b"x" * 99 + b"\n") * 10))
    await until(lambda: server.stdio.empty() and pauses)
    assert set(pauses) == {sideband.PAUSE}
    await until(lambda: book.dropped)


_sleep = asyncio.sleep


async def test_what_the_broker_offers_is_read_and_dropped(server, beside, book, until):
    for _ in range(5):
        server.broker.put_nowait(b"anything")
    await until(lambda: server.offered == 5)
    await until(lambda: server.open == {"stdio", "broker"})
    assert not book.tail


async def test_both_end_when_it_is_closed(server, beside, until):
    await until(lambda: server.open == {"stdio", "broker"})
    await beside.close()
    await until(lambda: not server.open)
    await beside.close()


async def test_last_words_are_waited_for_and_not_for_ever(server, beside, book, until):
    await until(lambda: server.open == {"stdio", "broker"})
    server.stdio.put_nowait(printed(1, b"bye"))
    server.stdio.put_nowait(None)
    await beside.finish(20)
    assert list(book.tail) == ["bye"]
    assert not asyncio.all_tasks() & {beside._stdio, beside._broker}


async def test_who_says_nothing_more_is_not_waited_for(server, beside, until):
    await until(lambda: server.open == {"stdio", "broker"})
    await beside.finish(0.01)
    await until(lambda: not server.open)


async def test_a_plugin_that_serves_neither_is_left_alone(tmp_path, book, caplog):
    running = grpc.aio.server()
    running.add_insecure_port(f"unix:{tmp_path}/s")
    await running.start()
    beside = Sideband(connect(f"unix:{tmp_path}/s"), book)
    await asyncio.wait((beside._stdio, beside._broker))
    await beside.close()
    await running.stop(None)
    assert not book.path.exists()
    assert not caplog.records
