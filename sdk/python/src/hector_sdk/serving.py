"""`serve`: the one call of a plugin's main module. Launched by a host it shakes hands; by hand it explains itself."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from hector_sdk import launch, logs
from hector_sdk.endpoint import Endpoint
from hector_sdk.errors import StartFailed
from hector_sdk.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hector_sdk.lifecycle import Settings

BY_HAND = ("--listen", "--health", "--help", "-h")
PATIENCE = 1.0
"""Seconds that threads get to end once everything is stopped; a tool may hang in one for ever."""


def serve(*providers: object, name: str = "", version: str = "", description: str = "") -> NoReturn:
    """Serve providers, at most one of each kind, until the host or a signal stops the process.

    Args:
        providers: Instances of `LLM`, `Database`, `Embedder`, `Tools`, `Reasoning` or generated servicer classes.
        name: Default: the installed distribution's, without `hector-`.
        version: Default: the distribution's.
        description: Default: the distribution's summary.
    """
    identity = Identity(name, version, description)
    output = launch.HANDSHAKE_OUTPUT
    if output is None or (sys.argv[1:2] and sys.argv[1] in BY_HAND):
        from hector_sdk import byhand

        sys.exit(byhand.main(providers, identity, sys.argv[1:]))
    logs.to_stderr()
    try:
        asyncio.run(_launched(providers, identity, output, os.environ))
    except StartFailed as error:
        sys.exit(f"{identity.completed().name}: {error}")
    sys.exit(0)


def configured(environ: Mapping[str, str]) -> Settings | None:
    """The settings that a host puts into the environment. None without `HECTOR_PLUGIN_CONFIG`: Configure will follow.

    Raises:
        StartFailed: They are no JSON object.
    """
    from hector_sdk.lifecycle import Settings
    from hector_sdk.values import whole

    text = environ.get("HECTOR_PLUGIN_CONFIG")
    if text is None:
        return None
    try:
        config = json.loads(text)
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise StartFailed("HECTOR_PLUGIN_CONFIG is not a JSON object")
    return Settings(whole(config), environ.get("HECTOR_PLUGIN_DATA_DIR", ""), environ.get("HECTOR_PLUGIN_NAME", ""))


def stop_on_signals(stopping: asyncio.Event, *signals: signal.Signals) -> None:
    """Set the event when one of them arrives."""
    loop = asyncio.get_running_loop()
    for each in signals:
        loop.add_signal_handler(each, stopping.set)


def stop_without_host(stopping: asyncio.Event, output: int) -> None:
    """Set the event when the host is gone: it reads stdout as long as it lives, however it dies."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(output)
        stopping.set()

    if stat.S_ISFIFO(os.fstat(output).st_mode):  # nothing can be read there, so readable means broken
        loop.add_reader(output, gone)


def end_soon(status: int) -> None:
    """End the process even if threads of its own or of libraries do not, and whoever asks for it once more."""
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # else it would have been killed, on its last way
    last_resort = threading.Timer(PATIENCE, os._exit, (status,))
    last_resort.daemon = True
    last_resort.start()


async def _launched(providers: Sequence[Any], identity: Identity, output: int, environ: Mapping[str, str]) -> None:
    settings = configured(environ)
    async with Endpoint(environ) as endpoint:
        from hector_sdk.server import Server

        async with Server(providers, identity, settings) as server:
            stop_on_signals(server.stopping, signal.SIGTERM)
            os.write(output, await endpoint.open(server))
            stop_without_host(server.stopping, output)
            if settings is not None:
                server.lifecycle.begin()
            await server.stopping.wait()
    end_soon(0)
