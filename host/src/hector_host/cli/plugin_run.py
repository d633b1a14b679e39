"""`hector plugin run`: a plugin started as a host starts it, and called by hand."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from hector_host.config.kinds import Kind
from hector_host.errors import HectorError, printable_lines, quoted

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from hector.plugin.v1.plugin_pb2 import DescribeResponse
    from hector_host.cli.byhand import ByHand
    from hector_host.manager import Plugin, StateChange
    from hector_host.manager.launch.handshake import Endpoint
    from hector_host.manager.logs.lines import Record

FAILED = 3
"""Exit code when a call has failed, as for every error of a plugin."""

REQUEST_SIZE = 64 << 20
"""Characters read of a request on standard input: what one message may carry."""


def run(
    plugin: Annotated[
        str,
        typer.Argument(
            metavar="PATH|ADDRESS", help="A folder with plugin.yaml, a program, a .py file; or host:port, unix:PATH."
        ),
    ],
    rpc: Annotated[
        str | None,
        typer.Argument(metavar="[RPC]", help="Call this, and end. Capitals do not count.", show_default=False),
    ] = None,
    request: Annotated[
        str | None,
        typer.Argument(metavar="[JSON]", help="The request; - reads it from standard input.", show_default=False),
    ] = None,
    *,
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="JSON|FILE", help="The plugin's options.", show_default=False),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen",
            metavar="ADDRESS",
            help="Let others reach it here too, such as a live host: host:port or unix:PATH.",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            "-k",
            metavar="KIND",
            help="Take it for this: llm, database, embedder, tool or reasoning. Without it: for what it says itself.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start a plugin as a host starts it, show what it says of itself and what it logs, and call it by hand.

    With an RPC, that call is made, its answer printed as JSON (of a stream, a line for each message), and the plugin
    ended. Without one, calls are typed at a prompt, or come from a pipe, one on a line, as GenerateText {"prompt":
    "hi"}; help lists them. A plugin that crashes is started again. Answers go to stdout, everything else to stderr.

    A plugin at an address is called as it is, and gets options only with --config. Examples:

        hector plugin run ./shout.py
        hector plugin run ./shout.py GenerateText '{"prompt": "hi"}' --config '{"mark": "?"}'
    """
    from hector_host.authoring.templates import kind_named
    from hector_host.cli import hosting

    taken_for = None if kind is None else kind_named(kind)
    if not hosting.run(_run(plugin, rpc, request, config, listen, taken_for)):
        raise typer.Exit(FAILED)


async def _run(  # noqa: PLR0917 (the verb's own)
    target: str, rpc: str | None, request: str | None, config: str | None, listen: str | None, kind: Kind | None
) -> bool:
    """Whether all calls were answered."""
    from hector_host.cli.byhand import by_hand, options_of

    if listen is not None:
        from hector_host.cli.forwarding import place

        place(listen)  # nothing is started for what is no address
    async with AsyncExitStack() as scope:
        running = await scope.enter_async_context(by_hand(target, kind, options_of(config), _log, _changed))
        plugin = await running.ready()
        listens = None if listen is None else await scope.enter_async_context(_door(listen, running, plugin))
        if rpc is None or listens is not None:
            await _introduced(running, plugin)
        if listens is not None:
            _say(f"  listens    {listens}")
        from hector_host.cli.calls import Calls
        from hector_host.cli.rpcs import catalogue
        from hector_host.manager.connect.agreement import CONTRACT

        services = plugin.services | ({f"{CONTRACT}Plugin"} if plugin.serves_plugin else set())
        calls = Calls(running, catalogue(services))
        if rpc is not None:
            await calls.make(rpc, _read() if request == "-" else request or "")
            return True
        return await calls.follow()


def _door(listen: str, running: ByHand, plugin: Plugin) -> AbstractAsyncContextManager[str]:
    from hector_host.cli.forwarding import forwarding
    from hector_host.errors import ConfigError

    endpoint = plugin.endpoint
    if endpoint is None:
        raise ConfigError(f"--listen: {running.target} is an address already", "Leave it out, and name that address.")
    if endpoint.certificate:
        raise ConfigError(
            f"--listen: {running.target} lets this host alone in, by mutual TLS", "Unset HECTOR_TRANSPORT for it."
        )

    def find() -> Endpoint | None:
        serving = running.serving()
        return None if serving is None else serving.endpoint

    return forwarding(listen, find)


async def _introduced(running: ByHand, plugin: Plugin) -> None:
    """Shows who it is, and where."""
    from google.protobuf.json_format import MessageToDict

    described = await _described(plugin)
    kinds = [kind.value for kind in Kind if kind.service in plugin.services]
    words = f": {quoted(described.description, 200)}" if described.description else ""
    _say(f"{quoted(described.name, 100) or running.name} {quoted(plugin.version, 100)}".rstrip() + words)
    _say(f"  provides   {', '.join(kinds)}")
    if plugin.endpoint is not None:
        prefix = "unix:" if plugin.endpoint.network == "unix" else ""
        _say(f"  process    {plugin.pid}")
        _say(f"  reached    {prefix}{quoted(plugin.endpoint.address, 200)}")
        _say(f"  data       {running.data}, removed at the end")
    schema = MessageToDict(described.config_schema)
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    for name, option in sorted(properties.items()):
        about = quoted(str(option.get("description", "") or option.get("type", "")), 100)
        default = f" (default {quoted(str(option['default']), 60)})" if "default" in option else ""
        default = " (required)" if name in required else default
        _say(f"  option     {quoted(name, 100)}: {about}{default}")


async def _described(plugin: Plugin) -> DescribeResponse:
    from hector.plugin.v1.plugin_pb2 import DescribeRequest, DescribeResponse
    from hector.plugin.v1.plugin_pb2_grpc import PluginStub

    if not plugin.serves_plugin:
        return DescribeResponse()
    return await PluginStub(plugin.channel).Describe(DescribeRequest(), metadata=plugin.metadata)


def _read() -> str:
    text = sys.stdin.read(REQUEST_SIZE + 1)
    if len(text) > REQUEST_SIZE:
        raise HectorError("standard input: is larger than one message may be", "Send less at a time.")
    return text


def _say(text: str) -> None:
    print(printable_lines(text), file=sys.stderr)


def _log(_: str, record: Record) -> None:
    print(f"  | {record}", file=sys.stderr)


def _changed(change: StateChange) -> None:
    """Tells of the end of one that took calls; what became of its start is told as an error."""
    from hector_host.manager.replica import STOPPED
    from hector_host.manager.states import DOWN, SERVING

    if change.new in DOWN and change.old in SERVING and change.reason != STOPPED:
        _say(f"{change.name}: {change.new.value}: {quoted(change.reason, 100)}")
