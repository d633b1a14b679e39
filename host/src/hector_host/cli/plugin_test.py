"""`hector plugin test`: puts a plugin to the conformance suite, which is a distribution of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run_suite(
    plugin: Annotated[
        str,
        typer.Argument(
            metavar="PATH|ADDRESS", help="A folder with plugin.yaml, a program, a .py file; or host:port, unix:PATH."
        ),
    ],
    *,
    junit: Annotated[
        Path | None,
        typer.Option("--junit", metavar="FILE", help="Write the report as JUnit XML too.", show_default=False),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            "-k",
            metavar="KIND",
            help="Test it as this: llm, database, embedder, tool or reasoning. Without it: as all that it provides.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option("--config", metavar="JSON|FILE", help="The plugin's options.", show_default=False),
    ] = None,
) -> None:
    """Test a plugin in any language against the contract: what it offers has to be right; what it lacks is named.

    A file conformance.yaml beside its plugin.yaml may tell the suite of options, sample calls and excuses.

    Exit code 0: no case failed; 3: one did, or the plugin does not start. For example:

        hector plugin test ./plugins/echo-llm --junit report.xml
    """
    from hector_host.authoring.templates import kind_named
    from hector_host.cli.hosting import INTERRUPTED
    from hector_host.errors import HectorError

    try:
        from hector_conformance import main as suite
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "hector_conformance":
            raise
        raise HectorError(
            "plugin test: the conformance suite is not installed",
            'Install it beside Hector: pip install "hector-host[author]"\n'
            "From a checkout, while nothing is published: pip install ./conformance",
        ) from None
    tested_as = None if kind is None else kind_named(kind)
    try:
        code = suite.examine(plugin, junit_file=junit, kind=tested_as, config=config)
    except KeyboardInterrupt:
        code = INTERRUPTED
    raise typer.Exit(code)
