"""go-plugin's own services: what its hosts call beside the plugin's. Their messages need no types here.

GRPCController ends this process. GRPCBroker and GRPCStdio are streams that such a host opens at once and keeps until it
goes; nothing of the contract needs them, so they stay open and silent. What this process prints is in the log already,
by stderr, and would be there twice. Both end when the process is asked to stop: they are no calls to be waited for.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SHUTDOWN: Final = "/plugin.GRPCController/Shutdown"
BROKER: Final = "/plugin.GRPCBroker/StartStream"
STDIO: Final = "/plugin.GRPCStdio/StreamStdio"


class Controller(grpc.GenericRpcHandler):
    """Serves them.

    Args:
        stopping: Set when the host asks this process to stop; once set, the streams end.
    """

    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """What answers a method of theirs."""
        method = handler_call_details.method
        if method == SHUTDOWN:
            return grpc.unary_unary_rpc_method_handler(self._shutdown)
        if method == BROKER:
            return grpc.stream_stream_rpc_method_handler(self._broker)
        if method == STDIO:
            return grpc.unary_stream_rpc_method_handler(self._stdio)
        return None

    async def _shutdown(self, request: bytes, context: object) -> bytes:  # noqa: ARG002 - gRPC's signature
        self._stopping.set()
        return b""

    async def _broker(self, requests: AsyncIterator[bytes], context: object) -> None:  # noqa: ARG002 - gRPC's signature
        """Where the host would listen for this process, which dials nobody: read, so that the host is never held up."""
        reading = asyncio.create_task(_exhaust(requests))
        try:
            await self._stopping.wait()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _stdio(self, request: bytes, context: object) -> None:  # noqa: ARG002 - gRPC's signature
        await self._stopping.wait()


async def _exhaust(requests: AsyncIterator[bytes]) -> None:
    async for _ in requests:
        pass
