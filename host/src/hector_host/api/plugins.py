"""How plugins are, what changes and how one crashed, as the messages of the host's own API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector.host.v1 import supervision_pb2 as wire
from hector_host.api.messages import date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hector_host.manager.dossier import Dossier
    from hector_host.manager.processes.resources import Resources
    from hector_host.manager.states import State, StateChange
    from hector_host.manager.status import PluginStatus, ReplicaStatus


def plugin_status(status: PluginStatus, used: Mapping[int, Resources]) -> wire.PluginStatus:
    """A plugin at one moment.

    Args:
        used: What the families of its processes use, by the pid of each replica; those that were measured.
    """
    message = wire.PluginStatus(
        name=status.name,
        kind=status.kind or "",
        state=_state(status.state),
        reason=status.reason,
        version=status.version,
        source=status.source,
        in_flight=status.in_flight,
        queued=status.queued,
        calls=status.calls,
        failures=status.failures,
        restarts=status.restarts,
        replicas=[_replica(replica, used) for replica in status.replicas],
        attached=status.attached,
        data_dir=str(status.data),
        exclusive=status.exclusive,
    )
    if status.since:
        date(message.since, status.since)
    if status.next_attempt is not None:
        date(message.next_attempt, status.next_attempt)
    measured = [used[replica.pid] for replica in status.replicas if replica.pid in used]
    if measured:
        message.resources.CopyFrom(_resources(*measured))
    return message


def plugin_change(change: StateChange, time: float) -> wire.PluginChange:
    """A change of state that the host learned of at `time`, in seconds of Unix time."""
    message = wire.PluginChange(
        plugin=change.name,
        replica=change.replica,
        old_state=_state(change.old),
        new_state=_state(change.new),
        reason=change.reason,
    )
    date(message.time, time)
    return message


def crash_dossier(dossier: Dossier) -> wire.CrashDossier:
    """How a plugin crashed."""
    message = wire.CrashDossier(
        plugin=dossier.plugin,
        replica=dossier.replica,
        reason=dossier.reason,
        detail=dossier.words,
        exit_code=dossier.exit_code,
        signal=dossier.signal or 0,
        out_of_memory=dossier.out_of_memory,
        pid=dossier.pid,
        version=dossier.version,
        restarts=dossier.restarts,
        deaths=dossier.deaths,
        log=dossier.log,
        log_dropped=dossier.log_dropped,
        calls=[
            wire.CallInFlight(rpc=call.method, run_id=call.run, agent=call.agent, seconds=call.seconds)
            for call in dossier.calls
        ],
        command=dossier.command,
        host_pid=dossier.host_pid,
        host_version=dossier.host_version,
    )
    date(message.time, dossier.died)
    if dossier.started is not None:
        date(message.started, dossier.started)
    return message


def _replica(status: ReplicaStatus, used: Mapping[int, Resources]) -> wire.PluginReplica:
    message = wire.PluginReplica(
        number=status.number,
        state=_state(status.state),
        reason=status.reason,
        pid=status.pid,
        address=status.address,
        in_flight=status.in_flight,
        restarts=status.restarts,
    )
    date(message.since, status.since)
    if status.next_attempt is not None:
        date(message.next_attempt, status.next_attempt)
    if status.pid in used:
        message.resources.CopyFrom(_resources(used[status.pid]))
    return message


def _resources(*used: Resources) -> wire.PluginResources:
    return wire.PluginResources(
        memory=sum(each.memory for each in used),
        cpu_seconds=sum(each.cpu for each in used),
        processes=sum(each.processes for each in used),
        threads=sum(each.threads for each in used),
        files=sum(each.files for each in used),
    )


def _state(value: State) -> str:
    """The name of the value in `PluginState`."""
    return f"PLUGIN_STATE_{value.name}"
