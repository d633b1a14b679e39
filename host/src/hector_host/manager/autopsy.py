"""From the end of a replica to its dossier: how it ended, what it logged last, what it was working on. Pure."""

from __future__ import annotations

import os
import shlex
from importlib.metadata import version
from typing import TYPE_CHECKING

from hector_host.errors import HectorError
from hector_host.manager.death import OUT_OF_MEMORY
from hector_host.manager.dossier import CallInFlight, Dossier

if TYPE_CHECKING:
    from hector_host.manager.death import Death
    from hector_host.manager.instance import Edition
    from hector_host.manager.replica import Replica


def dossier(edition: Edition, replica: Replica, death: Death) -> Dossier:
    """What is kept of a death.

    Args:
        edition: What the replica was started from.
        replica: As it is after the death.
    """
    cause, _, number = death.reason.partition(":")
    return Dossier(
        plugin=edition.plugin.name,
        reason=death.reason,
        died=replica.since,
        started=death.started,
        kind=replica.instance.kind or "",
        replica=replica.number,
        pid=death.pid,
        version=death.version,
        words=death.error.what.splitlines()[0] if isinstance(death.error, HectorError) else repr(death.error),
        exit_code=int(number) if cause == "exit" else None,
        signal=int(number) if cause == "signal" else 9 if death.reason == OUT_OF_MEMORY else None,
        out_of_memory=death.reason == OUT_OF_MEMORY,
        state=replica.state.value,
        next_attempt=replica.next_attempt,
        restarts=replica.restarts,
        deaths=replica.deaths,
        log=tuple(edition.book.tail),
        log_dropped=edition.book.dropped,
        calls=tuple(
            CallInFlight(lease.ticket.method, lease.ticket.run, lease.ticket.agent, death.ended - lease.started)
            for lease in death.leases
        ),
        command=shlex.join(map(edition.config.redact, replica.instance.command)),
        host_pid=os.getpid(),
        host_version=version("hector-host"),
    )
