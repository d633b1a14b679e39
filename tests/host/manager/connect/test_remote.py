"""Plugins that somebody else runs, in a manager: reached by TCP or a socket, with and without TLS, lost and found."""

import far
import grpc
import pytest

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc
from hector_host.errors import StartError
from hector_host.manager import State


@pytest.fixture
def servers():
    serving = far.Servers()
    yield serving
    serving.close()


async def ask(plugin):
    stub = llm_pb2_grpc.LLMProviderStub(plugin.channel)
    return (await stub.GenerateText(llm_pb2.GenerateTextRequest(prompt="hi"), metadata=plugin.metadata)).text


@pytest.mark.parametrize("scheme", ["", "dns:///"])
async def test_an_address_without_options_is_not_configured(host, servers, scheme):
    servicer, port = servers.plugin()
    async with host.manager(x={"address": f"{scheme}localhost:{port}"}) as manager:
        plugin = await manager.ready("x")
        assert await ask(plugin) == "far"
        assert (plugin.pid, plugin.failure, plugin.serves_plugin) == (0, None, True)
    assert servicer.configured == []


async def test_what_is_told_of_its_states(host, servers):
    _, port = servers.plugin()
    async with host.manager(x={"address": f"127.0.0.1:{port}"}) as manager:
        await manager.ready("x")
    assert host.states == [
        "starting: needed",
        "ready: healthy",
        "draining: stopped by the host",
        "stopped: stopped by the host",
    ]


async def test_an_address_with_options_is_configured(host, servers):
    servicer, _ = servers.plugin(f"unix:{host.folder}/s")
    async with host.manager(x={"address": "unix:s", "config": {"greeting": "hi"}}) as manager:
        assert await ask(await manager.ready("x")) == "far"
    assert servicer.configured == [("x", {"greeting": "hi"}, "")]


async def test_tls_both_ways(host, servers):
    pair = far.certificate(host.folder, "own", "plugin.test")
    credentials = grpc.ssl_server_credentials([pair], root_certificates=pair[1], require_client_auth=True)
    _, port = servers.plugin(credentials=credentials)
    tls = {"ca": "own.pem", "cert": "own.pem", "key": "own.key", "server_name": "plugin.test"}
    async with host.manager(x={"address": f"127.0.0.1:{port}", "tls": tls}) as manager:
        assert await ask(await manager.ready("x")) == "far"


async def test_a_certificate_that_is_whole_again_is_used(host, servers, until):
    pair = far.certificate(host.folder, "own", "plugin.test")
    _, port = servers.plugin(credentials=grpc.ssl_server_credentials([pair]))
    ca = host.folder / "ca.pem"
    ca.write_bytes(b"")
    plugin = {"address": f"127.0.0.1:{port}", "tls": {"ca": "ca.pem", "server_name": "plugin.test"}}
    async with host.manager(x=plugin) as manager:
        with pytest.raises(StartError):
            await manager.ready("x")
        ca.write_bytes(pair[1])
        await until(lambda: manager.state("x") is State.READY)
        assert await ask(await manager.ready("x")) == "far"
    assert "backoff: tls" in host.states


async def test_who_does_not_answer_at_first_is_found_later(host, servers, until):
    port = far.free_port()
    async with host.manager(x={"address": f"127.0.0.1:{port}"}) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
        assert str(caught.value) == (
            f"llm_provider/x: nobody listens at 127.0.0.1:{port}\n"
            "  Start it there, or mend hector.yaml:5: plugins.llm_providers.x.address."
        )
        assert host.states[:2] == ["starting: needed", "backoff: connection"]
        servers.plugin(f"127.0.0.1:{port}")
        await until(lambda: manager.state("x") is State.READY)
        assert await ask(await manager.ready("x")) == "far"


async def test_who_is_lost_is_found_again_and_configured_again(host, servers, until):
    servicer, port = servers.plugin()
    async with host.manager(x={"address": f"127.0.0.1:{port}", "config": {"greeting": "hi"}}) as manager:
        await manager.ready("x")
        servers.newest.stop(None).wait()
        await until(lambda: "backoff: connection" in host.states)
        servers.plugin(f"127.0.0.1:{port}", servicer=servicer)
        await until(lambda: manager.state("x") is State.READY)
        assert await ask(await manager.ready("x")) == "far"
    assert servicer.configured == [("x", {"greeting": "hi"}, "")] * 2


async def test_a_certificate_that_cannot_be_read_is_tried_again(host):
    async with host.manager(x={"address": "127.0.0.1:9", "tls": {"ca": "gone.pem"}}) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
        assert str(caught.value) == (
            f"llm_provider/x: {host.folder}/gone.pem cannot be read: No such file or directory\n"
            "  hector.yaml:6: plugins.llm_providers.x.tls names it."
        )
        assert manager.state("x") is State.BACKOFF
    assert host.states[:2] == ["starting: needed", "backoff: tls"]
