"""The floor of `processes`: grpcio alone starts the echo plugin, calls it and ends it."""

import os
import subprocess
import sys
import tempfile

import grpc

from hector.plugin.v1.llm_pb2 import GenerateTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub

with tempfile.TemporaryDirectory(prefix="hs") as folder:
    env = {"PATH": os.environ["PATH"], "HECTOR_PLUGIN": "hector_plugin_v1", "PLUGIN_PROTOCOL_VERSIONS": "1"}
    env |= {"PLUGIN_UNIX_SOCKET_DIR": folder, "HECTOR_PLUGIN_CONFIG": "{}"}
    command = [sys.executable, "-m", "hector_echo_llm"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as plugin:
        _, _, network, address, _ = plugin.stdout.readline().split("|")[:5]
        with grpc.insecure_channel(f"{network}:{address}") as channel:
            request = GenerateTextRequest(prompt="Hello")
            print(LLMProviderStub(channel).GenerateText(request, wait_for_ready=True, timeout=30).text)
        plugin.terminate()
