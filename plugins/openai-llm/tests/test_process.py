"""The plugin as a host launches it: it listens before it loads what is slow, and it ends when it is told to."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import grpc

from hector.plugin.v1 import llm_pb2 as llm
from hector_sdk.testing import Stubs


def test_the_library_is_not_imported_with_the_plugin():
    program = (
        "import sys, hector_openai_llm.provider; "
        "print([name for name in ('openai', 'httpx2', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == "[]\n"


async def test_a_launched_process_answers(endpoint, completion, tmp_path_factory):
    endpoint.json(completion({"content": "Hello."}))
    environ = {
        "HECTOR_PLUGIN": "hector_plugin_v1",
        "PLUGIN_PROTOCOL_VERSIONS": "1",
        "PLUGIN_UNIX_SOCKET_DIR": str(tmp_path_factory.mktemp("s")),
        "HECTOR_PLUGIN_CONFIG": json.dumps({"base_url": endpoint.url, "model": "m"}),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hector_openai_llm", env=environ, stdout=asyncio.subprocess.PIPE
    )
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
        core, protocol, network, address, kind, _ = line.split("|")
        assert (core, protocol, network, kind) == ("1", "1", "unix", "grpc")
        async with grpc.aio.insecure_channel(f"unix:{address}") as channel:
            stubs = Stubs(channel)
            await ready(channel)
            assert (await stubs.llm.GenerateText(llm.GenerateTextRequest(prompt="Hi"))).text == "Hello."
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def ready(channel):
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    async for now in health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=30):
        if now.status == health_pb2.HealthCheckResponse.SERVING:
            return
