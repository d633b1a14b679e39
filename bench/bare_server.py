"""A gRPC server that answers any call with so many bytes: what a round trip costs by itself."""

from __future__ import annotations

import asyncio
import sys

import grpc


class Answering(grpc.GenericRpcHandler):
    """Serves every method."""

    def __init__(self, size: int) -> None:
        self._answer = bytes(size)

    def service(self, handler_call_details: object) -> grpc.RpcMethodHandler:  # noqa: ARG002 - gRPC's
        return grpc.unary_unary_rpc_method_handler(self._say)

    async def _say(self, request: bytes, context: object) -> bytes:  # noqa: ARG002 - gRPC's
        return self._answer


async def main(address: str, size: int) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Answering(size),))
    server.add_insecure_port(address)
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
