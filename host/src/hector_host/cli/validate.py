"""`hector validate`: judges a configuration without running anything."""

from __future__ import annotations

import enum
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hector_host.cli.objects import print_json
from hector_host.cli.options import ConfigOption
from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from hector_host.config import Config


class Format(enum.StrEnum):
    """How a verdict is printed."""

    COMPACT = "compact"
    VERBOSE = "verbose"
    JSON = "json"


def validate(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The configuration; as --config.", show_default=False)
    ] = None,
    *,
    config: ConfigOption = None,
    form: Annotated[Format, typer.Option("--format", "-f", help="How to print the verdict.")] = Format.COMPACT,
    print_config: Annotated[
        bool,
        typer.Option("--print-config", "-p", help="Print the file with every default filled in.", show_default=False),
    ] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Take names that nothing declares and paths that are not there for errors."),
    ] = False,
) -> None:
    """Judge a configuration: its keys, types, units and variables. Nothing is started.

    A name that nothing declares, or a path that is not there, is a warning: the command that would use it fails.

    Exit code 0: valid, 2: not. Example, for a check before each merge:

        hector validate --strict --format json
    """
    from hector_host.config import check, find, load

    path = find(file or config, os.environ)
    try:
        loaded = load(path)
        _judge_replicas(loaded)
        if strict:
            check(loaded)
    except ConfigError as error:
        _refuse(path, form, error)
        raise typer.Exit(error.exit_code) from None
    if print_config:
        from hector_host.config.expansion import expanded

        print(expanded(loaded), end="")
        return
    _accept(path, form, loaded)


def _judge_replicas(config: Config) -> None:
    """Raises ConfigError where a manifest does not allow for as many processes."""
    from hector_host.manager.failure import Failure
    from hector_host.manager.launch.plan import plan

    for plugin in config.plugins.values():
        if plugin.replicas > 1:
            with suppress(Failure):  # what is not there yet is no matter of its form
                plan(plugin, config, os.environ)


def _accept(path: Path, form: Format, config: Config) -> None:
    if form is Format.JSON:
        print_json({"valid": True, "file": str(path), "warnings": config.warnings})
        return
    for warning in config.warnings:
        print(f"warning: {warning}")
    if form is Format.VERBOSE:
        _print_title(path, "✓ valid")
        for section in ("plugins", "llms", "embedders", "databases", "tools", "document_stores", "agents"):
            print(f"{section}: {', '.join(getattr(config, section)) or 'none'}")
    else:
        print(f"{path}: valid")


def _refuse(path: Path, form: Format, error: ConfigError) -> None:
    from hector_host.config.problems import ConfigErrors

    if form is Format.JSON:
        problems = error.messages if isinstance(error, ConfigErrors) else (str(error),)
        errors = [{"message": problem} for problem in problems]
        print_json({"valid": False, "file": str(path), "errors": errors})
        return
    if form is Format.VERBOSE:
        _print_title(path, "✗ not valid")
    print(error)


def _print_title(path: Path, status: str) -> None:
    print(f"file: {path}\nstatus: {status}\n")
