"""One connection to a plugin that somebody else runs: how it comes about, how it ends, and that the next is new."""

import asyncio
import time

import far
import grpc
import pytest
from twins import programs

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc
from hector_host import config
from hector_host.manager.connect.addresses import Target
from hector_host.manager.connect.remote import RemoteInstance
from hector_host.manager.failure import Failure
from hector_host.manager.logs.logbook import Logbook


@pytest.fixture
def servers():
    serving = far.Servers()
    yield serving
    serving.close()


@pytest.fixture
async def dial(host):
    """Makes instances, and closes them."""
    made = []

    def make(target=None, **plugin):
        loaded = config.load(host.write(x=plugin))
        made.append(RemoteInstance(loaded.plugin("x"), loaded, Logbook(host.log("x"), loaded.redact), target))
        return made[-1]

    yield make
    for instance in made:
        await instance.close(0)


async def ask(plugin, model=""):
    stub = llm_pb2_grpc.LLMProviderStub(plugin.channel)
    return (await stub.GenerateText(llm_pb2.GenerateTextRequest(model=model), metadata=plugin.metadata)).text


async def ended(instance):
    async with asyncio.timeout(20):
        return await instance.ended()


@pytest.mark.parametrize("language", ["Python", "Go"])
async def test_a_plugin_that_is_killed_and_started_again(host, dial, tmp_path, language):
    twin = programs.both(tmp_path)[language == "Go"]
    address = f"127.0.0.1:{far.free_port()}"
    instance = dial(address=address, config={"replies": ["as configured"]})
    with twin.listening(address) as served:
        plugin = await instance.open()
        assert await ask(plugin, "script") == "as configured"
        assert plugin.failure is None
        served.process.kill()
        assert await ended(instance) == "connection"
    assert str(plugin.failure) == (
        f"llm_provider/x: lost its connection to {address}\n  It is connected again by itself; look there for why."
    )
    with pytest.raises(Failure) as caught:
        await instance.open()
    assert caught.value.what == f"nobody listens at {address}"
    with twin.listening(address):
        assert await ask(await instance.open(), "script") == "as configured"


async def test_a_server_that_sends_its_clients_away_loses_no_call(dial, servers):
    servicer, port = servers.plugin(max_connection_age_ms=300, max_connection_age_grace_ms=20_000)
    address = f"127.0.0.1:{port}"
    first, second = (dial(address=address, config={"greeting": "hi"}) for _ in range(2))
    plugin = await first.open()
    stream = llm_pb2_grpc.LLMProviderStub(plugin.channel).StreamText(llm_pb2.StreamTextRequest())
    assert (await stream.read()).text == "first"
    assert await ended(first) == "connection"
    assert plugin.failure is not None
    assert await ask(await second.open()) == "far"
    assert servicer.configured == [("x", {"greeting": "hi"}, "")] * 2
    closing = asyncio.create_task(first.close(20))
    servicer.finish.set()
    assert (await stream.read()).text == "last"
    await closing


async def test_a_connection_that_ends_before_the_plugin_is_ready(dial, servers, until):
    servicer, port = servers.plugin(max_connection_age_ms=100, max_connection_age_grace_ms=20_000)
    servicer.waits = True
    instance = dial(address=f"127.0.0.1:{port}", config={"greeting": "hi"})
    opening = asyncio.create_task(instance.open())
    assert await asyncio.to_thread(servicer.answering.wait, 20)
    await ended(instance)
    servicer.finish.set()
    with pytest.raises(Failure) as caught:
        await opening
    assert (caught.value.reason, caught.value.what) == (
        "connection",
        f"lost its connection to 127.0.0.1:{port} before it was ready",
    )


async def test_closing_ends_what_waits_for_the_end(dial, servers):
    _, port = servers.plugin()
    instance = dial(address=f"127.0.0.1:{port}")
    await instance.open()
    waiting = asyncio.create_task(instance.ended())
    await instance.close(0)
    async with asyncio.timeout(20):
        await waiting


