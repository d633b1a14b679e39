"""However a call ends, its place at the plugin is free again."""

import asyncio

import grpc
import pytest

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, StreamTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector_host.errors import CallError
from hector_host.manager import Manager
from hector_host.providers.call import Call
from hector_host.providers.rpc import Rpc


def rpc_of(providers) -> tuple[Rpc, Manager]:
    manager = providers.registry.llm("m")._rpc._manager
    return Rpc("llm/m", "p", manager, LLMProviderStub), manager


def stream(rpc, on_message=lambda _: None):
    return rpc.stream("StreamText", StreamTextRequest(), Call(), on_message, "")


async def free(manager):
    async with asyncio.timeout(20):
        while manager.status("p").in_flight or manager.status("p").queued:
            await asyncio.sleep(0)
    return True


async def test_a_call_that_is_cancelled_at_any_step(providing):
    async with providing(hang=["GenerateText"], stream=["a", "b", "c"], pause=3600) as providers:
        rpc, manager = rpc_of(providers)
        await manager.ready("p")
        for steps in range(6):  # the plugin has eight threads, and each call may keep one
            ask = stream(rpc) if steps % 2 else rpc.unary("GenerateText", GenerateTextRequest(), Call())
            task = asyncio.create_task(ask)
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await free(manager)
        assert manager.status("p").failures == 0


async def test_a_stream_whose_reader_breaks_or_goes_away(providing):
    async with providing(stream=["a", "b", "c"], pause=3600) as providers:
        rpc, manager = rpc_of(providers)
        await manager.ready("p")

        def breaks(_):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await stream(rpc, breaks)
        assert await free(manager)

        abandoned = stream(rpc)
        abandoned.send(None)  # up to its first wait
        assert manager.status("p").in_flight == 1
        abandoned.close()
        assert await free(manager)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_call_on_a_connection_that_is_closed_already(providing, streamed):
    async with providing() as providers:
        rpc, manager = rpc_of(providers)
        plugin = await manager.ready("p")
        await plugin.channel.close()
        method = "StreamText" if streamed else "GenerateText"
        ask = stream(rpc) if streamed else rpc.unary(method, GenerateTextRequest(), Call())
        with pytest.raises(CallError) as caught:
            await ask
        assert str(caught.value) == f"llm_provider/p: {method}: UNAVAILABLE: its connection was closed"
        assert caught.value.code is grpc.StatusCode.UNAVAILABLE
        assert await free(manager)
