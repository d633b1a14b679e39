"""What is right and what is not: everything that the run notices passes here, and what must not be is a violation."""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from chaos import world
from chaos.faults import FAULTS

NAMED = frozenset({"PluginError", "StartError", "CallError", "RunError"})
"""What a caller may get in place of an answer. The configuration is right, so no other error is."""
NAMES_PLUGIN = re.compile(rf"(?:\w+)/(?:{'|'.join(world.PLUGINS)}): |engine default: ")
ANSWERED_SHARE = 0.9
GROWTH_LIMIT = 20.0
"""Megabytes."""
CHECKS = frozenset({"Event.wait", "UnaryUnaryCall._invoke"})
"""Tasks that health checks have now and then, not more than one each."""
THREADS_LIMIT = 4
"""gRPC has threads of its own, now more, now fewer."""


@dataclass(slots=True)
class Oracle:
    """One run.

    Attributes:
        violations: What must not be, in words.
        calls: How calls ended, by caller and error; "" for an answer.
        samples: One text of each error.
        stored: Numbers of the vectors that the database acknowledged.
        runs: Runs that were answered.
        deaths: Ends of processes, by plugin and reason.
        starts: How often a plugin took calls, by plugin.
    """

    violations: list[str] = field(default_factory=list)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: dict[tuple[str, str], str] = field(default_factory=dict)
    stored: list[int] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    deaths: Counter[tuple[str, str]] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=Counter)
    _expected: dict[str, Collection[str]] = field(default_factory=dict)

    def expect(self, plugin: str, kind: str) -> None:
        """A fault comes; the plugin may die of it, once, and of nothing else."""
        self._expected[plugin] = FAULTS[kind].deaths

    def violated(self, what: str) -> None:
        """This must not be."""
        self.violations.append(what)

    def changed(self, plugin: str, state: str, reason: str) -> None:
        """The host told of a plugin's state."""
        if state == "ready" and reason == "healthy":
            self.starts[plugin] += 1
        if state in {"backoff", "failed"}:
            self.deaths[plugin, reason] += 1
            if reason not in self._expected.pop(plugin, ()) or state == "failed":
                self.violated(f"{plugin} is in {state} because of {reason}, which nothing was done for")

    def called(self, caller: str, outcome: str, text: str) -> None:
        """A caller got an answer or an error."""
        self.calls[caller, outcome] += 1
        if not outcome:
            return
        self.samples.setdefault((caller, outcome), text)
        if outcome not in NAMED or not NAMES_PLUGIN.match(text):
            self.violated(f"{caller} got {outcome}: {text}")

    def closed(self, descriptors: list[str], threads: list[str]) -> None:
        """The host has left its manager."""
        if descriptors or threads:
            self.violated(f"the host ended with {descriptors} still open and threads {threads}")

    def compare(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        """The host at rest, after the warm-up and in the end."""
        if after["megabytes"] - before["megabytes"] >= GROWTH_LIMIT:
            self.violated(f"the host grew from {before['megabytes']:.1f} MB to {after['megabytes']:.1f} MB")
        if after["system_threads"] - before["system_threads"] > THREADS_LIMIT:
            self.violated(f"the host had {before['system_threads']} threads, and has {after['system_threads']}")
        for kind in ("descriptors", "threads", "tasks"):
            had, has = _lasting(before[kind]), _lasting(after[kind])
            if had != has:
                self.violated(f"the host had {kind} {had}, and has {has} in the end")
        checks = sum(after["tasks"].get(name, 0) for name in CHECKS)
        if checks > len(world.PLUGINS):
            self.violated(f"the host has {checks} tasks of health checks, for {len(world.PLUGINS)} plugins")

    def judge(self) -> None:
        """What can be said only of the whole."""
        if self.answered < ANSWERED_SHARE * self.calls.total():
            self.violated(f"{self.answered} of {self.calls.total()} calls were answered")

    @property
    def answered(self) -> int:
        """Calls that got their answer."""
        return sum(number for (_, outcome), number in self.calls.items() if not outcome)

    @property
    def failed(self) -> Counter[str]:
        """Calls by the error that they got."""
        failed: Counter[str] = Counter()
        for (_, outcome), number in self.calls.items():
            if outcome:
                failed[outcome] += number
        return failed


def _lasting(held: Any) -> Any:
    """What a host has, but for what comes and goes."""
    return {name: number for name, number in held.items() if name not in CHECKS} if isinstance(held, dict) else held
