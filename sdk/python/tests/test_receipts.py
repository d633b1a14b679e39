"""A keyed call happens once, whatever happens to anybody."""

import asyncio
import sqlite3
import threading

import grpc
import pytest

from hector.plugin.v1.plugin_pb2 import ConfigureRequest
from hector.plugin.v1.tool_pb2 import ExecuteToolRequest, ExecuteToolResponse, ListToolsRequest
from hector_sdk import Failure, Status, Tools, tool
from hector_sdk.ledger import DAY
from hector_sdk.receipts import Receipts
from hector_sdk.testing import running
from hector_sdk.values import struct

LOST = 'the call with the idempotency key "k" was begun and nobody knows how it ended'
OTHER = 'the idempotency key "k" belongs to a call of another tool or with other parameters'


class Counted(Tools):
    def __init__(self):
        super().__init__()
        self.runs = []
        self.go = asyncio.Event()
        self.go.set()
        self.begun = asyncio.Event()
        self.release_thread = threading.Event()

    @tool(keeps_receipts=True)
    async def act(self, how: str = "well") -> str:
        self.runs.append(how)
        self.begun.set()
        await self.go.wait()
        match how:
            case "failure":
                raise Failure("the door is locked")
            case "status":
                raise Status(grpc.StatusCode.UNAVAILABLE, "no network")
            case "bug":
                raise ZeroDivisionError
        return f"run {len(self.runs)}"

    @tool
    async def careless(self) -> str:
        self.runs.append("careless")
        return f"run {len(self.runs)}"

    @tool(keeps_receipts=True)
    def threaded(self) -> str:
        self.runs.append("threaded")
        self.release_thread.wait(20)
        return f"run {len(self.runs)}"


def keyed(name="act", key="k", **parameters):
    return ExecuteToolRequest(tool=name, parameters=struct(parameters), idempotency_key=key)


async def refused(call):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code(), error.value.details()


@pytest.fixture
def provider():
    return Counted()


@pytest.fixture
async def stubs(provider, tmp_path):
    async with running(provider, config={}, data_dir=tmp_path) as stubs:
        yield stubs.tools


async def test_a_repeated_key_is_answered_from_its_receipt(stubs, provider):
    first = await stubs.ExecuteTool(keyed())
    assert first == ExecuteToolResponse(success=True, result="run 1")
    assert await stubs.ExecuteTool(keyed()) == first
    assert (await stubs.ExecuteTool(keyed(key="other"))).result == "run 2"
    assert (await stubs.ExecuteTool(keyed(key=""))).result == "run 3"
    assert (await stubs.ExecuteTool(keyed("careless"))).result == "run 4"
    assert (await stubs.ExecuteTool(keyed("careless"))).result == "run 5"


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ("status", grpc.StatusCode.UNAVAILABLE, "no network"),
        ("bug", grpc.StatusCode.INTERNAL, "ZeroDivisionError"),
    ],
)
async def test_a_status_is_an_end_too(stubs, provider, how, code, words):
    for _ in range(2):
        assert await refused(stubs.ExecuteTool(keyed(how=how))) == (code, words)
    assert provider.runs == [how]


async def test_a_failure_is_an_end_too(stubs, provider):
    for _ in range(2):
        answer = await stubs.ExecuteTool(keyed(how="failure"))
        assert answer == ExecuteToolResponse(success=False, error="the door is locked")
    assert provider.runs == ["failure"]


async def test_a_key_belongs_to_one_call(stubs, provider):
    await stubs.ExecuteTool(keyed())
    for other in (keyed(how="well"), keyed("threaded")):
        assert await refused(stubs.ExecuteTool(other)) == (grpc.StatusCode.INVALID_ARGUMENT, OTHER)
    assert provider.runs == ["well"]


async def test_a_call_that_is_refused_leaves_no_receipt(stubs):
    assert (await refused(stubs.ExecuteTool(keyed(how=1))))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert (await stubs.ExecuteTool(keyed())).result == "run 1"


async def test_the_same_call_at_once_shares_one_run(stubs, provider):
    provider.go.clear()
    calls = [stubs.ExecuteTool(keyed()) for _ in range(5)]
    await provider.begun.wait()
    assert await refused(stubs.ExecuteTool(keyed(how="failure"))) == (grpc.StatusCode.INVALID_ARGUMENT, OTHER)
    provider.go.set()
    assert {answer.result for answer in await asyncio.gather(*calls)} == {"run 1"}


async def test_one_caller_that_leaves_does_not_cancel_the_others(stubs, provider):
    provider.go.clear()
    leaving, staying = stubs.ExecuteTool(keyed()), stubs.ExecuteTool(keyed())
    await provider.begun.wait()
    leaving.cancel()
    provider.go.set()
    assert (await staying).result == "run 1"


