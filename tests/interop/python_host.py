"""A host made with python-plugin, a port of go-plugin: `python python_host.py plain|automtls COMMAND…`.

Starts the plugin, asks it once, ends it, and prints the answer and the exit code.
"""

import asyncio
import sys

from grpclib.client import UnaryUnaryMethod
from pyplugin import Client, ClientConfig, HandshakeConfig, Plugin

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, GenerateTextResponse
from hector.plugin.v1.plugin_pb2 import ConfigureRequest, ConfigureResponse


class Model(Plugin):
    """What is dispensed: the plugin's channel."""

    def servicers(self, broker):
        return []

    def stub(self, broker, channel):
        return channel


async def main(tls: str, command: list[str]) -> None:
    client = Client(
        ClientConfig(
            handshake_config=HandshakeConfig(1, "HECTOR_PLUGIN", "hector_plugin_v1"),
            plugins={"llm": Model()},
            cmd=command,
            auto_mtls=tls == "automtls",
            env={"HECTOR_PLUGIN_CONFIG": "{}"},
        )
    )
    async with client:
        process = client._proc
        channel = client.dispense("llm")
        configure = UnaryUnaryMethod(channel, "/hector.plugin.v1.Plugin/Configure", ConfigureRequest, ConfigureResponse)
        await configure(ConfigureRequest())
        ask = UnaryUnaryMethod(
            channel, "/hector.plugin.v1.LLMProvider/GenerateText", GenerateTextRequest, GenerateTextResponse
        )
        answer = await ask(GenerateTextRequest(prompt="Hello"))
    print(answer.text, process.returncode)  # noqa: T201  its answer


asyncio.run(main(sys.argv[1], sys.argv[2:]))
