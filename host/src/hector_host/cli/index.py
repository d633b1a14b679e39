"""`hector index`: brings document stores to what their files say."""

from __future__ import annotations

import sys
from contextlib import ExitStack, aclosing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hector_host.cli.host_choice import connected
from hector_host.cli.objects import print_json
from hector_host.cli.options import ConfigOption, JsonOption, ServerOption, VerboseOption

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from hector.host.v1.index_pb2 import IndexProgress, IndexReport
    from hector_host.cli.client import Client


def index(
    store: Annotated[
        str | None,
        typer.Argument(metavar="STORE", help="One document store. Without it: all of them.", show_default=False),
    ] = None,
    *,
    config: ConfigOption = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Read the files of document stores into their vector databases.

    Files that did not change since the last time cost nothing; those that are gone disappear from the store. With
    --json, a line for each store. Example:

        hector index handbook
    """
    from hector_host.cli.hosting import run

    run(_index(connected(config, server, verbose=verbose), store or "", as_json=as_json))


async def _index(host: AbstractAsyncContextManager[Client], store: str, *, as_json: bool) -> None:
    from hector_host.cli.progress import showing

    async with host as client, aclosing(client.indexing(store)) as responses:
        with ExitStack() as shown:
            tell: Callable[[IndexProgress], None] | None = None
            async for response in responses:
                if response.HasField("progress"):
                    tell = tell or shown.enter_context(showing(response.store))
                    tell(response.progress)
                    continue
                shown.close()
                tell = None
                _print(response.store, response.report, as_json=as_json)


def _print(store: str, report: IndexReport, *, as_json: bool) -> None:
    from hector_host.api.index import summary

    for skipped in report.skipped:
        print(f"{store}: left out {skipped.path}: {skipped.reason}", file=sys.stderr)
    print(f"{store}: {summary(report)}", file=sys.stderr)
    if as_json:
        print_json(_record(store, report))


def _record(store: str, report: IndexReport) -> dict[str, Any]:
    return {
        "store": store,
        "files": report.files,
        "chunks": report.chunks,
        "vectors": report.embedded,
        "removed": report.removed,
        "skipped": [{"path": one.path, "reason": one.reason} for one in report.skipped],
        "seconds": report.seconds,
        "embedding_seconds": report.embedding_seconds,
    }
