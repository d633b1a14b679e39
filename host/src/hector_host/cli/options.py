"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="The configuration. Without it: $HECTOR_CONFIG, then hector.yaml or config.yaml in this folder.",
        show_default=False,
    ),
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The plugin's key in the configuration.")]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show what the plugins log, on stderr.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.", show_default=False)]
SessionOption = Annotated[
    str | None,
    typer.Option(
        "--session", "-s", help="Go on with this conversation. Without it a new one begins.", show_default=False
    ),
]


def _name(given: str | None) -> str | None:
    """Refuses what no entry can be named."""
    if given is None:
        return None
    try:
        given.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("The name is not UTF-8 text") from None
    if not given.strip():
        raise typer.BadParameter("The name is empty")
    return given


LLMOption = Annotated[
    str | None,
    typer.Option(
        "--llm",
        help="Use this entry of llms: instead of the agent's own, this time.",
        show_default=False,
        callback=_name,
    ),
]
ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        "--url",
        metavar="ADDRESS",
        help="The live host to use: host:port or unix:PATH. Without it: $HECTOR_SERVER, then the live host of the"
        " configuration; when there is none, this command does the work itself.",
        show_default=False,
    ),
]
