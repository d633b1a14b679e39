"""How long nobody answers after a plugin was killed, beside what others leave to whoever uses them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from bench.hosts import ECHO, ECHO_GO, ROOT, hosting, stock_host
from bench.sample import Comparison
from hector.plugin.v1.llm_pb2 import ModelInput
from hector.plugin.v1.message_pb2 import ROLE_USER, Message, Part
from hector_host.providers.call import Call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hector_host.manager import Manager

ROUNDS = 15
PATIENCE = 5.0
OFTEN = {"restart": {"max_deaths": 1000}}
BUILT = ROOT / "plugins/echo-llm-go/echo-llm-go"


async def measure() -> AsyncIterator[Comparison]:
    go = await recovered(ECHO_GO)
    python = await recovered(ECHO)
    for name, taken, promised in (("Go", go, 0.5), ("Python", python, 1.0)):
        yield Comparison(
            f"the next answer after kill -9 of a {name} plugin",
            "worst of all",
            "promised",
            [max(taken)],
            [promised],
            limit=1.0,
        )
    peers = (("go-plugin", go, stock_go()), ("the MCP client", python, mcp()))
    for name, taken, theirs in peers:
        yield Comparison(
            f"the same beside {name}",
            "restarted by itself",
            f"{name}, made anew by hand",
            taken,
            [each["anew"] for each in theirs],
            limit=None,
            note=f"by itself: {theirs[0]['outcome'].split(':')[0]} for ever",
        )


async def recovered(plugin: dict[str, Any]) -> list[float]:
    """Seconds from the kill of a plugin's process to the next answer, each time."""
    document = {"plugins": {"llm_providers": {"m": plugin | OFTEN}}, "llms": {"m": {"type": "plugin:m"}}}
    taken = []
    async with hosting(document) as (manager, registry, _, _):
        model, call = registry.llm("m"), Call(patience=PATIENCE)
        for _ in range(ROUNDS):
            await model.generate(question(), call)
            killed = await kill(manager)
            await model.generate(question(), call)
            taken.append(time.perf_counter() - killed)
    return taken


async def kill(manager: Manager) -> float:
    """Kills the process of the plugin `m`; when it was dead."""
    plugin = await manager.ready("m")
    os.kill(plugin.pid, signal.SIGKILL)
    killed = time.perf_counter()
    while plugin.failure is None:  # a call that reaches a process which is about to die fails with it
        pass
    return killed


def question() -> ModelInput:
    return ModelInput(messages=[Message(role=ROLE_USER, parts=[Part(text="Hello")])])


def stock_go() -> list[dict[str, Any]]:
    with stock_host() as host:
        return [printed(str(host), "-recover", str(BUILT)) for _ in range(ROUNDS)]


def mcp() -> list[dict[str, Any]]:
    return [printed(sys.executable, str(ROOT / "bench/mcp_host.py")) for _ in range(ROUNDS // 3)]


def printed(*command: str) -> dict[str, Any]:
    """The object that a program prints."""
    answer: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return answer
