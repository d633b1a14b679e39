"""The two streams that go-plugin's server expects its host to hold open beside the calls.

What a program made with go-plugin prints after its handshake never reaches its pipes: it waits to be fetched with
`GRPCStdio.StreamStdio`, and whoever prints more than a buffer holds stands still until then. And its broker, by which
it would offer or ask for further connections, waits for `GRPCBroker.StartStream`. This host offers none, so what comes
there is read and dropped. A plugin that serves neither answers UNIMPLEMENTED, and that was all.

Both are on a channel of their own: they are no calls, and nobody waits for their end but who closes them.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from grpc.aio import AioRpcError

from hector_host.manager.processes.pipes import CHUNK, PAUSE
from hector_host.manager.tasks import log_failure

if TYPE_CHECKING:
    from grpc.aio import Channel

    from hector_host.manager.logs.logbook import Logbook, Stream

STDIO = "/plugin.GRPCStdio/StreamStdio"
BROKER = "/plugin.GRPCBroker/StartStream"
OUTPUTS = frozenset({1, 2})
"""Standard output and standard error, as `StdioData.channel` counts them."""
OVERHEAD = 64
"""Bytes that a message counts beside what it carries: else a flood of empty ones would be nearly free."""


class Sideband:
    """The streams of one plugin, from the first answer of its process to the last line that it printed.

    Must be made in a running event loop, and closed.

    Args:
        channel: Belongs to this from now on.
        book: Where what it prints is logged, with the bounds of its pipes.
    """

    def __init__(self, channel: Channel, book: Logbook) -> None:
        self._channel = channel
        self._book = book
        self._streams: dict[int, Stream] = {}
        self._stdio = asyncio.create_task(self._listen(), name="stdio of a plugin")
        self._broker = asyncio.create_task(self._attend(), name="broker of a plugin")
        self._stdio.add_done_callback(log_failure)
        self._broker.add_done_callback(log_failure)

    async def finish(self, limit: float) -> None:
        """Reads what a process that has ended printed last.

        Args:
            limit: Seconds, at most.
        """
        await asyncio.wait((self._stdio,), timeout=limit)
        await self.close()

    async def close(self) -> None:
        """Ends both. May be called again."""
        self.cancel()
        await asyncio.wait((self._stdio, self._broker))
        await self._channel.close()

    def cancel(self) -> None:
        """As `close`, without waiting for anything."""
        self._stdio.cancel()
        self._broker.cancel()

    async def _listen(self) -> None:
        """Logs what is printed."""
        read = 0
        stream: Any = self._channel.unary_stream(STDIO)
        call = stream(b"")
        try:
            async for message in call:
                pause = not self._log(message)
                read += len(message) + OVERHEAD
                if pause and read > CHUNK:  # as much as a pipe is read at once
                    read = 0
                    await asyncio.sleep(PAUSE)
        except (AioRpcError, DecodeError):
            pass  # it does not serve that, or has ended
        finally:
            call.cancel()
            for each in self._streams.values():
                each.close()

    def _log(self, message: bytes) -> bool:
        """False when the reader had better pause."""
        data = _stdio_data().FromString(message)
        if data.channel not in OUTPUTS:
            return False
        if data.channel not in self._streams:
            self._streams[data.channel] = self._book.stream()
        return self._streams[data.channel].feed(data.data)

    async def _attend(self) -> None:
        """Hears whom the plugin's broker would connect with whom."""
        stream: Any = self._channel.stream_stream(BROKER)
        with suppress(AioRpcError):
            async for _ in stream():
                await asyncio.sleep(PAUSE)  # one for each connection that a plugin offers, and never many


@cache
def _stdio_data() -> Any:
    """The class of go-plugin's message `plugin.StdioData`."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="stdio.proto", package="plugin", syntax="proto3")
    message = file.message_type.add(name="StdioData")
    message.field.add(name="channel", number=1, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL)
    message.field.add(name="data", number=2, type=field.TYPE_BYTES, label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()  # of its own: a program may have loaded go-plugin's protos into the other
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("plugin.StdioData"))
