"""A call's place at a plugin: what its caller holds while it lasts, and gives back with what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from grpc import StatusCode

    from hector_host.manager.plugin import Plugin

_NO_FAILURE = frozenset({"CANCELLED", "UNIMPLEMENTED"})
"""Codes that say nothing against the plugin: its caller gave up, or falls back to another RPC."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a call is, for those who ask what a plugin was doing.

    Attributes:
        method: The name of the RPC.
        run: The run that makes it; empty for none.
        agent: The agent of the run; empty for none.
    """

    method: str
    run: str = ""
    agent: str = ""


class Place(Protocol):
    """Where a call is worked on: a replica."""

    def released(self, lease: Lease, code: StatusCode | None) -> None:
        """A call has ended."""

    def vacated(self, lease: Lease) -> None:
        """A place is free again that nobody used."""


class Door(Protocol):
    """What let the call in."""

    calls: int

    def released(self, *, failed: bool) -> None:
        """A place was given back."""


class Lease:
    """A place at a replica for one call. Whoever has it gives it back.

    Attributes:
        plugin: Takes the call.
        started: When it was given, by `time.monotonic`.
        ended: When it was given back; 0 until then.
    """

    __slots__ = ("_door", "_place", "ended", "plugin", "started", "ticket")

    def __init__(self, door: Door, place: Place, plugin: Plugin, ticket: Ticket) -> None:
        self._door = door
        self._place = place
        self.plugin = plugin
        self.ticket = ticket
        self.started = time.monotonic()
        self.ended = 0.0

    def release(self, code: StatusCode | None = None) -> None:
        """Gives the place back.

        Args:
            code: How the call failed, CANCELLED when its caller gave up; None when it did not.
        """
        self.ended = time.monotonic()
        self._place.released(self, code)
        self._door.released(failed=code is not None and code.name not in _NO_FAILURE)

    def unused(self) -> None:
        """Gives the place back without having called: that says nothing of the plugin."""
        self._place.vacated(self)
        self._door.calls -= 1
        self._door.released(failed=False)
