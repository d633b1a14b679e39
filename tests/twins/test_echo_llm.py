"""echo-llm and echo-llm-go answer byte for byte the same."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from twins import conversations

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector.plugin.v1.plugin_pb2 import ConfigureRequest, DescribeRequest
from hector.plugin.v1.plugin_pb2_grpc import PluginStub

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(600)  # the first build compiles gRPC


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[grpc.Channel, grpc.Channel]]:
    """The Python plugin and the Go plugin, served by hand with the same options, and ready."""
    executable = tmp_path_factory.mktemp("go") / "echo-llm-go"
    subprocess.run(["go", "build", "-o", executable, "."], cwd=ROOT / "plugins/echo-llm-go", check=True)
    folder = Path(tempfile.mkdtemp(prefix="twins"))  # short: it holds sockets
    options = json.dumps({"replies": conversations.REPLIES})
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        channels = []
        for name, command in (("python", [sys.executable, "-m", "hector_echo_llm"]), ("go", [str(executable)])):
            address = f"unix:{folder / name}"
            process = subprocess.Popen(
                [*command, "--listen", address, "--config", options],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            channel = stack.enter_context(grpc.insecure_channel(address, [("grpc.max_reconnect_backoff_ms", 50)]))
            configure = ConfigureRequest()
            configure.config.update({"replies": conversations.REPLIES})
            PluginStub(channel).Configure(configure, wait_for_ready=True, timeout=60)  # joins the start
            channels.append(channel)
        yield channels[0], channels[1]


def answer(channel: grpc.Channel, request: Any) -> list[Any]:
    """All that comes of a request: messages as bytes, and the status it ended with."""
    stub = LLMProviderStub(channel)
    got: list[Any] = []
    try:
        if isinstance(request, llm.StreamTextRequest):
            got.extend(stub.StreamText(request, timeout=30))
        elif isinstance(request, llm.CallToolRequest):
            got.append(stub.CallTool(request, timeout=30))
        else:
            got.append(stub.GenerateText(request, timeout=30))
    except grpc.RpcError as error:
        return [*map(serialized, got), error.code(), error.details()]
    return [*map(serialized, got)]


def serialized(message: Any) -> bytes:
    return bytes(message.SerializeToString(deterministic=True))


@pytest.mark.parametrize("seed", range(2))
def test_they_answer_alike(twins: tuple[grpc.Channel, grpc.Channel], seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - it draws tests, not secrets
    endings = set()
    for _ in range(500):
        request = conversations.request(dice)
        python, go = (answer(channel, request) for channel in twins)
        assert go == python, request
        endings.add(python[-1] if isinstance(python[-1], str) else "")
    assert endings >= {"", 'no model "unknown": there are echo, reader, script'}  # it drew good and bad ones


def test_they_list_the_same_models(twins: tuple[grpc.Channel, grpc.Channel]) -> None:
    python, go = (LLMProviderStub(channel).ListModels(llm.ListModelsRequest()) for channel in twins)
    assert go == python


def test_they_take_the_same_options(twins: tuple[grpc.Channel, grpc.Channel]) -> None:
    python, go = (PluginStub(channel).Describe(DescribeRequest()) for channel in twins)
    assert go.description == python.description
    assert list(go.services) == list(python.services)
    names = [sorted(each.config_schema["properties"].keys()) for each in (python, go)]
    assert names == [["replies", "tool_calling"]] * 2
