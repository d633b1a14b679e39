"""Plugins that somebody else runs: reached by TCP or a socket, with and without TLS."""

# ruff: noqa: N802 (gRPC names its methods)

import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc, plugin_pb2, plugin_pb2_grpc
from hector_host.errors import StartError


class Server(llm_pb2_grpc.LLMProviderServicer, plugin_pb2_grpc.PluginServicer):
    def __init__(self):
        self.configured = []
        self.metadata = {}

    def GenerateText(self, request, context):
        self.metadata = dict(context.invocation_metadata())
        return llm_pb2.GenerateTextResponse(text="far")

    def Describe(self, request, context):
        self.metadata = dict(context.invocation_metadata())
        return plugin_pb2.DescribeResponse(services=["hector.plugin.v1.LLMProvider"])

    def Configure(self, request, context):
        self.configured.append((request.name, dict(request.config), request.data_dir))
        return plugin_pb2.ConfigureResponse()


@pytest.fixture
def serve():
    servers = []

    def start(address, credentials=None):
        servicer, server = Server(), grpc.server(ThreadPoolExecutor(4))
        llm_pb2_grpc.add_LLMProviderServicer_to_server(servicer, server)
        plugin_pb2_grpc.add_PluginServicer_to_server(servicer, server)
        add = server.add_insecure_port if credentials is None else server.add_secure_port
        port = add(address, *(() if credentials is None else (credentials,)))
        server.start()
        servers.append(server)
        return servicer, port

    yield start
    for server in servers:
        server.stop(None).wait()


async def ask(plugin):
    stub = llm_pb2_grpc.LLMProviderStub(plugin.channel)
    return (await stub.GenerateText(llm_pb2.GenerateTextRequest(prompt="hi"), metadata=plugin.metadata)).text


async def test_an_address_without_options_is_not_configured(host, serve):
    servicer, port = serve("127.0.0.1:0")
    async with host.manager(x={"address": f"localhost:{port}"}) as manager:
        plugin = await manager.ready("x")
        assert await ask(plugin) == "far"
        assert (plugin.pid, plugin.failure, plugin.serves_plugin) == (0, None, True)
    assert servicer.configured == []
    assert host.states == [
        "starting: needed",
        "ready: healthy",
        "draining: stopped by the host",
        "stopped: stopped by the host",
    ]


async def test_an_address_with_options_is_configured(host, serve):
    servicer, _ = serve(f"unix:{host.folder}/s")
    async with host.manager(x={"address": "unix:s", "config": {"greeting": "hi"}}) as manager:
        assert await ask(await manager.ready("x")) == "far"
    assert servicer.configured == [("x", {"greeting": "hi"}, "")]


async def test_metadata_goes_with_every_call(host, serve):
    servicer, port = serve("127.0.0.1:0")
    async with host.manager(
        x={"address": f"dns:///localhost:{port}", "metadata": {"authorization": "Bearer abc"}}
    ) as manager:
        plugin = await manager.ready("x")
        assert servicer.metadata["authorization"] == "Bearer abc"
        assert plugin.metadata == (("authorization", "Bearer abc"),)


async def test_nobody_answers(host):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        async with host.manager(x={"address": address, "start_timeout": "300ms"}) as manager:
            with pytest.raises(StartError) as caught:
                await manager.ready("x")
    first, step = str(caught.value).splitlines()
    assert first.startswith(f"llm_provider/x: did not answer at {address} within 0.3 s: failed to connect")
    assert step == "  Start it there, or mend hector.yaml:5: plugins.llm_providers.x.address."
    assert host.states == ["starting: needed", "failed: start_timeout"]


@pytest.fixture
def certificate(host):
    """A certificate that signs itself, for the name plugin.test."""
    key, cert = host.folder / "key.pem", host.folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-keyout", key, "-out", cert, "-subj", "/CN=plugin.test", "-addext", "subjectAltName=DNS:plugin.test"],
        check=True, capture_output=True,
    )  # fmt: skip
    return key.read_bytes(), cert.read_bytes()


async def test_tls_both_ways(host, serve, certificate):
    key, cert = certificate
    credentials = grpc.ssl_server_credentials([(key, cert)], root_certificates=cert, require_client_auth=True)
    _, port = serve("127.0.0.1:0", credentials)
    tls = {"ca": "cert.pem", "cert": "cert.pem", "key": "key.pem", "server_name": "plugin.test"}
    async with host.manager(x={"address": f"127.0.0.1:{port}", "tls": tls}) as manager:
        assert await ask(await manager.ready("x")) == "far"


async def test_a_certificate_that_cannot_be_read(host):
    async with host.manager(x={"address": "127.0.0.1:9", "tls": {"ca": "gone.pem"}}) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
    assert str(caught.value) == (
        f"llm_provider/x: {host.folder}/gone.pem cannot be read: No such file or directory\n"
        "  hector.yaml:6: plugins.llm_providers.x.tls names it."
    )
