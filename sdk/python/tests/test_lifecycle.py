"""When providers start and stop, and when calls are let in."""

import asyncio
from dataclasses import dataclass

import grpc
import pytest

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, GenerateTextResponse
from hector.plugin.v1.plugin_pb2 import ConfigureRequest
from hector_sdk import LLM, Failure, Status
from hector_sdk.lifecycle import Lifecycle, Settings
from hector_sdk.testing import running


@dataclass(frozen=True)
class Options:
    model: str = "small"


class Recorded(LLM[Options]):
    def __init__(self):
        self.events = []
        self.go = asyncio.Event()
        self.go.set()
        self.error = None
        self.answering = asyncio.Event()

    async def start(self):
        self.events.append(f"start {self.options.model} for {self.name} in {self.data_dir}")
        await self.go.wait()
        if self.error:
            raise self.error
        self.events.append("ready")

    async def stop(self):
        self.events.append("stop")

    async def generate_text(self, request):
        self.answering.set()
        await self.go.wait()
        self.events.append("answered")
        return GenerateTextResponse()


def settings(model, **more):
    return Settings({"model": model}, **more)


async def refused(call):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code(), error.value.details()


@pytest.fixture
def provider():
    return Recorded()


async def test_an_equal_configure_joins_and_another_starts_anew(provider, tmp_path):
    lifecycle = Lifecycle([provider], settings("small", data_dir=str(tmp_path / "new"), name="mine"))
    provider.go.clear()
    lifecycle.begin()
    joined = asyncio.create_task(lifecycle.configure(settings("small")))
    await asyncio.sleep(0)
    provider.go.set()
    await joined
    await lifecycle.configure(settings("small"))
    assert provider.events == [f"start small for mine in {tmp_path}/new", "ready"]
    assert (tmp_path / "new").is_dir()
    await lifecycle.configure(settings("large"))
    assert provider.events[2:] == ["stop", f"start large for mine in {tmp_path}/new", "ready"]
    await lifecycle.close()
    assert provider.events[5:] == ["stop"]


async def test_a_start_under_way_is_cancelled_by_other_options(provider, until):
    lifecycle = Lifecycle([provider])
    provider.go.clear()
    first = asyncio.create_task(lifecycle.configure(settings("small")))
    await until(lambda: bool(provider.events))
    second = asyncio.create_task(lifecycle.configure(settings("large")))
    with pytest.raises(Status) as superseded:
        await first
    assert (superseded.value.code, superseded.value.message) == (
        grpc.StatusCode.ABORTED,
        "superseded by a Configure with other options",
    )
    provider.go.set()
    await second
    assert provider.events == ["start small for  in None", "start large for  in None", "ready"]
    await lifecycle.close()


async def test_calls_before_configure_are_told_so(provider):
    async with running(provider) as stubs:
        assert await refused(stubs.llm.GenerateText(GenerateTextRequest())) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "the plugin is not configured: call Plugin.Configure first",
        )
    assert provider.events == []


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (Failure("no such model"), grpc.StatusCode.FAILED_PRECONDITION, "no such model"),
        (Status(grpc.StatusCode.UNAVAILABLE, "no network"), grpc.StatusCode.UNAVAILABLE, "no network"),
        (ZeroDivisionError("secret"), grpc.StatusCode.INTERNAL, "ZeroDivisionError"),
    ],
)
async def test_a_start_that_fails_is_told_and_tried_again(provider, error, code, words):
    provider.error = error
    async with running(provider) as stubs:
        assert await refused(stubs.plugin.Configure(ConfigureRequest())) == (code, words)
        assert await refused(stubs.llm.GenerateText(GenerateTextRequest())) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            f"the plugin did not start: {words}",
        )
        provider.error = None
        await stubs.plugin.Configure(ConfigureRequest())
        await stubs.llm.GenerateText(GenerateTextRequest())
    assert provider.events == ["start small for  in None", "start small for  in None", "ready", "answered", "stop"]


async def test_it_stops_only_when_the_last_call_has_left(provider):
    async with running(provider, config={}) as stubs:
        provider.go.clear()
        call = stubs.llm.GenerateText(GenerateTextRequest())
        await provider.answering.wait()
        other = stubs.plugin.Configure(ConfigureRequest(config={"model": "large"}))
        while (await refused_or_answered(stubs))[0] is not grpc.StatusCode.UNAVAILABLE:
            pass
        assert provider.events[1:] == ["ready"]
        provider.go.set()
        await call
        await other
        assert provider.events[2:4] == ["answered", "stop"]


async def refused_or_answered(stubs):
    return await refused(stubs.llm.GenerateText(GenerateTextRequest(), timeout=0.2))


async def test_a_call_that_will_not_leave_does_not_keep_it_for_ever(provider):
    lifecycle = Lifecycle([provider])
    await lifecycle.configure(Settings())
    lifecycle.gate.enter()
    await lifecycle.close()
    assert provider.events[-1] == "stop"
    with pytest.raises(Status, match=r"^the plugin is stopping$"):
        lifecycle.gate.enter()


async def test_providers_that_started_are_stopped_when_another_does_not(provider):
    other = Recorded()
    other.error = Failure("broken")
    lifecycle = Lifecycle([provider, other])
    with pytest.raises(Status, match=r"^broken$"):
        await lifecycle.configure(Settings())
    assert provider.events == ["start small for  in None", "ready", "stop"]
    assert other.events == ["start small for  in None"]
    await lifecycle.close()


async def test_a_stop_that_fails_does_not_keep_the_others(provider, caplog):
    class Broken(Recorded):
        async def stop(self):
            raise ZeroDivisionError

    lifecycle = Lifecycle([provider, Broken()])
    await lifecycle.configure(Settings())
    await lifecycle.close()
    assert provider.events[-1] == "stop"
    assert [record.getMessage() for record in caplog.records] == ["stopping LLMProvider failed"]
