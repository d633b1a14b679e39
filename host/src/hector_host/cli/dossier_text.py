"""A crash dossier as text for people and as a record for programs. Nothing of it can steer a terminal."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from hector_host.cli.columns import aligned
from hector_host.cli.times import date_text, seconds
from hector_host.errors import printable, quoted

if TYPE_CHECKING:
    from hector.host.v1.supervision_pb2 import CallInFlight, CrashDossier


def text(crash: CrashDossier) -> str:
    """What is known, the most telling first; the log at the end, for it may be long."""
    rows = [("reason", _reason(crash))]
    if crash.detail:
        rows.append(("what", quoted(crash.detail)))
    rows.append(("process", _process(crash)))
    if crash.command:
        rows.append(("command", quoted(crash.command)))
    rows.append(("restarts", f"{crash.restarts} before this crash"))
    rows += [("in flight", _call(call)) for call in crash.calls]
    if crash.host_pid:
        rows.append(("host", f"process {crash.host_pid}, Hector {quoted(crash.host_version, 30)}"))
    title = f"{printable(crash.plugin)} crashed {date_text(crash.time)}"
    return "\n".join([title, aligned(rows, "  "), *_log(crash)])


def record(crash: CrashDossier) -> dict[str, Any]:
    """Everything. Times are seconds of Unix time."""
    return {
        "plugin": crash.plugin,
        "replica": crash.replica,
        "time": seconds(crash.time),
        "started": seconds(crash.started) if crash.HasField("started") else None,
        "reason": crash.reason,
        "detail": crash.detail,
        "exit_code": crash.exit_code if crash.HasField("exit_code") else None,
        "signal": crash.signal or None,
        "out_of_memory": crash.out_of_memory,
        "pid": crash.pid or None,
        "version": crash.version,
        "restarts": crash.restarts,
        "deaths": crash.deaths,
        "calls": [
            {"rpc": call.rpc, "run_id": call.run_id, "agent": call.agent, "seconds": call.seconds}
            for call in crash.calls
        ],
        "command": crash.command,
        "host_pid": crash.host_pid or None,
        "host_version": crash.host_version,
        "log": list(crash.log),
        "log_dropped": crash.log_dropped,
    }


def _reason(crash: CrashDossier) -> str:
    """The reason, and what it does not say itself."""
    known = [quoted(crash.reason, 100)]
    if crash.HasField("exit_code") and crash.reason != f"exit:{crash.exit_code}":
        known.append(f"exit code {crash.exit_code}")
    if crash.signal:
        known.append(_signal_name(crash.signal))
    if crash.out_of_memory and crash.reason != "oom":
        known.append("out of memory")
    return ", ".join(known)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _process(crash: CrashDossier) -> str:
    known = [str(crash.pid)] if crash.pid else ["none"]
    if crash.replica > 1:
        known.append(f"replica {crash.replica}")
    if crash.version:
        known.append(f"version {quoted(crash.version, 100)}")
    if crash.HasField("started"):
        known.append(f"lived {seconds(crash.time) - seconds(crash.started):.1f} s")
    return ", ".join(known)


def _call(call: CallInFlight) -> str:
    known = [f"{quoted(call.rpc, 100)} for {call.seconds:.1f} s"]
    if call.agent:
        known.append(f"agent {quoted(call.agent, 100)}")
    if call.run_id:
        known.append(f"run {quoted(call.run_id, 100)}")
    return ", ".join(known)


def _log(crash: CrashDossier) -> list[str]:
    if not crash.log:
        return ["It logged nothing."]
    dropped = f"; {crash.log_dropped} came too fast to be kept" if crash.log_dropped else ""
    return [
        f"The last lines that it logged ({len(crash.log)}{dropped}):",
        *(f"  {printable(line)}" for line in crash.log),
    ]
