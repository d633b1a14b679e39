"""What it costs to start and to call a Go plugin, here and in a host made with go-plugin.

Both hosts run already: a start is from asking for the plugin to its first answer, and the stock host's is taken inside
that host. A host that is just being made has its warden to boot, which is measured beside.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

from bench.hosts import ECHO_GO, ROOT, stock_host, written
from bench.sample import Comparison, take_turns
from hector.plugin.v1.llm_pb2 import ModelInput
from hector.plugin.v1.message_pb2 import ROLE_USER, Message, Part
from hector_host.config import load
from hector_host.manager import Manager
from hector_host.providers.call import Call
from hector_host.registry import Registry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from hector_host.config import Config

ROUNDS = 25
WARM_UP = 2
CALLS = 200
PLUGIN = ROOT / "plugins/echo-llm-go/echo-llm-go"
QUESTION = ModelInput(messages=[Message(role=ROLE_USER, parts=[Part(text="Hello again")])])


async def measure() -> AsyncIterator[Comparison]:
    with stock_host() as stock:
        yield await running(stock, "the start of a Go plugin", limit=1.5)
        with transport("tcp"):
            yield await running(stock, "the same with mutual TLS", "-automtls", limit=1.5)
        yield await fresh(stock)
        yield await calls(stock)


async def running(stock: Path, claim: str, *flags: str, limit: float) -> Comparison:
    """In a host that runs: each sample starts one more plugin."""
    names = iter([f"m{number}" for number in range(ROUNDS + WARM_UP + 1)])
    with configured(ROUNDS + WARM_UP + 1) as config:
        async with Manager(config) as manager:
            registry = Registry(config, manager)
            await started(manager, registry, next(names))  # its warden is there now

            async def ours() -> float:
                return await started(manager, registry, next(names))

            async def theirs() -> float:
                return float(seen(stock, 0, *flags)["start"])

            taken = await take_turns(ours, theirs, rounds=ROUNDS, warm_up=WARM_UP)
    return Comparison(claim, "running host", "go-plugin", *taken, limit=limit)


async def fresh(stock: Path) -> Comparison:
    """In a host that is made for it: from its first moment in a process that has imported everything."""
    with configured(1) as config:

        async def ours() -> float:
            began = time.perf_counter()
            async with Manager(config) as manager:
                await started(manager, Registry(config, manager), "m0")
                return time.perf_counter() - began

        async def theirs() -> float:
            return float(seen(stock, 0)["start"])

        taken = await take_turns(ours, theirs, rounds=ROUNDS)
    return Comparison(
        "the first start of a new host",
        "Manager entered, answered",
        "go-plugin",
        *taken,
        limit=None,
        note="the warden, a Python process of its own, boots once for each host",
    )


async def calls(stock: Path) -> Comparison:
    """One call after the other, each through registry and provider here and through a bare stub there."""
    with configured(1) as config:
        async with Manager(config) as manager:
            registry = Registry(config, manager)
            await started(manager, registry, "m0")
            model = registry.llm("m0")
            ours = []
            for _ in range(CALLS):
                began = time.perf_counter()
                await model.generate(QUESTION, Call())
                ours.append(time.perf_counter() - began)
            theirs = seen(stock, CALLS)["unary"]
    return Comparison(
        "a call of a Go plugin",
        "provider",
        "go-plugin, bare stub",
        ours,
        theirs,
        limit=None,
        note="Python's gRPC beside Go's; what the provider adds to it is measured by `calls`",
    )


async def started(manager: Manager, registry: Registry, name: str) -> float:
    """Seconds until a plugin that does not run yet has answered."""
    began = time.perf_counter()
    manager.start([name])
    await manager.ready(name)
    await registry.llm(name).generate(QUESTION, Call())
    return time.perf_counter() - began


def seen(stock: Path, calls: int, *flags: str) -> dict[str, Any]:
    """What the stock host prints of its start of the plugin."""
    command = [str(stock), "-calls", str(calls), "-brief", *flags, str(PLUGIN)]
    report: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return report


@contextlib.contextmanager
def configured(number: int) -> Iterator[Config]:
    """A configuration with so many of the same plugin, m0 and on."""
    names = [f"m{each}" for each in range(number)]
    document = {
        "plugins": {"llm_providers": dict.fromkeys(names, ECHO_GO)},
        "llms": {name: {"type": f"plugin:{name}"} for name in names},
    }
    with written(document) as file:
        yield load(file)


@contextlib.contextmanager
def transport(name: str) -> Iterator[None]:
    """How hosts of this process reach their plugins."""
    os.environ["HECTOR_TRANSPORT"] = name
    try:
        yield
    finally:
        del os.environ["HECTOR_TRANSPORT"]
