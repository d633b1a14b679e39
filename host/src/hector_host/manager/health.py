"""Whether a replica that takes calls still can: asked regularly, and at once when its calls go wrong.

Pings of the connection prove that a process runs; an answer to Health.Check proves that it serves. A server without
that service answers UNIMPLEMENTED, which proves as much. Keepalive pings (channel.py) stand beside this for connections
that broke without anybody being told.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from google.protobuf.message import DecodeError
from grpc.aio import AioRpcError
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

if TYPE_CHECKING:
    from hector_host.manager.plugin import Plugin

INTERVAL = 5.0
"""Seconds between two checks while all is well."""
RECHECK = 1.0
"""Seconds until the next check after one that was not answered."""
TIMEOUT = 2.0
"""Seconds for an answer."""
MISSES = 3
"""Checks in a row without an answer after which a replica is given up: at most 15 s after it stopped."""
LAG = 1.0
"""Seconds of delay by which the host itself was too slow, so that the check says nothing of the plugin."""
TROUBLE = 5
"""Calls in a row that went wrong after which a replica is looked at."""

METHOD = "/grpc.health.v1.Health/Check"
_ALL = HealthCheckRequest().SerializeToString()
_PLUGIN = HealthCheckRequest(service="plugin").SerializeToString()  # go-plugin's own; a server may know it alone
_SILENT = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED})
_WITHOUT_HEALTH = frozenset({grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.NOT_FOUND})


class Patient(Protocol):
    """Who is told of what was found."""

    def checked(self) -> None:
        """It was alive just now."""

    def recovered(self) -> None:
        """It does well again."""

    def unwell(self, reason: str) -> None:
        """It answers, and does not do well."""


class Health:
    """Watches one replica from READY to the verdict that it is lost.

    Args:
        plugin: What is asked.
        patience: Calls in a row that may time out before it is taken for stuck, though it answers its checks: as many
            as it gets at a time, so that all of them may be stuck.
        steadfast: It is never given up: a person may have stopped it, and goes on with it in a while.
    """

    def __init__(self, plugin: Plugin, patient: Patient, patience: int, *, steadfast: bool = False) -> None:
        self._check: Any = plugin.channel.unary_unary(METHOD)
        self._metadata = plugin.metadata
        self._patient = patient
        self._patience = patience
        self._steadfast = steadfast
        self._request = _ALL
        self._late = 0
        self._broken = 0
        self._unwell = False
        self._called = asyncio.Event()

    def succeeded(self) -> None:
        """A call was answered, be it with an error of its own."""
        if self._in_trouble():
            self._called.set()
        self._late = self._broken = 0

    def failed(self, *, late: bool) -> None:
        """A call ran into its deadline (late), or its connection broke."""
        if late:
            self._late += 1
        else:
            self._broken += 1
        if self._in_trouble():
            self._called.set()

    async def lost(self) -> str:
        """Waits until the replica has to be given up: "health" or "unresponsive"."""
        misses = 0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RECHECK if misses else INTERVAL):
                    await self._called.wait()
            self._called.clear()
            if self._late >= self._patience and not self._steadfast:
                return "unresponsive"
            answer = await self._ask()
            if answer is None:
                misses += 1
                self._tell("health")
                if misses == MISSES and not self._steadfast:
                    return "health"
                continue
            misses = 0
            self._patient.checked()
            self._tell("" if answer and not self._in_trouble() else "unresponsive" if answer else "health")

    def _in_trouble(self) -> bool:
        return self._late >= TROUBLE or self._broken >= TROUBLE

    def _tell(self, unwell: str) -> None:
        if unwell and not self._unwell:
            self._patient.unwell(unwell)
        if self._unwell and not unwell:
            self._patient.recovered()
        self._unwell = bool(unwell)

    async def _ask(self) -> bool | None:
        """Whether it serves; None without an answer."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            answer = await self._check(self._request, timeout=TIMEOUT, metadata=self._metadata)
        except AioRpcError as error:
            if loop.time() - asked > TIMEOUT + LAG:
                return True  # the host was not there to hear the answer
            if error.code() is grpc.StatusCode.NOT_FOUND and self._request is _ALL:
                self._request = _PLUGIN
            if error.code() in _SILENT:
                return None
            return error.code() in _WITHOUT_HEALTH  # any other error is an answer, and not that of a healthy plugin
        try:
            serving: bool = HealthCheckResponse.FromString(answer).status == HealthCheckResponse.SERVING
        except DecodeError:
            return None
        return serving
