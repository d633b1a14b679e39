"""A plugin whose calls all hang is alive, and says so."""

import asyncio
import threading

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, GenerateTextResponse, StreamTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderServicer
from hector.plugin.v1.tool_pb2 import ExecuteToolRequest
from hector_sdk import LLM, Tools, tool
from hector_sdk.testing import running

CALLS = 60
PROMPT = 0.1
"""Seconds for an answer."""


class Hanging:
    """Holds every call until the end of the test."""

    def __init__(self):
        self.release = threading.Event()
        self.inside = 0
        self._lock = threading.Lock()

    def hang(self):
        with self._lock:
            self.inside += 1
        self.release.wait(60)


async def checked(stubs, within=PROMPT):
    answer = await health_pb2_grpc.HealthStub(stubs.channel).Check(health_pb2.HealthCheckRequest(), timeout=within)
    return answer.status


async def checked_until_it_fails(stubs):
    while True:
        await checked(stubs, 1)


@pytest.fixture
def hanging():
    hanging = Hanging()
    yield hanging
    hanging.release.set()


def functions(hanging):
    @tool
    def hang() -> str:
        """Hang."""
        hanging.hang()
        return ""

    return Tools(hang), lambda stubs: stubs.tools.ExecuteTool(ExecuteToolRequest(tool="hang"))


def servicer(hanging):
    class Sync(LLMProviderServicer):
        def GenerateText(self, request, context):  # noqa: N802 - the contract's name
            hanging.hang()
            return GenerateTextResponse()

    return Sync(), lambda stubs: stubs.llm.GenerateText(GenerateTextRequest())


def streams_of_a_servicer(hanging):
    class Sync(LLMProviderServicer):
        def StreamText(self, request, context):  # noqa: N802 - the contract's name
            hanging.hang()
            yield from ()

    return Sync(), lambda stubs: stubs.llm.StreamText(StreamTextRequest()).read()


def coroutines(hanging):
    class Model(LLM):
        async def generate_text(self, request):
            hanging.inside += 1
            await asyncio.to_thread(hanging.release.wait, 60)
            return GenerateTextResponse()

    return Model(), lambda stubs: stubs.llm.GenerateText(GenerateTextRequest())


@pytest.mark.parametrize("kind", [functions, servicer, streams_of_a_servicer, coroutines])
async def test_health_is_answered_at_once_while_every_call_hangs(hanging, until, kind):
    provider, call = kind(hanging)
    async with running(provider, config={}) as stubs:
        assert await checked(stubs, 10) == health_pb2.HealthCheckResponse.SERVING
        calls = [asyncio.ensure_future(call(stubs)) for _ in range(CALLS)]
        await until(lambda: hanging.inside == CALLS)
        assert await checked(stubs) == health_pb2.HealthCheckResponse.SERVING
        hanging.release.set()
        await asyncio.gather(*calls)


async def test_a_coroutine_that_blocks_the_loop_is_found_by_the_health_check(launch):
    stubs = await launch("blocking.py").connect()
    async for change in health_pb2_grpc.HealthStub(stubs.channel).Watch(health_pb2.HealthCheckRequest()):
        if change.status == health_pb2.HealthCheckResponse.SERVING:
            break
    call = stubs.llm.GenerateText(GenerateTextRequest())
    with pytest.raises(grpc.aio.AioRpcError) as silent:
        await checked_until_it_fails(stubs)
    assert silent.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    call.cancel()
