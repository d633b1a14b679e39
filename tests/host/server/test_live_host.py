"""A live host inside the test's own process: another edition of its configuration is put in the place of the first."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import leftovers
import pytest
import yaml

from hector.host.v1.hector_pb2 import CallRequest, ListAgentsRequest, ListPluginsRequest, WatchPluginsRequest
from hector.host.v1.hector_pb2_grpc import HectorStub
from hector.host.v1.supervision_pb2 import PLUGIN_STATE_READY
from hector_host import config, hosts
from hector_host.errors import ConfigError, HectorError
from hector_host.server import host as live_host
from hector_host.server.calls import StoppingError
from hector_host.server.endpoint import Endpoint
from hector_host.server.host import LiveHost

SECONDS = 20
GATED = Path(__file__).parents[2] / "e2e/plugins/gated.py"


def echo(*agents, **replies):
    """Agents, each with a model and a plugin of its own name, which say what they hear or what they are to reply."""
    return {
        "plugins": {
            "llm_providers": {
                name: {"package": "hector-echo-llm", "config": {"replies": replies.get(name, [])}} for name in agents
            }
        },
        "llms": {name: {"type": f"plugin:{name}", "model": "script" if name in replies else "echo"} for name in agents},
        "agents": {name: {"llm": name, "tools": []} for name in agents},
    }


def gated(*agents):
    """The same, and the agent `slow`, which says one piece and waits for `Serving.open_gate`."""
    document = echo(*agents)
    document["plugins"]["llm_providers"]["slow"] = {"path": str(GATED)}
    document["llms"]["slow"] = {"type": "plugin:slow"}
    document["agents"]["slow"] = {"llm": "slow", "tools": []}
    return document


class Serving:
    def __init__(self, folder, host, channel, told):
        self.folder = folder
        self.host = host
        self.stub = HectorStub(channel)
        self.told = told

    def load(self, document):
        return write(self.folder, document)

    async def answer(self, agent, message="Hello"):
        events = [event async for event in self.stub.Call(CallRequest(agent=agent, message=message))]
        return events[-1].run_finished.answer

    async def begin(self, agent):
        """A call whose plugin answers."""
        call = self.stub.Call(CallRequest(agent=agent, message="Hello"))
        while (await call.read()).WhichOneof("event") != "text_delta":
            pass
        return call

    def open_gate(self):
        (self.folder / ".hector/plugins/slow/gate").touch()

    async def plugins(self):
        return [plugin.name for plugin in (await self.stub.ListPlugins(ListPluginsRequest())).plugins]

    async def agents(self):
        return [agent.id for agent in (await self.stub.ListAgents(ListAgentsRequest())).agents]


async def rest(call):
    """The answer of a call that has begun."""
    while (event := await call.read()) is not grpc.aio.EOF:
        last = event
    return last.run_finished.answer


def write(folder, document):
    file = folder / "hector.yaml"
    file.write_text(yaml.safe_dump(document))
    return config.load(file)


async def until(holds):
    async with asyncio.timeout(SECONDS):
        while not (found := await holds()):
            await asyncio.sleep(0.01)
    return found


@pytest.fixture
def serving(tmp_path, monkeypatch):
    @asynccontextmanager
    async def serve(document):
        told = []
        async with (
            LiveHost(write(tmp_path, document), Endpoint("127.0.0.1", 0), told.append) as host,
            grpc.aio.insecure_channel(host.address) as channel,
        ):
            yield Serving(tmp_path, host, channel, told)

    with leftovers.none(tmp_path) as sockets:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(sockets))
        before = leftovers.descriptors(tmp_path, sockets)
        yield serve
        after = leftovers.descriptors(tmp_path, sockets)
    assert after == before


async def test_it_serves_while_it_is_entered(serving, tmp_path):
    async with serving(echo("a")) as live:
        assert await live.answer("a") == "Hello"
        record = hosts.of(tmp_path / "hector.yaml")
        assert record is not None
        assert record.address == live.host.address == live.host.description.addresses[0]
    assert hosts.of(tmp_path / "hector.yaml") is None


async def test_new_calls_find_what_a_new_edition_declares(serving):
    async with serving(echo("a")) as live:
        changes = await live.host.apply(live.load(echo("a", "b")))
        assert (changes.added, changes.removed, changes.changed, changes.failed) == (("b",), (), (), {})
        assert await live.agents() == ["a", "b"]
        assert await live.answer("b") == "Hello"
        assert await live.answer("a") == "Hello"


async def test_a_changed_plugin_answers_in_the_new_way(serving):
    async with serving(echo("a")) as live:
        assert await live.answer("a") == "Hello"
        document = echo("a", a=["Good day"])
        changes = await live.host.apply(live.load(document))
        assert changes.changed == ("a",)
        assert await live.answer("a") == "Good day"


async def test_a_plugin_that_is_gone_goes_at_once_when_nobody_needs_it(serving):
    async with serving(echo("a", "b")) as live:
        assert await live.answer("b") == "Hello"
        changes = await live.host.apply(live.load(echo("a")))
        assert changes.removed == ("b",)

        async def stopped():
            return any(line.startswith("plugin b: stopped") for line in live.told)

        await until(stopped)
        assert await live.plugins() == ["a"]
        assert await live.answer("a") == "Hello"


async def test_a_run_ends_on_the_plugins_that_it_began_with(serving):
    async with serving(gated("a")) as live:
        slow = await live.begin("slow")
        changes = await live.host.apply(live.load(echo("a")))
        assert changes.removed == ("slow",)
        assert await live.agents() == ["a"]
        assert await live.plugins() == ["a", "slow"]
        live.open_gate()
        assert await rest(slow) == "one two three"

        async def gone():
            return await live.plugins() == ["a"]

        await until(gone)


async def test_who_watches_learns_what_comes_and_goes(serving):
    async with serving(echo("a", "b")) as live:
        watching = live.stub.WatchPlugins(WatchPluginsRequest())
        first = await watching.read()
        assert [plugin.name for plugin in first.plugins] == ["a", "b"]
        assert not first.changes
        await live.host.apply(live.load(echo("a", "c")))
        removed, seen = [], {}
        async with asyncio.timeout(SECONDS):
            while removed != ["b"] or seen.get("c") != PLUGIN_STATE_READY:
                told = await watching.read()
                removed += told.removed
                seen |= {plugin.name: plugin.state for plugin in told.plugins}
        watching.cancel()


async def test_a_run_that_never_ends_does_not_keep_a_plugin_for_ever(serving, monkeypatch):
    monkeypatch.setattr(live_host, "RETIRE_LIMIT", 0.0)
    async with serving(gated("a")) as live:
        slow = await live.begin("slow")
        await live.host.apply(live.load(echo("a")))

        async def gone():
            return await live.plugins() == ["a"]

        await until(gone)
        slow.cancel()


async def test_a_plugin_that_comes_back_meanwhile_stays(serving):
    async with serving(gated("a")) as live:
        slow = await live.begin("slow")
        process = live.host.manager.status("slow").replicas[0].pid
        await live.host.apply(live.load(echo("a")))
        changes = await live.host.apply(live.load(gated("a")))
        assert (changes.added, changes.removed) == ((), ())
        live.open_gate()
        assert await rest(slow) == "one two three"
        assert await live.answer("slow") == "one two three"
        assert live.host.manager.status("slow").replicas[0].pid == process


async def test_leaving_it_ends_what_waits_for_old_runs(serving):
    async with serving(gated("a")) as live:
        slow = await live.begin("slow")
        await live.host.apply(live.load(echo("a")))
        assert await live.plugins() == ["a", "slow"]
        assert not slow.done()


async def test_what_a_lost_plugin_waits_for_outlives_an_edition_that_cannot_be_applied(serving, monkeypatch):
    async with serving(gated("a")) as live:
        slow = await live.begin("slow")
        await live.host.apply(live.load(echo("a")))

        async def fail(_):
            raise ZeroDivisionError

        with monkeypatch.context() as broken:
            broken.setattr(live.host.manager, "apply", fail)
            with pytest.raises(ZeroDivisionError):
                await live.host.apply(live.load(echo("a", "b")))
        assert await live.plugins() == ["a", "slow"]
        live.open_gate()
        assert await rest(slow) == "one two three"

        async def gone():
            return await live.plugins() == ["a"]

        await until(gone)
        assert await live.answer("a") == "Hello"


async def test_a_bug_in_letting_go_of_a_lost_plugin_is_told(serving, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with serving(gated("a")) as live:
        slow = await live.begin("slow")
        await live.host.apply(live.load(echo("a")))

        async def fail(_):
            raise ZeroDivisionError

        monkeypatch.setattr(live.host.manager, "apply", fail)
        live.open_gate()
        assert await rest(slow) == "one two three"

        async def told():
            return [line for line in live.told if line.startswith("internal error")]

        (line,) = await until(told)
        (file,) = tmp_path.glob("hector-bug-*.txt")
        assert line == f"internal error: ZeroDivisionError: a bug of Hector; what happened is in {file}"


async def test_secrets_of_a_plugin_that_is_kept_stay_secret(serving, monkeypatch):
    monkeypatch.setenv("SLOW_KEY", "hunter2hunter2")
    document = gated("a")
    document["plugins"]["llm_providers"]["slow"]["env"] = {"KEY": "${SLOW_KEY}"}
    async with serving(document) as live:
        slow = await live.begin("slow")
        await live.host.apply(live.load(echo("a")))
        assert live.host.manager.redact("hunter2hunter2") == "${SLOW_KEY}"
        slow.cancel()


async def test_an_earlier_value_of_a_secret_stays_secret(serving, monkeypatch):
    document = gated("a")
    document["plugins"]["llm_providers"]["slow"]["env"] = {"KEY": "${SLOW_KEY}"}
    monkeypatch.setenv("SLOW_KEY", "first-first")
    async with serving(document) as live:
        slow = await live.begin("slow")
        for value in ("second-second", "third-third"):
            monkeypatch.setenv("SLOW_KEY", value)
            assert (await live.host.apply(live.load(document))).changed == ("slow",)
        told = "first-first, second-second and third-third"
        assert live.host.manager.redact(told) == "${SLOW_KEY}, ${SLOW_KEY} and ${SLOW_KEY}"
        assert live.host.deployments.current.config.redact(told) == "${SLOW_KEY}, ${SLOW_KEY} and ${SLOW_KEY}"
        slow.cancel()


async def test_what_only_a_new_start_can_change_is_refused(serving, tmp_path):
    async with serving(echo("a")) as live:
        other = live.load(echo("a", "b") | {"storage": {"path": "other"}})
        with pytest.raises(ConfigError) as refused:
            await live.host.apply(other)
        assert str(refused.value) == (
            f"{tmp_path}/hector.yaml:26: storage.path: a live host keeps its storage folder\n  Start the host anew."
        )
        assert await live.agents() == ["a"]


async def test_a_host_that_ends_takes_no_new_edition(serving):
    async with serving(echo("a")) as live:
        await live.host.finish(0, asyncio.Event())
        with pytest.raises(StoppingError):
            await live.host.apply(live.load(echo("a", "b")))


async def test_a_host_that_cannot_begin_leaves_nothing(serving, tmp_path):
    async with serving(echo("a")) as live:
        port = int(live.host.address.rpartition(":")[2])
        second = config.load(live.folder / "hector.yaml")
        with pytest.raises(HectorError, match="has this storage folder"):
            async with LiveHost(second, Endpoint("127.0.0.1", 0), print):
                pass
        (tmp_path / "below").mkdir()
        third = write(tmp_path / "below", echo("a"))
        with pytest.raises(HectorError, match=f"port {port} is in use"):
            async with LiveHost(third, Endpoint("127.0.0.1", port), print):
                pass
        assert not (tmp_path / "below/.hector/host.json").exists()


async def test_a_bug_is_told_once_and_hides_what_happened_from_the_caller(serving, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with serving(echo("a")) as live:

        def fail(*_):
            raise ZeroDivisionError("secret")

        monkeypatch.setattr(live.host.plugins, "all", fail)
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await live.plugins()
        assert told.value.code() is grpc.StatusCode.INTERNAL
        assert told.value.details() == "internal error: ZeroDivisionError"
        (file,) = tmp_path.glob("hector-bug-*.txt")
        assert "ZeroDivisionError: secret" in file.read_text()
        assert f"internal error: ZeroDivisionError: a bug of Hector; what happened is in {file}" in live.told