async def test_a_call_that_all_cancelled_has_no_known_end(stubs, provider, tmp_path):
    provider.go.clear()
    call = stubs.ExecuteTool(keyed())
    await provider.begun.wait()
    call.cancel()
    assert await refused_once_settled(stubs) == (grpc.StatusCode.ABORTED, LOST)
    assert provider.runs == ["well"]


async def refused_once_settled(stubs):
    while True:
        try:
            await stubs.ExecuteTool(keyed(), timeout=0.5)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.ABORTED:
                return error.code(), error.details()


async def test_who_joins_a_call_that_is_being_cancelled_is_told(tmp_path):
    receipts = Receipts(tmp_path)
    begun, ending, end = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ending.set()
            await end.wait()

    first = asyncio.create_task(receipts.execute(keyed(), run, cancellable=True))
    await begun.wait()
    first.cancel()
    await ending.wait()
    second = asyncio.create_task(receipts.execute(keyed(), run, cancellable=True))
    await asyncio.sleep(0)
    end.set()
    with pytest.raises(Status) as told:
        await second
    assert (told.value.code, told.value.message) == (grpc.StatusCode.ABORTED, LOST)
    await asyncio.gather(first, return_exceptions=True)
    await receipts.close()


async def test_a_thread_that_nobody_waits_for_still_leaves_its_receipt(stubs, provider, until):
    call = stubs.ExecuteTool(keyed("threaded"))
    await until(lambda: bool(provider.runs))
    call.cancel()
    provider.release_thread.set()
    assert (await stubs.ExecuteTool(keyed("threaded"))).result == "run 1"


async def test_without_a_data_directory_there_are_none_and_it_says_so(provider, tmp_path):
    async with running(provider) as stubs:
        await stubs.plugin.Configure(ConfigureRequest())
        assert not any(each.effects.keeps_receipts for each in (await stubs.tools.ListTools(ListToolsRequest())).tools)
        assert [(await stubs.tools.ExecuteTool(keyed())).result for _ in range(2)] == ["run 1", "run 2"]
    async with running(provider, config={}, data_dir=tmp_path) as stubs:
        kept = {
            each.name: each.effects.keeps_receipts for each in (await stubs.tools.ListTools(ListToolsRequest())).tools
        }
    assert kept == {"act": True, "careless": False, "threaded": True}


async def test_receipts_are_kept_for_a_month_and_then_forgotten(tmp_path):
    now = 0.0
    runs = 0

    async def run():
        nonlocal runs
        runs += 1
        return ExecuteToolResponse(success=True)

    for now, expected in ((0.0, 1), (30 * DAY, 1), (31 * DAY + 1, 2), (61 * DAY, 2)):
        receipts = Receipts(tmp_path, clock=lambda now=now: now)
        await receipts.execute(keyed(), run, cancellable=True)
        assert (now, runs) == (now, expected)
        await receipts.close()


async def test_a_process_that_runs_on_forgets_too(tmp_path):
    now = 0.0

    async def run():
        return ExecuteToolResponse(success=True)

    receipts = Receipts(tmp_path, clock=lambda: now)
    await receipts.execute(keyed(), run, cancellable=True)
    now = 32 * DAY
    await receipts.execute(keyed(key="other"), run, cancellable=True)
    await receipts.close()
    with sqlite3.connect(tmp_path / "receipts.sqlite3") as connection:
        assert connection.execute("SELECT key FROM receipts").fetchall() == [("other",)]
    connection.close()


async def test_receipts_survive_kill_9(launch, tmp_path, until):
    first = launch("tooled.py", HECTOR_PLUGIN_DATA_DIR=str(tmp_path))
    stubs = await first.connect()
    await stubs.plugin.Configure(ConfigureRequest())
    done = await stubs.tools.ExecuteTool(keyed("count", "done", amount=7))
    assert done == ExecuteToolResponse(success=True, result="added 7")
    hanging = stubs.tools.ExecuteTool(keyed("hang"))
    lines = tmp_path / "lines"
    await until(lambda: lines.read_text() == "7\n1\n")
    first.kill()
    with pytest.raises(grpc.aio.AioRpcError):
        await hanging

    second = launch("tooled.py", HECTOR_PLUGIN_DATA_DIR=str(tmp_path))
    stubs = await second.connect()
    await stubs.plugin.Configure(ConfigureRequest())
    assert await stubs.tools.ExecuteTool(keyed("count", "done", amount=7)) == done
    assert await refused(stubs.tools.ExecuteTool(keyed("hang"))) == (grpc.StatusCode.ABORTED, LOST)
    assert lines.read_text() == "7\n1\n"
