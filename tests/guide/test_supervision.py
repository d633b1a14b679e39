"""The guide's bare servers are supervised as any plugin is, though they know no handshake, health or Describe."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
import yaml
from guide import ports, programs

from hector.plugin.v1.llm_pb2 import GenerateTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector_host import config
from hector_host.manager import Manager, State, health
from hector_host.providers.call import Call
from hector_host.providers.rpc import Rpc

if TYPE_CHECKING:
    from pathlib import Path

    from commandline import Hector

    from hector_host.manager import StateChange

pytestmark = pytest.mark.timeout(600)  # the first one builds them all


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("name", [programs.LLM, programs.PYTHON_LLM])
async def test_its_end_is_noticed_and_it_is_started_again(
    hector: Hector, executables: dict[str, Path], monkeypatch: pytest.MonkeyPatch, name: str, end: signal.Signals
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(hector.sockets))
    monkeypatch.setattr(health, "INTERVAL", 0.1)
    monkeypatch.setattr(health, "RECHECK", 0.1)
    monkeypatch.setattr(health, "TIMEOUT", 0.5)
    file = hector.folder / "hector.yaml"
    file.write_text(yaml.safe_dump({"plugins": {"llm_providers": {"custom": {"path": str(executables[name])}}}}))
    changes: list[StateChange] = []
    with ports.held():
        async with Manager(config.load(file), changes.append) as manager:
            rpc = Rpc("llm/custom", "custom", manager, LLMProviderStub)

            async def say(text: str) -> str:
                answer = await rpc.unary("GenerateText", GenerateTextRequest(prompt=text), Call(patience=60))
                return str(answer.text)

            assert await say("one") == "You said: one"
            first = (await manager.ready("custom")).pid
            with manager.changes() as told:
                os.kill(first, end)
                while (change := await told.get()).new is not State.BACKOFF:
                    assert change.new is State.DEGRADED
            assert await say("two") == "You said: two"
            assert (await manager.ready("custom")).pid != first
    reason = "signal:9" if end == signal.SIGKILL else "health"
    life = [(change.new, change.reason) for change in changes if change.new is not State.DEGRADED]
    assert life == [
        (State.STARTING, "needed"),
        (State.READY, "healthy"),
        (State.BACKOFF, reason),
        (State.STARTING, "next attempt"),
        (State.READY, "healthy"),
        (State.DRAINING, "stopped by the host"),
        (State.STOPPED, "stopped by the host"),
    ]
