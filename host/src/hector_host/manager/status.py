"""How a plugin and each of its replicas are at one moment: what `hector plugin list` and the host's API show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hector_host.manager.states import DOWN

if TYPE_CHECKING:
    from pathlib import Path

    from hector_host.config import Kind
    from hector_host.errors import HectorError
    from hector_host.manager.replica import Replica
    from hector_host.manager.states import State


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """One process of a plugin, or one address.

    Attributes:
        number: From 1; unique in the plugin for as long as the host lives.
        reason: Of its last change of state.
        since: When it changed, in seconds of Unix time.
        pid: Its process; 0 when there is none on this machine.
        address: Where it is reached, for one that somebody else runs; else empty.
        in_flight: Calls that it works on.
        restarts: How often it was started again by itself.
        next_attempt: When it is started again, in seconds of Unix time; None: it is not.
    """

    number: int
    state: State
    reason: str
    since: float
    pid: int
    address: str
    in_flight: int
    restarts: int
    next_attempt: float | None


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """One plugin of the configuration.

    Attributes:
        kind: What it provides; None while that is unknown, or for several.
        state: That of its replicas taken together.
        reason: Of the last change of the replica that decides the state.
        since: When that changed, in seconds of Unix time.
        version: What it says of itself; empty while that is unknown.
        source: Where it comes from: "path", "package", "command" or "address".
        in_flight: Calls that its replicas work on.
        queued: Calls that wait for one of them.
        calls: Calls that it took, over all of its processes.
        failures: Those of them that failed for another reason than the caller's.
        restarts: How often its replicas were started again by themselves.
        next_attempt: The earliest start of a replica that is down, in seconds of Unix time; None: there is none.
        replicas: In the order of their numbers. Empty: it was never started.
        attached: The address to which its calls go instead of to processes of its own; empty: they do not.
        data: The directory that it may write.
        exclusive: One process at a time may use that, as far as that is known: known once it was started.
    """

    name: str
    kind: Kind | None
    state: State
    reason: str
    since: float
    version: str
    source: str
    in_flight: int
    queued: int
    calls: int
    failures: int
    restarts: int
    next_attempt: float | None
    replicas: tuple[ReplicaStatus, ...]
    attached: str
    data: Path
    exclusive: bool


@dataclass(frozen=True, slots=True)
class ConfigChanges:
    """What a changed configuration did to the plugins, by their names.

    Attributes:
        added: Declared now; started when they are needed.
        removed: Not declared any more; they finish the calls that they have and stop.
        changed: Declared otherwise; those that ran were replaced, unless they are among `failed`.
        failed: Whose replacement does not start, and why; what ran before goes on as it was.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    failed: dict[str, HectorError]


def replica_status(replica: Replica) -> ReplicaStatus:
    """One replica at this moment."""
    return ReplicaStatus(
        number=replica.number,
        state=replica.state,
        reason=replica.reason,
        since=replica.since,
        pid=replica.instance.pid if replica.state not in DOWN else 0,
        address=replica.instance.address,
        in_flight=replica.in_flight,
        restarts=replica.restarts,
        next_attempt=replica.next_attempt,
    )