async def test_discarding_leaves_no_task(dial, servers):
    _, port = servers.plugin()
    instance = dial(address=f"127.0.0.1:{port}")
    await instance.open()
    instance.discard()
    await ended(instance)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_metadata_goes_with_every_call(dial, servers):
    servicer, port = servers.plugin()
    metadata = {"authorization": "Bearer abc", "application": "echo"}
    plugin = await dial(address=f"127.0.0.1:{port}", config={"greeting": "hi"}, metadata=metadata).open()
    assert await ask(plugin) == "far"
    assert "abc" not in repr(plugin)
    assert sorted(servicer.metadata) == [
        "/grpc.health.v1.Health/Check",
        "/hector.plugin.v1.LLMProvider/GenerateText",
        "/hector.plugin.v1.Plugin/Configure",
        "/hector.plugin.v1.Plugin/Describe",
    ]
    for sent in servicer.metadata.values():
        assert sent.items() >= metadata.items()


async def test_who_refuses_once_is_asked_again(dial, servers):
    """It may be restarting. It serves nothing but LLMs: every call of the introduction is UNIMPLEMENTED."""
    refused = []
    serves = far.http2(far.GRPC + far.field(b"grpc-status", b"12"))

    def talk(connection):
        if refused:
            serves(connection)
        refused.append(connection)

    plugin = await dial(address=f"127.0.0.1:{servers.raw(talk)}").open()
    assert plugin.services == {"hector.plugin.v1.LLMProvider"}
    assert not plugin.serves_plugin


async def test_who_is_slow_is_waited_for(dial, servers):
    """A server across an ocean takes a few tenths of a second for each connection."""
    serves = far.http2(far.GRPC + far.field(b"grpc-status", b"12"))
    connections = []

    def talk(connection):
        connections.append(connection)
        time.sleep(0.4)
        serves(connection)

    plugin = await dial(address=f"127.0.0.1:{servers.raw(talk)}").open()
    assert not plugin.serves_plugin
    assert len(connections) == 1


async def test_certificates_are_read_with_each_connection(host, dial, servers):
    pair = far.certificate(host.folder, "ca", "plugin.test")
    _, port = servers.plugin(credentials=grpc.ssl_server_credentials([pair]))
    instance = dial(address=f"127.0.0.1:{port}", tls={"ca": "ca.pem", "server_name": "plugin.test"})
    assert await ask(await instance.open()) == "far"
    servers.newest.stop(None).wait()
    assert await ended(instance) == "connection"
    pair = far.certificate(host.folder, "ca", "plugin.test")
    servers.plugin(f"127.0.0.1:{port}", grpc.ssl_server_credentials([pair]))
    assert await ask(await instance.open()) == "far"


async def test_a_target_has_the_name_of_its_address(host, dial, servers):
    """One of the addresses of plugin.test: its certificate is for the name, and so is what proxies are told."""
    pair = far.certificate(host.folder, "ca", "plugin.test")
    _, port = servers.plugin(credentials=grpc.ssl_server_credentials([pair]))
    target = Target(f"127.0.0.1:{port}", f"ipv4:127.0.0.1:{port}", f"plugin.test:{port}")
    instance = dial(target, address=f"dns:///plugin.test:{port}", tls={"ca": "ca.pem"})
    assert instance.address == f"127.0.0.1:{port}"
    assert await ask(await instance.open()) == "far"


async def test_ipv6(dial, servers):
    _, port = servers.plugin("[::1]:0")
    assert await ask(await dial(address=f"[::1]:{port}").open()) == "far"
    target = Target(f"[::1]:{port}", f"ipv6:[::1]:{port}", f"plugin.test:{port}")
    assert await ask(await dial(target, address=f"dns:///plugin.test:{port}").open()) == "far"


async def test_nobody_is_dialled_after_an_attempt(dial, servers):
    """Not even while somebody keeps the error, whose frames hold calls of the channel."""
    connections = []
    instance = dial(address=f"127.0.0.1:{servers.raw(connections.append)}")
    with pytest.raises(Failure) as caught:
        await instance.open()
    await asyncio.sleep(0.5)  # gRPC's own attempts would follow after 50 ms, 80 ms, 130 ms …
    assert len(connections) == 2
    assert caught.value.reason == "connection"
