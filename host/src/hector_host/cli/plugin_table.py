"""Plugins as a table for people and as records for programs.

A terminal shows what fits its width: long names give way first, then the figures on the right. Programs and pipes get
everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hector.host.v1.supervision_pb2 import (
    PLUGIN_STATE_BACKOFF,
    PLUGIN_STATE_DEGRADED,
    PLUGIN_STATE_DISCOVERED,
    PLUGIN_STATE_FAILED,
    PluginState,
)
from hector_host.cli.columns import aligned, fitted
from hector_host.cli.times import seconds, span
from hector_host.errors import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hector.host.v1.supervision_pb2 import PluginReplica, PluginResources, PluginStatus

TITLES = ("plugin", "kind", "state", "for", "pid", "restarts", "calls", "open", "memory", "cpu")
IDLE_TITLES = TITLES[:3]
"""Those that say something of plugins none of which has run."""

EXPLAINED = frozenset({PLUGIN_STATE_BACKOFF, PLUGIN_STATE_DEGRADED, PLUGIN_STATE_FAILED, PLUGIN_STATE_DISCOVERED})
"""States whose reason is shown; that of the others is that all is well, or that somebody wanted it so."""

_WORDS = {
    "health": ("does not answer health checks as it should", "did not answer health checks as it should"),
    "unresponsive": ("answers none of its calls", "answered none of its calls"),
}
"""Reasons that are words for machines alone, of a plugin that runs and of one that is gone."""

REASON = 60
"""Characters shown of one."""


def table(
    plugins: Sequence[PluginStatus], now: float, width: int | None, cpu: Callable[[PluginStatus], str] | None = None
) -> str:
    """A line for each plugin, one for each replica where there are several, and why a plugin takes no calls.

    Args:
        now: Seconds of Unix time.
        width: Columns of the terminal; None for what is no terminal.
        cpu: What to show of a plugin's use of the processor; without it, the time that it has used.
    """
    lines: list[tuple[Sequence[str], str]] = [(TITLES, "")]
    for plugin in plugins:
        lines.append((_row(plugin, now, cpu), _remark(plugin, now)))
        if len(plugin.replicas) > 1:
            lines += [(_replica_row(replica, now), "") for replica in plugin.replicas]
    rows = [row for row, _ in lines]
    if not any(plugin.replicas for plugin in plugins):
        rows = [row[: len(IDLE_TITLES)] for row in rows]
    text = aligned(rows if width is None else fitted(rows, width)).splitlines()
    remarks = [remark if width is None else remark[:width] for _, remark in lines]
    return "\n".join(part for pair in zip(text, remarks, strict=True) for part in pair if part)


def record(plugin: PluginStatus) -> dict[str, Any]:
    """A plugin for programs. Times are seconds of Unix time."""
    return {
        "plugin": plugin.name,
        "kind": plugin.kind,
        "state": state_name(plugin.state),
        "reason": plugin.reason,
        "since": seconds(plugin.since) if plugin.HasField("since") else None,
        "next_attempt": seconds(plugin.next_attempt) if plugin.HasField("next_attempt") else None,
        "version": plugin.version,
        "source": plugin.source,
        "attached": plugin.attached,
        "pids": pids(plugin),
        "restarts": plugin.restarts,
        "calls": plugin.calls,
        "failures": plugin.failures,
        "in_flight": plugin.in_flight,
        "queued": plugin.queued,
        "resources": _resources(plugin),
        "replicas": [_replica_record(replica) for replica in plugin.replicas],
    }


def state_name(state: PluginState) -> str:
    """As programs read it. A newer host may have states that this command has no name for."""
    if state not in PluginState.values():
        return "unknown"
    return PluginState.Name(state).removeprefix("PLUGIN_STATE_").lower()


def state_words(state: PluginState) -> str:
    """As people read it."""
    return "not running" if state == PLUGIN_STATE_DISCOVERED else state_name(state)


def pids(plugin: PluginStatus) -> list[int]:
    """Its processes on the host's machine."""
    return [replica.pid for replica in plugin.replicas if replica.pid]


def _row(plugin: PluginStatus, now: float, cpu: Callable[[PluginStatus], str] | None) -> Sequence[str]:
    return (
        printable(plugin.name),
        _kind(plugin.kind),
        state_words(plugin.state),
        span(now - seconds(plugin.since)) if plugin.HasField("since") and plugin.replicas else "",
        _pids(plugin),
        str(plugin.restarts),
        str(plugin.calls),
        f"{plugin.in_flight}+{plugin.queued}" if plugin.queued else str(plugin.in_flight),
        *_used(plugin, (cpu or _cpu_time)(plugin)),
    )


def _replica_row(replica: PluginReplica, now: float) -> Sequence[str]:
    return (
        f"  #{replica.number}",
        "",
        state_words(replica.state),
        span(now - seconds(replica.since)) if replica.HasField("since") else "",
        str(replica.pid or "-"),
        str(replica.restarts),
        "",
        str(replica.in_flight),
        *_used(replica, _cpu_time(replica)),
    )


def _kind(kind: str) -> str:
    """`llm` of `llm_provider`: the guide's names are too long for a column."""
    return printable(kind.removesuffix("_provider").removesuffix("_strategy")) or "-"


def _pids(plugin: PluginStatus) -> str:
    living = pids(plugin)
    return str(living[0]) if len(living) == 1 else f"{len(living)} pids" if living else "-"


def _used(of: PluginStatus | PluginReplica, cpu: str) -> tuple[str, str]:
    return (_memory(of.resources.memory), cpu) if of.HasField("resources") else ("-", "-")


def _memory(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 999.5e6 else f"{size / 1e6:.0f} MB"


def _cpu_time(of: PluginStatus | PluginReplica) -> str:
    used = of.resources.cpu_seconds
    return f"{used:.1f}s" if used < 9.95 else span(used)


def _remark(plugin: PluginStatus, now: float) -> str:
    remarks = [_reason(plugin, now)] if plugin.reason and plugin.state in EXPLAINED else []
    if plugin.attached:
        remarks.insert(0, f"attached to {quoted(plugin.attached, REASON)}")
    return f"  {'; '.join(remarks)}" if remarks else ""


def _reason(plugin: PluginStatus, now: float) -> str:
    goes_on, gone = _WORDS.get(plugin.reason, (quoted(plugin.reason, REASON),) * 2)
    remark = goes_on if plugin.state == PLUGIN_STATE_DEGRADED else gone
    if plugin.state == PLUGIN_STATE_DISCOVERED:
        remark = f"crashed {span(now - seconds(plugin.since))} ago: {remark}"
    if plugin.HasField("next_attempt"):
        remark += f"; next attempt in {max(seconds(plugin.next_attempt) - now, 0):.0f} s"
    return remark


def _resources(of: PluginStatus | PluginReplica) -> dict[str, Any] | None:
    used: PluginResources = of.resources
    if not of.HasField("resources"):
        return None
    return {name: getattr(used, name) for name in ("memory", "cpu_seconds", "processes", "files")}


def _replica_record(replica: PluginReplica) -> dict[str, Any]:
    return {
        "number": replica.number,
        "state": state_name(replica.state),
        "reason": replica.reason,
        "since": seconds(replica.since) if replica.HasField("since") else None,
        "next_attempt": seconds(replica.next_attempt) if replica.HasField("next_attempt") else None,
        "pid": replica.pid or None,
        "address": replica.address,
        "in_flight": replica.in_flight,
        "restarts": replica.restarts,
        "resources": _resources(replica),
    }
