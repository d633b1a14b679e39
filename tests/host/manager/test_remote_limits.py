"""What an answer may take of the host's memory."""

import asyncio
import subprocess
import sys

import far
import pytest

from hector.plugin.v1 import llm_pb2


@pytest.fixture
def servers():
    serving = far.Servers()
    yield serving
    serving.close()


class Wordy(far.FarPlugin):
    def __init__(self, size):
        super().__init__()
        self._size = size

    def GenerateText(self, request, context):  # noqa: N802 (gRPC names it)
        return llm_pb2.GenerateTextResponse(text="x" * self._size)


ASKS = """
import asyncio, resource, sys
import grpc
from hector_host.manager.connect.addresses import single
from hector_host.manager.connect.channel import dial

async def main():
    channel = dial(single(sys.argv[1]), None, None)
    await channel.channel_ready()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        answer = await channel.unary_unary("/hector.plugin.v1.LLMProvider/GenerateText")(b"")
        print(len(answer))
    except grpc.aio.AioRpcError as error:
        print(error.code().name, error.details())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    await channel.close()

asyncio.run(main())
"""


async def asked(port):
    """What came of one call, and the kilobytes by which the memory of the process that made it grew."""
    command = [sys.executable, "-c", ASKS, f"127.0.0.1:{port}"]
    return (await asyncio.to_thread(subprocess.check_output, command, text=True)).splitlines()


@pytest.mark.parametrize(
    ("size", "said"),
    [(65 << 20, "larger than max (68157445 vs. 67108864)"), (1 << 30, "larger than max (1073741824 vs. 67108864)")],
    ids=["65MiB", "1GiB"],
)
async def test_an_answer_that_is_too_large_costs_no_memory(servers, size, said):
    if size < 1 << 30:
        _, port = servers.plugin(servicer=Wordy(size), max_send_message_length=-1)
    else:  # its announcement is enough, and nobody has to hold it here
        port = servers.raw(far.http2(far.GRPC, b"\0" + size.to_bytes(4, "big")))
    answer, kilobytes = await asked(port)
    assert answer.startswith("RESOURCE_EXHAUSTED ")
    assert said in answer
    assert int(kilobytes) < 50 << 10


async def test_an_answer_of_five_mebibytes_is_none_too_large(servers):
    _, port = servers.plugin(servicer=Wordy(5 << 20), max_send_message_length=-1)
    answer, _ = await asked(port)
    assert int(answer) > 5 << 20
