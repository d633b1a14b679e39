"""`hector index`: brings document stores to what their files say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hector_host.cli.objects import print_json
from hector_host.cli.options import ConfigOption, JsonOption, VerboseOption

if TYPE_CHECKING:
    from hector_host.cli.hosting import Host
    from hector_host.config import Config
    from hector_host.documents.index import Report


def index(
    store: Annotated[
        str | None,
        typer.Argument(metavar="STORE", help="One document store. Without it: all of them.", show_default=False),
    ] = None,
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Read the files of document stores into their vector databases.

    Files that did not change since the last time cost nothing; those that are gone disappear from the store. With
    --json, a line for each store. Example:

        hector index handbook
    """
    from hector_host.cli.hosting import run

    run(_index(store, config, as_json=as_json, verbose=verbose))


async def _index(store: str | None, path: Path | None, *, as_json: bool, verbose: bool) -> None:
    from hector_host.cli.hosting import hosting
    from hector_host.config import load
    from hector_host.errors import ConfigError

    config = load(path)
    names = [config.document_store(store).name] if store is not None else list(config.document_stores)
    if not names:
        raise ConfigError(f"{config.file.name}: declares no document store", "Declare one under document_stores.")
    async with hosting(config, _plugins(config, names), verbose=verbose) as host:
        for name in names:
            report = await _index_one(host, name)
            if as_json:
                print_json(_record(report))


def _plugins(config: Config, names: list[str]) -> list[str]:
    stores = [config.document_store(name) for name in names]
    entries = [entry for store in stores for entry in (config.embedder_of(store), config.database_of(store))]
    return list(dict.fromkeys(config.plugin_of(entry).name for entry in entries))


async def _index_one(host: Host, name: str) -> Report:
    from hector_host.cli.progress import showing
    from hector_host.documents.index import index as index_store
    from hector_host.documents.store import Store
    from hector_host.providers.call import Call

    store = Store.open(host.config, host.registry, name)
    with showing(name) as on_progress:
        report = await index_store(store, Call(), on_progress)
    for skipped in report.skipped:
        print(f"{name}: left out {skipped}", file=sys.stderr)
    removed = f", {report.removed} removed" if report.removed else ""
    print(
        f"{name}: {_counted(report.files, 'file')}, {_counted(report.chunks, 'chunk')},"
        f" {report.vectors} embedded{removed},"
        f" {report.seconds:.1f} s",
        file=sys.stderr,
    )
    return report


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _record(report: Report) -> dict[str, Any]:
    return {
        "store": report.store,
        "files": report.files,
        "chunks": report.chunks,
        "vectors": report.vectors,
        "removed": report.removed,
        "skipped": [{"path": one.path, "reason": one.reason} for one in report.skipped],
        "seconds": report.seconds,
        "embedding_seconds": report.embedding_seconds,
    }
