"""What go-plugin's hosts open beside the calls, and the group that they may have a socket given to."""

import asyncio
import os
import stat
from pathlib import Path

import grpc
import psutil
import pytest

from hector.plugin.v1.plugin_pb2 import ConfigureRequest

BROKER = "/plugin.GRPCBroker/StartStream"
STDIO = "/plugin.GRPCStdio/StreamStdio"
CONNECTION = b"\x08\x01\x12\x04unix\x1a\x06/tmp/x"
"""A ConnInfo: the host would listen there."""


async def health(channel):
    return await channel.unary_unary("/grpc.health.v1.Health/Check")(b"")


def opened(channel):
    """Both streams, as a host opens them."""
    broker = channel.stream_stream(BROKER)()
    return broker, channel.unary_stream(STDIO)(b"")


async def test_both_streams_stay_open_and_silent_until_the_host_ends_the_process(launch):
    plugin = launch("noisy.py")
    stubs = await plugin.connect()
    await stubs.plugin.Configure(ConfigureRequest())
    broker, stdio = opened(stubs.channel)
    for _ in range(1000):
        await broker.write(CONNECTION)  # read at once, or this would wait for ever
    reads = [asyncio.create_task(each.read()) for each in (broker, stdio)]
    _, waiting = await asyncio.wait(reads, timeout=0.3)
    assert len(waiting) == 2
    await stubs.channel.unary_unary("/plugin.GRPCController/Shutdown")(b"")
    assert [await each for each in reads] == [grpc.aio.EOF, grpc.aio.EOF]
    assert [await each.code() for each in (broker, stdio)] == [grpc.StatusCode.OK, grpc.StatusCode.OK]
    assert plugin.ended()[0] == 0


async def test_streams_that_come_and_go_cost_nothing(launch):
    plugin = launch("noisy.py")
    stubs = await plugin.connect()
    await stubs.plugin.Configure(ConfigureRequest())
    process = psutil.Process(plugin.popen.pid)

    async def rounds(number):
        for _ in range(number):
            broker, stdio = opened(stubs.channel)
            await broker.write(CONNECTION)
            assert await health(stubs.channel)  # both have arrived by then
            for stream in (broker, stdio):
                stream.cancel()

    await rounds(30)
    threads, memory = process.num_threads(), process.memory_info().rss
    await rounds(150)
    assert process.num_threads() <= threads
    assert process.memory_info().rss - memory < 4 << 20
    plugin.popen.terminate()
    _, _, err = plugin.ended()
    assert "rror" not in err  # nor did a task die unheard


@pytest.mark.parametrize("named", [False, True], ids=["number", "name"])
def test_a_group_may_use_the_socket(launch, sockets, named):
    grp = pytest.importorskip("grp")
    group = next((each for each in os.getgroups() if each != os.getgid()), os.getgid())
    said = grp.getgrgid(group).gr_name if named else str(group)
    plugin = launch("noisy.py", socket_dir=None, TMPDIR=str(sockets), PLUGIN_UNIX_SOCKET_GROUP=said)
    path = Path(plugin.line().split("|")[3])
    for place, mode in ((path, 0o660), (path.parent, 0o710)):
        assert (stat.S_IMODE(place.stat().st_mode), place.stat().st_gid) == (mode, group)


def test_in_the_hosts_directory_the_socket_alone_is_given(launch, sockets):
    plugin = launch("noisy.py", PLUGIN_UNIX_SOCKET_GROUP=str(os.getgid()))
    path = Path(plugin.line().split("|")[3])
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700


def test_a_group_that_is_not_there(launch):
    code, out, err = launch("noisy.py", PLUGIN_UNIX_SOCKET_GROUP="nobody-s own").ended()
    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == "noisy: PLUGIN_UNIX_SOCKET_GROUP is nobody-s own, and there is no such group"
