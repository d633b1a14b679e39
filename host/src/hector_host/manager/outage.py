"""What callers are told of a plugin that takes no calls, or has too many: why, and when that may change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hector_host.errors import CallError, HectorError, PluginError
from hector_host.manager.attachment import way_back
from hector_host.manager.replica import STOPPED
from hector_host.manager.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hector_host.config import PluginConfig
    from hector_host.manager.generation import Generation
    from hector_host.manager.replica import Replica


def outage(who: str, current: Generation | None, *, stopped: bool) -> Exception:
    """Why a plugin takes no calls.

    Args:
        who: The plugin as messages name it.
        current: What runs of it, if anything ever did.
        stopped: The host has stopped it.
    """
    if current is None or stopped:
        error: Exception = PluginError(f"{who}: was {STOPPED}")
    else:
        error = current.error
    if current is None or not isinstance(error, HectorError):
        return error
    what, step, next_ones = error.what, error.step, [] if stopped else attempts(current.replicas)
    attachment = current.edition.attachment
    if attachment is not None and not stopped:
        name = current.edition.plugin.name
        place = f"is attached to {attachment.address}"
        said = what.removeprefix(f"{who}: ")
        what = what if said.startswith(place) else f"{who}: {place}: {said}"
        step = f"Start it there again, or route the calls back: {way_back(name)}"
    again = any(replica.state is State.STARTING for replica in current.replicas)
    lasting = current.edition.lasting
    if next_ones and lasting:
        what = f"{what.splitlines()[0]}; next attempt in {_span(max(0.0, min(next_ones) - time.time()))}"
    elif again and lasting:
        what = f"{what.splitlines()[0]}; it is being started again"
    if not any(replica.opened for replica in current.replicas):
        return type(error)(what, step)
    from grpc import StatusCode

    return CallError(what, step, code=StatusCode.UNAVAILABLE, retryable=again or bool(next_ones))


def busy(who: str, plugin: PluginConfig, what: str, code: str) -> CallError:
    """That a plugin has more calls than it may.

    Args:
        code: The name of the gRPC status.
    """
    from grpc import StatusCode

    return CallError(
        f"{who}: {what}",
        f"It gets {plugin.max_concurrency} calls at a time, and {plugin.max_queue} may wait: raise max_concurrency"
        f" or max_queue of plugin {plugin.name}, or give it replicas.",
        code=StatusCode[code],
        retryable=True,
    )


def attempts(replicas: Iterable[Replica]) -> list[float]:
    """When those of the replicas that are down are started again, in seconds of Unix time."""
    return [replica.next_attempt for replica in replicas if replica.next_attempt is not None]


def _span(seconds: float) -> str:
    """Seconds for people."""
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
