"""The script `hector-conformance`, and what `hector plugin test` runs: a plugin in, a report and an exit code out."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hector_conformance import junit, settings
from hector_conformance.case import every
from hector_conformance.report import Report
from hector_conformance.runner import Outcome, Verdict, run
from hector_conformance.subject import Subject
from hector_conformance.target import target
from hector_host.authoring.templates import kind_named
from hector_host.errors import ConfigError, HectorError, PluginError, printable_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector_host.config import Kind

FAILED = PluginError.exit_code
"""Exit code when a case failed, or the plugin did not even start."""
INTERRUPTED = 130
_WRITE = """Write '{"key": "value"}'."""
CONFIG_SIZE = 1 << 20
"""Bytes that the options may have."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its core writes to stderr what our own errors say in words
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale may lack the marks
            stream.reconfigure(errors="backslashreplace")
    given = _parser().parse_args(arguments)
    try:
        kind = None if given.kind is None else kind_named(given.kind)
        sys.exit(examine(given.plugin, junit_file=given.junit, kind=kind, config=given.config))
    except HectorError as error:
        print(printable_lines(f"hector-conformance: {error}"), file=sys.stderr)  # noqa: T201  it is a command
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def examine(plugin: str, *, junit_file: Path | None = None, kind: Kind | None = None, config: str | None = None) -> int:
    """Tests a plugin and prints the report; the exit code: 0 when no case failed, else 3.

    Args:
        plugin: A path or an address.
        junit_file: Where the report goes for machines too.
        kind: What to test it as; None: all that it provides.
        config: Its options: JSON, or the name of a file that holds JSON.

    Raises:
        ConfigError: One of these, or the plugin's `conformance.yaml`, is wrong; or it rejects its options.
        StartError: It is no plugin, or does not start.
    """
    wanted = target(plugin)
    cases = every()
    file = wanted.settings_file
    told = settings.Settings()
    if file is not None and file.exists():
        told = settings.read(file)
        settings.check_excused(told, file, [case.name for case in cases])
    if junit_file is not None and not junit_file.absolute().parent.is_dir():
        raise ConfigError(f"--junit: there is no folder {junit_file.absolute().parent}", "Make it, or name another.")
    subject = Subject(wanted, told, options(config), kind)
    report = Report(shutil.get_terminal_size().columns)

    async def tested() -> list[Outcome]:
        async with subject:
            async with subject.running():
                print(report.opening(subject), flush=True)  # noqa: T201  the report
            return await run(subject, cases, lambda outcome: print(report.line(outcome), flush=True))  # noqa: T201

    outcomes = asyncio.run(tested())
    print(report.counts(outcomes))  # noqa: T201
    if junit_file is not None:
        junit_file.write_bytes(junit.document(subject.name, outcomes))
    return FAILED if any(outcome.verdict is Verdict.FAILED for outcome in outcomes) else 0


def options(given: str | None) -> dict[str, Any]:
    """The options that `--config` gives.

    Raises:
        ConfigError: It is no JSON object, and no file that holds one.
    """
    if given is None:
        return {}
    text = given
    if not given.lstrip().startswith("{"):
        try:
            with Path(given).open("rb") as file:
                text = file.read(CONFIG_SIZE + 1).decode()
        except (OSError, ValueError):
            raise ConfigError("--config: is neither a JSON object nor a file", _WRITE) from None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--config: is not JSON: {error}", _WRITE) from None
    if not isinstance(value, dict):
        raise ConfigError("--config: is not a JSON object", _WRITE)
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hector-conformance",
        description="Test a plugin of Hector, in any language, through its public face alone.",
        epilog="Exit code 0: no case failed; 2: wrong arguments; 3: a case failed, or the plugin does not start.",
    )
    parser.add_argument("plugin", metavar="PATH|ADDRESS", help="a folder with plugin.yaml, a program, or host:port")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="write the report as JUnit XML too")
    parser.add_argument(
        "--kind", help="test it as this: llm, database, embedder, tool or reasoning; without it, as all it provides"
    )
    parser.add_argument("--config", metavar="JSON|FILE", help="the plugin's options")
    return parser


if __name__ == "__main__":
    main()
