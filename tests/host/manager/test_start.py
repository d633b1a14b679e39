"""Plugins that become ready, each by another way."""

import json

import pytest
from hector.plugin.v1 import llm_pb2, llm_pb2_grpc


async def ask(plugin, prompt="hi"):
    stub = llm_pb2_grpc.LLMProviderStub(plugin.channel)
    answer = await stub.GenerateText(llm_pb2.GenerateTextRequest(prompt=prompt), metadata=plugin.metadata)
    return json.loads(answer.text)


@pytest.mark.parametrize("listen", ["unix", "tcp", "bare"])
async def test_a_plugin_that_serves_nothing_but_its_provider_takes_calls(host, listen):
    async with host.manager(x=host.faulty("raw", listen=listen)) as manager:
        plugin = await manager.ready("x")
        assert (await ask(plugin))["prompt"] == "hi"
        assert plugin.label == "llm_provider/x"
        assert plugin.services == {"hector.plugin.v1.LLMProvider"}
        assert not plugin.serves_plugin
        assert plugin.failure is None
        assert plugin.timeout == 300
    assert host.states == [
        "starting: needed",
        "ready: healthy",
        "draining: stopped by the host",
        "stopped: stopped by the host",
    ]
