"""A Hector plugin without an SDK: a gRPC server and one printed line."""

import asyncio
import os
import sys

import grpc

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc


class Reverse(llm_pb2_grpc.LLMProviderServicer):
    """A language model that answers backwards."""

    async def GenerateText(  # noqa: N802  the contract's name
        self,
        request: llm_pb2.GenerateTextRequest,
        context: object,  # noqa: ARG002  gRPC hands it over
    ) -> llm_pb2.GenerateTextResponse:
        """One question, one answer."""
        return llm_pb2.GenerateTextResponse(text=request.prompt[::-1])


async def main() -> None:
    """Listen first, then say where."""
    if os.environ.get("HECTOR_PLUGIN") != "hector_plugin_v1":
        sys.exit("reverse is a Hector plugin: name it in a configuration and call an agent")
    socket = os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "reverse")  # noqa: PTH118  part of an address
    server = grpc.aio.server()
    llm_pb2_grpc.add_LLMProviderServicer_to_server(Reverse(), server)
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    print(f"1|1|unix|{socket}|grpc|", flush=True)  # noqa: T201  the handshake
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
