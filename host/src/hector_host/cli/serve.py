"""`hector serve`: serves the agents to other programs, for as long as it lives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hector_host.cli.options import ConfigOption, VerboseOption


def serve(
    *,
    config: ConfigOption = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            help="Where to listen: a loopback address, or unix:PATH. Without it: server.host of the configuration.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            "-p",
            min=0,
            max=65535,
            help="The port to listen on; 0 takes any that is free. Without it: server.port of the configuration.",
            show_default=False,
        ),
    ] = None,
    grace: Annotated[
        float, typer.Option("--grace", min=0, help="Seconds that calls in flight get when the host is stopped.")
    ] = 30.0,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            "-w",
            help="Apply changes of the configuration, and replace plugins whose files change, while it serves.",
            show_default=False,
        ),
    ] = False,
    verbose: VerboseOption = False,
) -> None:
    """Serve the agents to other programs, over gRPC, until SIGTERM or Ctrl-C.

    Prints where it listens once it does. Plugins that agents need start at once and are started again when they die;
    each change is a line on stderr. `call`, `list` and others find this host by themselves. A signal stops it: calls in
    flight end first, and the exit code is 0; a second signal ends it at once. Examples:

        hector serve

        hector serve --port 0 --config staging.yaml

        hector serve --watch

        hector serve --host unix:/run/user/1000/hector.sock
    """
    from hector_host.cli.hosting import run
    from hector_host.config import load
    from hector_host.server.endpoint import endpoint
    from hector_host.server.life import serve as live

    loaded = load(config)
    if host is None:
        named, origin, folder = loaded.server.host, loaded.locate("server", "host"), loaded.folder
    else:
        named, origin, folder = host, "--host", Path.cwd()
    if port is not None and named.startswith("unix:"):
        raise typer.BadParameter("a unix socket has no port", param_hint="--port")
    place = endpoint(named, loaded.server.port if port is None else port, origin, folder)
    raise typer.Exit(run(live(loaded, place, grace, watch=watch, verbose=verbose)))
