"""A door to a plugin that listens on a private socket: what comes in goes to whichever process of it lives now."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from hector_host.errors import ConfigError, quoted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from hector_host.manager.launch.handshake import Endpoint

CHUNK = 1 << 16

_STEP = "Write host:port, as 127.0.0.1:8081 (port 0 takes any), or unix:PATH."


@asynccontextmanager
async def forwarding(address: str, find: Callable[[], Endpoint | None]) -> AsyncIterator[str]:
    """Listens there, in plain text, and gives the address; port 0 takes any free port.

    Args:
        find: Where the plugin listens now; None: nowhere. Connections that come then are closed.

    Raises:
        ConfigError: It is no address, or cannot be had.
    """
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            connections.add(task)
            task.add_done_callback(connections.discard)
        with suppress(OSError):
            await _forwarded(reader, writer, find())
        writer.close()

    server = await _listening(address, connected)
    bound = server.sockets[0].getsockname()
    try:
        yield f"unix:{bound}" if isinstance(bound, str) else f"{address.rpartition(':')[0]}:{bound[1]}"
    finally:
        server.close()
        for task in tuple(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


def place(address: str) -> str | tuple[str, int]:
    """Where to listen: the path of a socket, or a host and a port.

    Raises:
        ConfigError: It is no address.
    """
    path = address.removeprefix("unix:")
    host, _, port = address.rpartition(":")
    if path.removeprefix("//") and path != address:
        return path.removeprefix("//")
    if host and port.isdecimal() and int(port) < 1 << 16:
        return host.strip("[]"), int(port)
    raise ConfigError(f"--listen {quoted(address, 200)}: is not an address", _STEP)


async def _listening(
    address: str, connected: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> asyncio.Server:
    where = place(address)
    try:
        if isinstance(where, str):
            return await asyncio.start_unix_server(connected, where)
        return await asyncio.start_server(connected, *where)
    except OSError as error:
        raise ConfigError(f"--listen {quoted(address, 200)}: {_words(error)}", _STEP) from None


def _words(error: OSError) -> str:
    """Why one cannot listen. asyncio's own words name the address once more, in Python's notation."""
    number = error.errno
    return os.strerror(number) if number is not None and number > 0 else error.strerror or str(error)


async def _forwarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, endpoint: Endpoint | None) -> None:
    if endpoint is None:
        return
    if endpoint.network == "unix":
        inner, outer = await asyncio.open_unix_connection(endpoint.address)
    else:
        host, _, port = endpoint.address.rpartition(":")
        inner, outer = await asyncio.open_connection(host.strip("[]"), int(port))
    ways = [asyncio.create_task(_pumped(reader, outer)), asyncio.create_task(_pumped(inner, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        outer.close()


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
