"""Plugins that announce themselves and then speak something else than gRPC, or say nothing, or too much."""

import asyncio
import re
import time

import far
import grpc
import psutil
import pytest

from hector.plugin.v1.tool_pb2 import ExecuteToolRequest
from hector.plugin.v1.tool_pb2_grpc import ToolProviderStub
from hector_host.errors import CallError, StartError
from hector_host.providers.call import Call
from hector_host.providers.rpc import Rpc


@pytest.fixture
def servers():
    made = far.Servers()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("talk", "why", "reason"),
    [
        (far.says(b"\xff\x00 what is this \xfe\n" * 10), "failed to connect .* Failed parsing HTTP/2 .*", "protocol"),
        (
            far.says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
            "failed to connect .* Failed parsing HTTP/2 .*",
            "protocol",
        ),
        (far.hangs_up, "failed to connect .*", "start_timeout"),
        (far.silent, "", "start_timeout"),
    ],
    ids=["garbage", "HTTP/1", "hangs up", "silent"],
)
async def test_what_is_not_grpc_fails_within_its_time(host, servers, talk, why, reason):
    port = await asyncio.to_thread(servers.raw, talk)
    plugin = host.faulty("says", timeout="1s", stdout=f"1|1|tcp|127.0.0.1:{port}|grpc|\n")
    begun = time.monotonic()
    async with host.manager(x=plugin) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
        assert time.monotonic() - begun < 10
    first, second, step = str(caught.value).splitlines()
    assert re.fullmatch(
        rf"llm_provider/x: did not answer at 127\.0\.0\.1:{port} within 1 s" + (f": {why}" if why else ""), first
    )
    assert (second, step) == (
        "  it logged nothing",
        f"  Give it more time with start_timeout, or look into its log: {host.log('x')}",
    )
    assert host.states[:2] == ["starting: needed", f"backoff: {reason}"]


@pytest.mark.parametrize(("size", "fits"), [(5 << 20, True), (65 << 20, False), (256 << 20, False)])
async def test_a_large_answer_is_taken_and_a_larger_one_refused_without_the_memory_for_it(host, size, fits):
    tools = {"tool_providers": {"x": host.faulty("provider", result=size)}}
    async with host.manager(groups=False, **tools) as manager:
        rpc = Rpc("tool/x", "x", manager, ToolProviderStub)
        await manager.ready("x")
        before = psutil.Process().memory_info().rss
        if fits:
            answer = await rpc.unary("ExecuteTool", ExecuteToolRequest(tool="t"), Call())
            assert len(answer.result) == size
        else:
            with pytest.raises(CallError) as caught:
                await rpc.unary("ExecuteTool", ExecuteToolRequest(tool="t"), Call())
            assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
            (first,) = str(caught.value).splitlines()
            larger = r"Received message larger than max \(\d+ vs\. 67108864\)"
            assert re.fullmatch(rf"tool_provider/x: ExecuteTool: RESOURCE_EXHAUSTED: .*{larger}\)?", first)
            assert psutil.Process().memory_info().rss - before < 50 << 20
        assert manager.status("x").in_flight == 0


async def test_a_request_over_the_limit_is_refused_and_the_plugin_goes_on(host):
    tools = {"tool_providers": {"x": host.faulty("provider")}}
    async with host.manager(groups=False, **tools) as manager:
        rpc = Rpc("tool/x", "x", manager, ToolProviderStub)
        await manager.ready("x")
        with pytest.raises(CallError) as caught:
            await rpc.unary("ExecuteTool", ExecuteToolRequest(tool="t" * (65 << 20)), Call())
        assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        larger = r"Sent message larger than max \(\d+ vs\. 67108864\)"
        (first,) = str(caught.value).splitlines()
        assert re.fullmatch(rf"tool_provider/x: ExecuteTool: RESOURCE_EXHAUSTED: .*{larger}\)?", first)
        assert (await rpc.unary("ExecuteTool", ExecuteToolRequest(tool="t"), Call())).result == "x"
