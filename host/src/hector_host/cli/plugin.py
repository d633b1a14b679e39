"""`hector plugin`: how plugins are, why one crashed, and its replacement while the host runs."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from hector_host.cli import plugin_attach, plugin_install, plugin_new, plugin_pack, plugin_run, plugin_test
from hector_host.cli.host_choice import connected
from hector_host.cli.objects import print_json
from hector_host.cli.options import ConfigOption, JsonOption, NameArgument, ServerOption

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from hector_host.cli.client import Client

app = typer.Typer(
    help="Make, test, pack and install plugins; look at them, and replace one while its host runs.",
    no_args_is_help=True,
)
app.command("new")(plugin_new.new)
app.command("pack")(plugin_pack.pack)
app.command("install")(plugin_install.install)
app.command("test")(plugin_test.run_suite)
app.command("run")(plugin_run.run)
app.command("attach")(plugin_attach.attach)
app.command("detach")(plugin_attach.detach)


@app.command("list")
def list_plugins(
    *,
    config: ConfigOption = None,
    server: ServerOption = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Go on and show what changes, until Ctrl-C.", show_default=False)
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the plugins of the configuration and how each one is. Nothing is started.

    A live host knows their state, processes, calls in flight and use of the machine; without one, none of them runs.
    With --watch, a terminal shows a live table, and anything else a line for each change. With --json --watch, a line
    is the list of the plugins that changed.

    For example:

        hector plugin list --watch
    """
    from hector_host.cli.hosting import run

    run(_list(connected(config, server, looking=True), watch=watch, as_json=as_json))


@app.command("why")
def explain(
    name: NameArgument, *, config: ConfigOption = None, server: ServerOption = None, as_json: JsonOption = False
) -> None:
    """Tell why a plugin crashed last: how it ended, what it was working on, and the last lines that it logged.

    It is kept on disk, so it can be asked for when the host is gone.

    For example:

        hector plugin why echo
    """
    from hector_host.cli.hosting import run

    run(_explain(name, connected(config, server, looking=True), as_json=as_json))


@app.command("reload")
def reload(name: NameArgument, *, config: ConfigOption = None, server: ServerOption = None) -> None:
    """Replace a plugin of a live host by a new instance of it: its code and its options as they are now.

    No call is lost: the new instance starts beside the old one and takes over once it is ready. If it does not become
    ready, the old one goes on, and what went wrong is printed (exit code 3). An attached process gets its options anew.

    For example:

        hector plugin reload echo
    """
    from hector_host.cli.hosting import run

    run(_reload(name, connected(config, server)))


async def _list(host: AbstractAsyncContextManager[Client], *, watch: bool, as_json: bool) -> None:
    async with host as client:
        if watch:
            await _watch(client, as_json=as_json)
            return
        plugins = await client.plugins()
    from hector_host.cli.plugin_table import record, table

    if as_json:
        print_json([record(plugin) for plugin in plugins])
    elif plugins:
        print(table(plugins, time.time(), _width()))
    else:
        print(f"{client.file} declares no plugins.")


async def _watch(client: Client, *, as_json: bool) -> None:
    from hector_host.cli.plugin_watch import showing

    with showing(as_json=as_json) as watcher:
        async with aclosing(client.watch_plugins(watcher.refresh)) as messages:
            async for message in messages:
                watcher.show(message)
    print(f"{client.file}: its host has stopped", file=sys.stderr)


async def _explain(name: str, host: AbstractAsyncContextManager[Client], *, as_json: bool) -> None:
    async with host as client:
        explained = await client.explain_plugin(name)
    from hector_host.cli import dossier_text

    crash = explained.crash if explained.HasField("crash") else None
    if as_json:
        print_json(None if crash is None else dossier_text.record(crash))
    elif crash is None:
        print(f"{name} has not crashed.")
    else:
        print(dossier_text.text(crash))


async def _reload(name: str, host: AbstractAsyncContextManager[Client]) -> None:
    from hector_host.cli.plugin_table import pids
    from hector_host.errors import ConfigError, PluginError, quoted

    async with host as client:
        old = await _processes(client, name)
        started = time.monotonic()
        try:
            plugin = await client.reload_plugin(name)
        except (ConfigError, PluginError) as error:
            now = await _as_it_is(client, name)
            raise PluginError(error.what, f"{error.step}\n{now}".strip()) from None
    if plugin.attached:
        took = f"{time.monotonic() - started:.1f} s"
        print(f"{name}: introduced anew in {took} to the process at {quoted(plugin.attached, 200)}")
        return
    new = [pid for pid in pids(plugin) if pid not in old]  # the old one may be finishing its calls
    print(f"{name}: replaced in {time.monotonic() - started:.1f} s, process {_listed(old)} → {_listed(new)}")


async def _as_it_is(client: Client, name: str) -> str:
    """What goes on after a reload that failed."""
    from hector_host.errors import quoted

    attached = next((plugin.attached for plugin in await client.plugins() if plugin.name == name), "")
    if attached:
        return f"{name} stays attached to {quoted(attached, 200)}."
    return f"{name} is not replaced; its process: {_listed(await _processes(client, name))}."


async def _processes(client: Client, name: str) -> list[int]:
    from hector_host.cli.plugin_table import pids

    return [pid for plugin in await client.plugins() if plugin.name == name for pid in pids(plugin)]


def _listed(processes: list[int]) -> str:
    return ", ".join(map(str, processes)) or "none"


def _width() -> int | None:
    """Columns of the terminal; None where stdout is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
