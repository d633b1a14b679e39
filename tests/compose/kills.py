"""Each plugin's container is killed in its turn while callers call: what they get, and when all is well again."""

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compose.stack import Stack

CALLERS = Path(__file__).with_name("callers.py")
PATIENCE = 90.0
"""Seconds after which an answer is no longer waited for."""
RETURNING = 600.0
"""The same for a container to be healthy again: that may load a model on a busy machine."""
QUIET = 1.0
"""Seconds of answers alone before the next kill."""


@dataclass(frozen=True, slots=True)
class Victim:
    """A plugin: its service, the name by which errors call it, and the agent whose every answer needs it."""

    service: str
    name: str
    agent: str


VICTIMS = (
    Victim("echo-llm", "llm_provider/echo", "librarian"),
    Victim("echo-llm-go", "llm_provider/echo_go", "clerk"),
    Victim("sentence-transformers-embedder", "embedder_provider/sentence_transformers", "librarian"),
    Victim("faiss-database", "database_provider/faiss", "librarian"),
    Victim("react-reasoning", "reasoning_strategy/react", "librarian"),
    Victim("shell-tools", "tool_provider/shell", "clerk"),
)


@dataclass(frozen=True, slots=True)
class Kill:
    """What followed one.

    Attributes:
        answers: Seconds from the kill to the end of the first answer that was asked for after it.
        healthy: Seconds from the kill until the container was healthy again.
        calls: Those that ended between the kill and the time when all was well again.
        failed: Of these, the ones that failed.
    """

    victim: Victim
    answers: float
    healthy: float
    calls: int
    failed: list[dict[str, Any]]

    @property
    def names(self) -> Counter[str]:
        """How many calls failed, by the name of the error."""
        return Counter(call["error"] for call in self.failed)


@dataclass(slots=True)
class Calls:
    """What the callers have told, in the order in which their calls ended."""

    told: list[dict[str, Any]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, call: dict[str, Any]) -> None:
        """One more."""
        with self._changed:
            self.told.append(call)
            self._changed.notify_all()

    def answered(self, agent: str, since: float) -> float:
        """When the first call ended with an answer that an agent was asked after a moment."""

        def found() -> float | None:
            asked = (call for call in self.told if call["agent"] == agent and call["began"] > since)
            return next((float(call["ended"]) for call in asked if not call["error"]), None)

        return self._until(found, f"{agent} does not answer")

    def calm(self) -> None:
        """Returns once both agents have answered everything that they were asked for a while."""
        start = time.time()
        while True:
            for agent in {victim.agent for victim in VICTIMS}:
                self.answered(agent, start + QUIET)
            late = [call["ended"] for call in self.told if call["error"] and call["ended"] > start]
            if not late:
                return
            start = max(late)

    def _until(self, found: Callable[[], float | None], what: str) -> float:
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while (value := found()) is None:
                last = self.told[-1] if self.told else "nothing was called"
                assert self._changed.wait(deadline - time.monotonic()), f"{what} within {PATIENCE:g} s; last: {last}"
        return value


def kill(stack: Stack, calls: Calls, victim: Victim) -> Kill:
    """Kills a victim's container, the first where it has several; returns once all is well again."""
    # Not `docker kill`: the engine takes that for the wish that it stays away.
    os.kill(stack.containers(victim.service)[0]["State"]["Pid"], signal.SIGKILL)
    at = time.time()
    answers = calls.answered(victim.agent, at) - at
    healthy = _healthy(stack, victim) - at
    calls.calm()
    meanwhile = [call for call in calls.told if call["ended"] > at]
    return Kill(victim, answers, healthy, len(meanwhile), [call for call in meanwhile if call["error"]])


def _healthy(stack: Stack, victim: Victim) -> float:
    """When the engine has started the killed container again and found it healthy."""
    deadline = time.monotonic() + RETURNING
    while True:
        first = stack.containers(victim.service)[0]
        if first["RestartCount"] == 1 and first["State"]["Health"]["Status"] == "healthy":
            return time.time()
        assert time.monotonic() < deadline, f"{victim.service} does not come back: {first['State']}"
        time.sleep(0.2)  # docker has no event for it that could not be missed


@contextmanager
def calling(stack: Stack) -> Iterator[Calls]:
    """Callers at work in the host's container, for a block."""
    calls = Calls()
    process = stack.python(CALLERS)
    reader = threading.Thread(target=_read, args=(process, calls))
    reader.start()
    try:
        yield calls
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            reader.join()


def _read(process: subprocess.Popen[str], calls: Calls) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        calls.add(json.loads(line))
