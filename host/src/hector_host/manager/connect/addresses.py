"""Where a plugin that somebody else runs can be dialled: the targets that its address stands for, now and later.

`host:port` and `unix:PATH` are one target, whatever the name resolves to: one server behind a name, as a machine with
IPv4 and IPv6 has it. `dns:///host:port` is one target for each address that the name has, each a plugin process of its
own: as a headless service of Kubernetes has it. The set is never empty: a name that has not resolved yet is itself the
target, which cannot be dialled for the reason that the name does not resolve.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from hector_host.errors import quoted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from types import TracebackType

    from hector_host.config import PluginConfig

INTERVAL = 30.0
"""Seconds between two lookups while all is well: what a name's records usually live."""
FIRST_DELAY = 1.0
"""Seconds to the next lookup after trouble; each further one waits twice as long, up to the interval."""
JITTER = 0.25
"""The part by which each wait is longer or shorter, so that many hosts do not ask at once."""
LIMIT = 10.0
"""Seconds for one lookup."""

_BY_NAME = "dns:///"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """One place that can be dialled.

    Attributes:
        address: What messages and lists call it; no two targets of a plugin have the same.
        dial: What gRPC dials.
        authority: `host:port` as its certificate and the proxies before it know it; empty for a socket.
    """

    address: str
    dial: str
    authority: str


def single(address: str) -> Target:
    """The one target of an address, as gRPC resolves it by itself."""
    if address.startswith("unix:"):
        return Target(address, address, "")
    authority = address.removeprefix(_BY_NAME)
    return Target(address, f"{_BY_NAME}{authority}", authority)


class Resolver:
    """Follows what a plugin's address stands for. An async context manager: it looks until it is left.

    A lookup is the system's own (/etc/hosts, DNS, whatever it is set up with), in a thread, since it blocks and cannot
    be interrupted. There is one thread at a time, and none keeps the process from ending.

    Attributes:
        problem: Why the last lookup failed; empty when it did not. The targets of the one before are kept then.

    Args:
        lookup: By default `socket.getaddrinfo`.
        interval: Seconds between two lookups while all is well.
        first_delay: Seconds to the first lookup after trouble.
        limit: Seconds for one lookup.
    """

    def __init__(
        self,
        plugin: PluginConfig,
        lookup: Callable[..., Iterable[tuple[Any, ...]]] | None = None,
        *,
        interval: float = INTERVAL,
        first_delay: float = FIRST_DELAY,
        limit: float = LIMIT,
    ) -> None:
        self.problem = ""
        self._address = plugin.address or ""
        self._targets: tuple[Target, ...] = (single(self._address),)
        self._lookup = lookup or socket.getaddrinfo
        self._interval = interval
        self._first_delay = first_delay
        self._limit = limit
        self._delay = interval
        self._pending: Future[tuple[Target, ...]] | None = None
        self._trouble = asyncio.Event()
        self._looked = asyncio.Event()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._address.startswith(_BY_NAME):
            self._task = asyncio.create_task(self._follow(), name=f"resolver of {self._address}")
        else:
            self._looked.set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    def targets(self) -> tuple[Target, ...]:
        """What the address stood for when it last resolved."""
        return self._targets

    def lost(self) -> None:
        """A connection to one of the targets ended: they may be others now, so look soon."""
        if self._delay >= self._interval:  # otherwise it looks soon already
            self._trouble.set()

    async def watch(self) -> AsyncIterator[tuple[Target, ...]]:
        """The targets once the first lookup is over, and again whenever they are others. Without an end."""
        await self._looked.wait()
        while True:
            self._changed.clear()
            yield self._targets
            await self._changed.wait()

    async def _follow(self) -> None:
        while True:
            await self._look()
            self._looked.set()
            await self._pause()

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(self._limit):
                found = await asyncio.wrap_future(self._started())
        except TimeoutError:
            self._fail(f"no answer within {self._limit:g} s")
        except (OSError, UnicodeError) as error:
            self._fail(quoted(getattr(error, "strerror", None) or str(error), 200))
        else:
            if self.problem:
                _log.info("%s: resolves again", self._address)
            self.problem = ""
            if found != self._targets:
                self._targets = found
                self._changed.set()

    def _started(self) -> Future[tuple[Target, ...]]:
        """The lookup that runs; one that took too long for those who waited before is waited for again."""
        if self._pending is None or self._pending.done():
            self._pending = Future()
            self._pending.set_running_or_notify_cancel()  # who waits may give up; the thread goes on nevertheless
            threading.Thread(target=self._run, args=(self._pending,), name="resolver", daemon=True).start()
        return self._pending

    def _run(self, outcome: Future[tuple[Target, ...]]) -> None:
        try:
            outcome.set_result(self._found())
        except Exception as error:  # noqa: BLE001 (whoever waits gets it)
            outcome.set_exception(error)

    def _found(self) -> tuple[Target, ...]:
        authority = self._address.removeprefix(_BY_NAME)
        host, _, port = authority.rpartition(":")
        found = self._lookup(host.removeprefix("[").removesuffix("]"), int(port), type=socket.SOCK_STREAM)
        targets = {_numeric(each[4], authority) for each in found}
        if not targets:
            raise OSError(0, "it has no address")
        return tuple(sorted(targets, key=lambda each: each.address))

    def _fail(self, problem: str) -> None:
        if not self.problem:
            self._delay = self._first_delay
            _log.warning("%s: cannot be resolved: %s", self._address, problem)
        self.problem = problem

    async def _pause(self) -> None:
        delay, self._delay = self._delay, min(2 * self._delay, self._interval)
        with suppress(TimeoutError):
            async with asyncio.timeout(_jittered(delay)):
                await self._trouble.wait()
            self._trouble.clear()
            self._delay = min(2 * self._first_delay, self._interval)
            await asyncio.sleep(_jittered(self._first_delay))


def _numeric(found: tuple[Any, ...], authority: str) -> Target:
    """The target of a socket address."""
    host, port = found[:2]
    if ":" not in host:
        return Target(f"{host}:{port}", f"ipv4:{host}:{port}", authority)
    return Target(f"[{host}]:{port}", f"ipv6:[{host.replace('%', '%25')}]:{port}", authority)


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (spreads load; nobody gains by guessing it)
