"""`hector plugin attach` and `detach`: a live host's calls of a plugin go to a process under a debugger, and back."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from hector_host.cli.host_choice import connected
from hector_host.cli.options import ConfigOption, NameArgument, ServerOption

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from hector.host.v1.supervision_pb2 import PluginStatus
    from hector_host.cli.client import Client

HANDOVER = 60
"""Seconds that the host waits for the end or the start of a process that owns the plugin's data directory."""

AddressOption = Annotated[
    str,
    typer.Option(
        "--address", metavar="ADDRESS", help="Where the process listens: host:port or unix:PATH.", show_default=False
    ),
]


def attach(
    name: NameArgument, *, address: AddressOption, config: ConfigOption = None, server: ServerOption = None
) -> None:
    """Route a live host's calls of a plugin to a process that you run, under a debugger for example.

    Start the plugin by hand first, with --listen, or with hector plugin run. No call is lost: those in flight end where
    they began. The process gets the plugin's options (Configure), and its data directory where it is on the host's
    machine. If it cannot take the plugin's place, everything stays as it is, and why is printed (exit code 3).

    A process that stands at a breakpoint is waited for: a call may take an hour. When it ends, calls fail and say so
    until it is there again; they never go to another process by themselves. Go back with hector plugin detach; a host
    that is started anew has forgotten it.

    For example:

        hector plugin attach shout --address 127.0.0.1:8081
    """
    from hector_host.cli.hosting import run

    run(_attach(name, _whole(address), connected(config, server)))


def detach(name: NameArgument, *, config: ConfigOption = None, server: ServerOption = None) -> None:
    """Route the calls of an attached plugin to its own process again, as the configuration has it now.

    No call is lost: those in flight end where they began. If its own process does not start, the plugin stays attached,
    and what is wrong is printed (exit code 3).

    For example:

        hector plugin detach shout
    """
    from hector_host.cli.hosting import run

    run(_detach(name, connected(config, server)))


async def _attach(name: str, address: str, host: AbstractAsyncContextManager[Client]) -> None:
    from hector_host.cli.plugin_table import pids
    from hector_host.errors import ConfigError, PluginError, quoted

    async with host as client:
        before = await _status(client, name)
        if before is not None and before.exclusive and not before.attached:
            print(
                f"{name} owns its data directory: the host's own process is ended now, and calls wait.\n"
                f"If yours does not listen yet, start it within {HANDOVER} s:"
                f" --listen {address} --data-dir {quoted(before.data_dir)}",
                file=sys.stderr,
            )
        started = time.monotonic()
        try:
            plugin = await client.attach_plugin(name, address)
        except (ConfigError, PluginError) as error:
            told = _as_it_is(name, await _status(client, name))
            raise PluginError(error.what, f"{error.step}\n{told}".strip()) from None
    own = ", ".join(map(str, pids(before) if before is not None else ())) or "none"
    print(f"{name}: attached to {address} in {time.monotonic() - started:.1f} s; its own process was {own}")
    if plugin.data_dir:
        print(f"  Its data directory: {quoted(plugin.data_dir)}")
    print(f"  Back: hector plugin detach {name}")


async def _detach(name: str, host: AbstractAsyncContextManager[Client]) -> None:
    from hector_host.cli.plugin_table import pids
    from hector_host.errors import ConfigError, PluginError, quoted

    async with host as client:
        before = await _status(client, name)
        address = quoted(before.attached, 200) if before is not None else ""
        if before is not None and before.exclusive and address:
            print(
                f"{name} owns its data directory: end the process at {address} within {HANDOVER} s.\n"
                "The host's own starts then; calls wait.",
                file=sys.stderr,
            )
        started = time.monotonic()
        try:
            plugin = await client.detach_plugin(name)
        except (ConfigError, PluginError) as error:
            told = _as_it_is(name, await _status(client, name))
            raise PluginError(error.what, f"{error.step}\n{told}".strip()) from None
    new = ", ".join(map(str, pids(plugin))) or "none"
    print(f"{name}: detached from {address} in {time.monotonic() - started:.1f} s, process {new}")


async def _status(client: Client, name: str) -> PluginStatus | None:
    return next((plugin for plugin in await client.plugins() if plugin.name == name), None)


def _as_it_is(name: str, plugin: PluginStatus | None) -> str:
    """What a plugin's calls go to, after an attempt to change that has failed."""
    from hector_host.cli.plugin_table import pids
    from hector_host.errors import quoted

    if plugin is not None and plugin.attached:
        return f"{name} stays attached to {quoted(plugin.attached, 200)}."
    own = ", ".join(map(str, pids(plugin) if plugin is not None else ()))
    return f"{name} is not attached; its process: {own or 'none'}."


def _whole(address: str) -> str:
    """The address as the host understands it, whose folder is another."""
    from hector_host.config import units

    try:
        units.address(address)
    except units.UnitError as error:
        raise typer.BadParameter(f"{address!r} {error.args[0]}. {error.args[1]}", param_hint="'--address'") from None
    path = address.removeprefix("unix:")
    return address if path == address else f"unix:{os.path.abspath(path.removeprefix('//'))}"  # noqa: PTH100 (links stay)
