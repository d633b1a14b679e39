"""onnx-embedder: from its start to its first vector, its memory and its speed, beside its libraries alone.

The model is written by the plugin's own tests, from the weights that a package carries. The libraries have a process of
their own, so that two models are never at work at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from bench.embedding import BATCHES, CALLERS, TEXTS, caller, library, passages
from bench.hosts import ROOT, hosting
from bench.sample import Comparison, take_turns
from hector.plugin.v1.embedder_pb2 import EmbedBatchRequest, EmbedTextRequest
from hector.plugin.v1.embedder_pb2_grpc import EmbedderProviderStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

PLUGIN = ROOT / "plugins/onnx-embedder"
STARTS = 10
SECONDS = 1.0
"""From a start to the first vector."""
MORE = 60.0
"""Megabytes beyond the libraries."""


async def measure() -> AsyncIterator[Comparison]:
    with model() as folder:
        yield Comparison(
            "onnx-embedder, from its start to its first vector",
            "plugin",
            "claimed",
            [first_vector(folder) for _ in range(STARTS)][1:],
            [SECONDS],
            limit=1.0,
            unit="s",
            scale=1.0,
        )
        ours, theirs = memory(folder)
        yield Comparison(
            f"onnx-embedder's memory after {CALLERS * TEXTS} texts, beside its libraries alone and {MORE:.0f} MB",
            "plugin",
            f"onnxruntime, tokenizers and {MORE:.0f} MB",
            [ours],
            [theirs + MORE],
            limit=1.0,
            unit="MB",
            scale=1.0,
        )
        config = {"path": str(PLUGIN), "config": {"model": str(folder)}}
        document: dict[str, Any] = {
            "plugins": {"embedder_providers": {"onnx": config}},
            "embedders": {"onnx": {"type": "plugin:onnx"}},
        }
        async with hosting(document) as (manager, registry, _, _):
            await manager.ready("onnx")
            embedder = registry.embedder("onnx")
            rounds = passages(seed=7)

            async def many() -> float:
                texts = next(rounds)
                started = time.perf_counter()
                await asyncio.gather(*(caller(embedder, texts[number::CALLERS]) for number in range(CALLERS)))
                return time.perf_counter() - started

            with libraries(folder) as encode:
                best = min(BATCHES, key=lambda size: min(encode(size, next(rounds))[0] for _ in range(3)))

                async def alone() -> float:
                    return encode(best, next(rounds))[0]

                taken = await take_turns(many, alone, rounds=20, warm_up=3)
            yield Comparison(
                f"{CALLERS} callers of EmbedText, onnx-embedder",
                "host and plugin",
                f"onnxruntime in process, batches of {best}",
                *taken,
                limit=None,
                note=f"a sample is {CALLERS * TEXTS} texts of 5 to 60 words",
            )
            with library() as encoded:

                async def torch() -> float:
                    return encoded(32, next(rounds))

                taken = await take_turns(many, torch, rounds=10, warm_up=2)
            yield Comparison(
                f"{CALLERS} callers of EmbedText, onnx-embedder, beside the other library",
                "host and plugin",
                "sentence-transformers in process, batches of 32",
                *taken,
                limit=None,
            )


@contextlib.contextmanager
def model() -> Iterator[Path]:
    """The folder of the real model as an ONNX file."""
    sys.path.insert(0, str(PLUGIN / "tests"))
    from onnx_export import exported

    with tempfile.TemporaryDirectory(prefix="hector-bench-") as folder:
        yield exported(Path(folder) / "minilm")


@contextlib.contextmanager
def plugin(folder: Path) -> Iterator[tuple[EmbedderProviderStub, int]]:
    """The plugin that has just been started, and its process id."""
    with tempfile.TemporaryDirectory(prefix="hector-bench-") as run:
        address, config = f"unix:{run}/s", json.dumps({"model": str(folder), "cache": "0"})
        command = [sys.executable, "-m", "hector_onnx_embedder", "--listen", address, "--config", config]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            try:
                assert process.stdout
                process.stdout.readline()
                with grpc.insecure_channel(address) as channel:
                    yield EmbedderProviderStub(channel), process.pid
            finally:
                process.terminate()


def first_vector(folder: Path) -> float:
    """Seconds from a start to the first answer, asked for again and again."""
    started = time.perf_counter()
    with plugin(folder) as (stub, _):
        while True:
            try:
                stub.EmbedText(EmbedTextRequest(text="the first one"), timeout=30)
                return time.perf_counter() - started
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                time.sleep(0.005)


def memory(folder: Path) -> tuple[float, float]:
    """Megabytes of the plugin and of the libraries alone, after the same texts in batches of 32."""
    texts = next(passages(seed=3))
    with libraries(folder) as encode:
        theirs = encode(32, texts)[1]
    with plugin(folder) as (stub, pid):
        for first in range(0, len(texts), 32):
            request = EmbedBatchRequest(texts=texts[first : first + 32])
            while True:
                try:
                    stub.EmbedBatch(request, timeout=60)
                    break
                except grpc.RpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise
                    time.sleep(0.01)
        ours = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    return ours / 1e6, theirs / 1e6


@contextlib.contextmanager
def libraries(folder: Path) -> Iterator[Callable[[int, list[str]], tuple[float, int]]]:
    """Seconds and bytes of onnxruntime and tokenizers, for a batch size and texts."""
    command = [sys.executable, str(Path(__file__).parent / "library_onnx.py"), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "ready\n"

        def encode(size: int, texts: list[str]) -> tuple[float, int]:
            print(json.dumps([size, texts]), file=process.stdin, flush=True)
            seconds, resident = json.loads(process.stdout.readline())
            return seconds, resident

        try:
            yield encode
        finally:
            process.stdin.close()
