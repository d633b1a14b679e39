"""The life of `hector serve`: it starts, serves until a signal, finishes what it has, and ends."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from hector_host.errors import printable_lines
from hector_host.server.host import LiveHost
from hector_host.server.signals import Signals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hector_host.config import Config
    from hector_host.manager.logs.lines import Record
    from hector_host.server.endpoint import Endpoint

HURRY = 3.0
"""Seconds from the second signal to the end of whatever has not ended by then."""


async def serve(config: Config, endpoint: Endpoint, grace: float, *, watch: bool = False, verbose: bool = False) -> int:
    """Serves until SIGTERM, SIGINT or SIGHUP.

    Args:
        grace: Seconds that calls in flight get after the signal.
        watch: Follow changes of the configuration and of the plugins' files; of the discovery folders anyway.
        verbose: Show what the plugins log, on stderr.

    Returns:
        The exit code: 0 after one signal, 128 and the signal's number after a second one.

    Raises:
        HectorError: It could not begin.
    """
    with Signals() as signals:
        try:
            async with (
                asyncio.timeout(None) as limit,
                _hurrying(signals, limit),
                LiveHost(config, endpoint, tell, _log if verbose else None) as host,
            ):
                async with _following(host, everything=watch):
                    _say_ready(config, host.address)
                    await signals.first.wait()
                await _finish(host, grace, signals)
        except TimeoutError:
            if not limit.expired():
                raise
        tell("Stopped.")
        return 128 + signals.number if signals.second.is_set() else 0


def tell(text: str) -> None:
    """A line on stderr, with the time; more lines, where the text has some."""
    with suppress(OSError, ValueError):  # nobody reads any more, and the host goes on
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {printable_lines(text)}", file=sys.stderr, flush=True)  # noqa: T201 - its log


@asynccontextmanager
async def _hurrying(signals: Signals, limit: asyncio.Timeout) -> AsyncIterator[None]:
    """The second signal limits what is left of the host's time."""

    async def hurry() -> None:
        await signals.second.wait()
        limit.reschedule(asyncio.get_running_loop().time() + HURRY)

    task = asyncio.create_task(hurry())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _following(host: LiveHost, *, everything: bool) -> AsyncIterator[None]:
    """The host goes over to what its files become, until it is about to end."""

    def current() -> Config:
        return host.deployments.current.config

    if not everything and not current().discovery.enabled:
        yield
        return
    from hector_host.manager.watching.following import follow
    from hector_host.manager.watching.watch import Watch

    async def reload(name: str) -> None:
        """What is attached is somebody else's to start again."""
        if not host.manager.attached(name):
            await host.manager.reload(name)

    watch = Watch(current, tell, everything=everything)
    task = asyncio.create_task(follow(watch, current, host.apply, reload, tell))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _finish(host: LiveHost, grace: float, signals: Signals) -> None:
    calls = len(host.calls)
    waiting = f" {_count(calls, 'call')} in flight may take {grace:g} s; another signal ends at once." if calls else ""
    tell(f"Stopping.{waiting}")
    cut = await host.finish(grace, signals.second)
    if cut:
        tell(f"{_count(cut, 'call')} cancelled.")


def _say_ready(config: Config, address: str) -> None:
    with suppress(OSError, ValueError):
        print(f"Serving {_count(len(config.agents), 'agent')} on {address}", flush=True)  # noqa: T201 - its output


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _log(plugin: str, record: Record) -> None:
    tell(f"[{plugin}] {record}")
