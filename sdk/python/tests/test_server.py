"""What a process serves beside its providers."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from hector.plugin.v1.plugin_pb2 import ConfigureRequest, DescribeRequest
from hector_sdk import Tools
from hector_sdk.identity import Identity
from hector_sdk.server import Server
from hector_sdk.testing import running


async def test_it_describes_itself():
    async with running(Tools()) as stubs:
        described = await stubs.plugin.Describe(DescribeRequest())
    assert (described.name, described.contract_revision) == ("tested", 1)
    assert list(described.services) == ["hector.plugin.v1.ToolProvider"]


async def test_health_tells_both_names_and_changes():
    async with running(Tools()) as stubs:
        health = health_pb2_grpc.HealthStub(stubs.channel)
        watch = health.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        await stubs.plugin.Configure(ConfigureRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        named = await health.Check(health_pb2.HealthCheckRequest(service="plugin"))
        assert named.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await health.Check(health_pb2.HealthCheckRequest(service="other"))
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
        watch.cancel()


async def test_reflection_lists_and_describes_the_services():
    async with running(Tools()) as stubs:
        reflect = reflection_pb2_grpc.ServerReflectionStub(stubs.channel).ServerReflectionInfo
        call = reflect()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        listed = (await call.read()).list_services_response.service
        symbol = "hector.plugin.v1.ToolProvider"
        await call.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol))
        files = (await call.read()).file_descriptor_response.file_descriptor_proto
        await call.done_writing()
    assert [each.name for each in listed] == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "hector.plugin.v1.Plugin",
        "hector.plugin.v1.ToolProvider",
    ]
    assert any(b"hector/plugin/v1/tool.proto" in file for file in files)


async def test_shutdown_asks_the_process_to_stop(tmp_path):
    async with Server([Tools()], Identity()) as server:
        address = await server.listen("127.0.0.1:0")
        async with grpc.aio.insecure_channel(address) as channel:
            assert not server.stopping.is_set()
            assert await channel.unary_unary("/plugin.GRPCController/Shutdown")(b"") == b""
            await asyncio.wait_for(server.stopping.wait(), 10)


@pytest.mark.parametrize(("providers", "services"), [([], "[]"), ([Tools(), Tools()], "['{0}', '{0}']")])
async def test_each_service_once(providers, services):
    with pytest.raises(ValueError, match=r"^a plugin") as error:
        async with running(*providers):
            pass
    shown = services.format("hector.plugin.v1.ToolProvider")
    assert str(error.value) == f"a plugin serves at least one provider, and each service once; here: {shown}"
