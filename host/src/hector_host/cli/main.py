"""The command line as a whole: its verbs, and what every error becomes."""

from __future__ import annotations

import errno
import io
import os
import sys
import tempfile
from typing import NoReturn

import typer

from hector_host.cli import (
    call,
    chat,
    index,
    info,
    init,
    listing,
    plugin,
    runs,
    schema,
    search,
    serve,
    validate,
    version,
)
from hector_host.errors import HectorError, printable_lines

HELP = """Run AI agents whose every capability is a plugin: a separate process in any language.

One YAML file (hector.yaml) names the plugins and the agents that use them. Begin with **hector init**.
"""

BUG = 70
"""Exit code of an error that nobody foresaw (EX_SOFTWARE of sysexits.h)."""

app = typer.Typer(
    name="hector",
    help=HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("call")(call.call)
app.command("chat")(chat.chat)
app.command("index")(index.index)
app.command("search")(search.search)
app.command("init")(init.init)
app.command("serve")(serve.serve)
app.command("list")(listing.list_agents)
app.command("info")(info.info)
app.command("validate")(validate.validate)
app.command("schema")(schema.schema)
app.add_typer(runs.app, name="runs")
app.add_typer(plugin.app, name="plugin")
app.command("version")(version.version)


def main() -> None:
    """The entry point `hector`."""
    _open_streams()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # its core writes to stderr what our own errors say in words
    try:
        app()
    except HectorError as error:
        # A live host's errors are somebody else's text by the time they are here.
        print(printable_lines(f"hector: {error}"), file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            _report_bug(error)
        # What Python still holds for stdout cannot be written either, and it would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"hector: cannot write: {error.strerror}\n  Make room, or print elsewhere.", file=sys.stderr)
        sys.exit(HectorError.exit_code)
    except Exception as error:  # noqa: BLE001 - the last place that can tell
        _report_bug(error)


def _report_bug(error: Exception) -> NoReturn:
    print(f"hector: internal error: {type(error).__name__}\n  {_keep_traceback()}", file=sys.stderr)
    sys.exit(BUG)


def _open_streams() -> None:
    """Makes printing safe: where the parent closed a stream, and where the locale has no such character."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8", closefd=False))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")


def _keep_traceback() -> str:
    """Writes the traceback to a file, because it may hold what should not be on a screen, and says where."""
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="hector-bug-", suffix=".txt", delete=False) as file:
        traceback.print_exc(file=file)
    return f"This is a bug of Hector. What happened is in {file.name}; look it over for secrets before you report it."
