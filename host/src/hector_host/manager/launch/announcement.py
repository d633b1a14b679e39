"""Where a plugin can be reached: by its handshake, or by the port of a server that prints none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hector_host.manager.failure import Failure
from hector_host.manager.launch import ports
from hector_host.manager.launch.handshake import Endpoint

if TYPE_CHECKING:
    from hector_host.manager.launch.greeting import Greeting
    from hector_host.manager.processes.process import Process

PORT_PAUSE = 0.02
"""Seconds between two looks for a listening port."""
GRACE = 0.2
"""Seconds in which a handshake may still come from a process that already listens."""
TCP_GRACE = 1.0
"""The same where handshakes announce ports: a process that is about to print one has listened before."""


async def announced(process: Process, greeting: Greeting, wanted: str, grace: float = GRACE) -> Endpoint | None:
    """The endpoint; None when the process ended without one.

    Args:
        process: Its process tree is searched for listening ports.
        greeting: Hears the handshake.
        wanted: The plugin's option `endpoint`, which decides among several ports.
        grace: Seconds in which a handshake may still come from a process that already listens.

    Raises:
        Failure: The handshake is not one, or nothing decides among several ports.
    """
    loop = asyncio.get_running_loop()
    seen: float | None = None
    while True:
        await asyncio.wait((greeting.heard, process.exited), timeout=PORT_PAUSE, return_when=asyncio.FIRST_COMPLETED)
        if process.exited.done():
            process.drain()
        if greeting.heard.done():
            return greeting.heard.result()
        if process.exited.done():
            return None
        found = ports.listening(process.pid)
        if not found:
            seen = None
        elif seen is None:
            seen = loop.time()
        elif loop.time() - seen >= grace:
            return _bare(process, ports.choose(found, wanted))


def _bare(process: Process, address: str) -> Endpoint:
    port = int(address.rpartition(":")[2])
    holder = ports.other_holder(process.pid, port)
    if holder is not None:
        raise Failure(
            "handshake",
            f"listens on port {port}, and process {holder or 'of another user'} does too",
            "End that process, or give one of the two another port: calls would go to either.",
        )
    return Endpoint("tcp", address, announced=False)
