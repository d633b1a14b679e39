"""The door's own RPCs, over a server and a client of gRPC."""

import asyncio

import grpc

from hector.host.v1.hector_pb2 import WatchPluginsRequest, WatchPluginsResponse
from hector.host.v1.hector_pb2_grpc import HectorStub
from hector_host.server.host import SERVICE
from hector_host.server.rpcs import handlers


class Hasty:
    """A service that gives up each write at once, and ends in peace."""

    def __getattr__(self, _):
        return None

    async def watch_plugins(self, _, write):
        writing = asyncio.create_task(write(WatchPluginsResponse()))
        await asyncio.sleep(0)  # it has begun
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


async def test_a_stream_whose_first_write_is_cancelled_ends_with_its_status():
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handlers(SERVICE, Hasty(), print),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        responses = [told async for told in HectorStub(channel).WatchPlugins(WatchPluginsRequest(), timeout=20)]
    await server.stop(None)
    assert responses == [WatchPluginsResponse()]
