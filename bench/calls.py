"""A call through registry and provider against the same call on a bare channel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.hosts import ECHO, ECHO_GO, hosting
from bench.sample import Comparison, take_turns
from hector.plugin.v1.llm_pb2 import GenerateTextRequest, ModelInput, StreamTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector.plugin.v1.message_pb2 import ROLE_USER, Message, Part
from hector_host.providers.call import Call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CALLS = 50
PIECES = 1000


def question(text: str) -> ModelInput:
    return ModelInput(messages=[Message(role=ROLE_USER, parts=[Part(text=text)])])


async def measure() -> AsyncIterator[Comparison]:
    """Both plugins of the echo model, in Python and in Go."""
    document = {
        "plugins": {"llm_providers": {"echo": ECHO, "echo_go": ECHO_GO}},
        "llms": {"echo": {"type": "plugin:echo"}, "echo_go": {"type": "plugin:echo_go"}},
    }
    async with hosting(document) as (manager, registry, _, _):
        for name in ("echo", "echo_go"):
            bare = LLMProviderStub((await manager.ready(name)).channel)
            provider = registry.llm(name)
            yield await unary(name, provider, bare)
            yield await stream(name, provider, bare)


async def unary(name: str, provider: object, bare: object) -> Comparison:
    """GenerateText with one word; a sample is one call."""

    async def ours() -> float:
        started = time.perf_counter()
        await provider.generate(question("hello"), Call())
        return time.perf_counter() - started

    async def theirs() -> float:
        started = time.perf_counter()
        await bare.GenerateText(GenerateTextRequest(prompt="hello", input=question("hello")), timeout=30)
        return time.perf_counter() - started

    taken = await take_turns(ours, theirs, rounds=2000, warm_up=100)
    return Comparison(f"unary call, {name}", "provider", "bare grpc.aio", *taken, limit=1.15)


async def stream(name: str, provider: object, bare: object) -> Comparison:
    """A generation of 1,000 pieces; a sample is the whole of it."""
    text = " ".join(["word"] * PIECES)

    async def ours() -> float:
        pieces = []
        started = time.perf_counter()
        await provider.generate(question(text), Call(), pieces.append)
        seconds = time.perf_counter() - started
        assert len(pieces) == PIECES + 1
        return seconds

    async def theirs() -> float:
        started = time.perf_counter()
        count = 0
        async for _ in bare.StreamText(StreamTextRequest(prompt=text, input=question(text)), timeout=30):
            count += 1
        seconds = time.perf_counter() - started
        assert count == PIECES + 1
        return seconds

    taken = await take_turns(ours, theirs, rounds=60, warm_up=4)
    return Comparison(f"stream of 1,000 pieces, {name}", "provider", "bare grpc.aio", *taken, limit=1.3)
