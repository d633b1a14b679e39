"""Indexing as the host's own API tells of it: in the API's messages, progress a few times a second at most."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hector.host.v1 import index_pb2 as wire
from hector_host.documents.index import index
from hector_host.documents.store import Store
from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hector_host.config import Config
    from hector_host.documents.index import Progress, Report
    from hector_host.providers.call import Call
    from hector_host.registry import Registry

    Write = Callable[[wire.IndexStoreResponse], Awaitable[None]]

INTERVAL = 0.2
"""Seconds between two messages of progress."""


def stores(config: Config, name: str) -> list[str]:
    """The stores that are meant: the one of that name, or all.

    Raises:
        NotFoundError: There is none of that name.
        ConfigError: There is none at all.
    """
    if name:
        return [config.document_store(name).name]
    if not config.document_stores:
        raise ConfigError(f"{config.document.name}: declares no document store", "Declare one under document_stores.")
    return list(config.document_stores)


async def index_store(config: Config, registry: Registry, name: str, call: Call, write: Write) -> None:
    """Indexes one store, and writes how far it is, and what it did in the end.

    Raises:
        HectorError: As `documents.index.index`.
    """
    progress: list[Progress] = []

    def latest(now: Progress) -> None:
        progress[:] = [now]

    telling = asyncio.create_task(_tell(name, progress, write))
    try:
        report = await index(Store.open(config, registry, name), call, latest)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    for last in progress:
        await write(wire.IndexStoreResponse(store=name, progress=_progress(last)))
    await write(wire.IndexStoreResponse(store=name, report=message(report)))


def summary(report: wire.IndexReport) -> str:
    """What a run did, in one line; of the files that were left out it does not tell."""
    removed = f", {report.removed} removed" if report.removed else ""
    return (
        f"{_counted(report.files, 'file')}, {_counted(report.chunks, 'chunk')},"
        f" {report.embedded} embedded{removed}, {report.seconds:.1f} s"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


async def _tell(name: str, progress: list[Progress], write: Write) -> None:
    while True:
        if progress:
            await write(wire.IndexStoreResponse(store=name, progress=_progress(progress.pop())))
        await asyncio.sleep(INTERVAL)


def _progress(now: Progress) -> wire.IndexProgress:
    return wire.IndexProgress(
        files=now.files,
        total_files=now.total,
        chunks=now.chunks,
        embedded=now.embedded,
        bytes=now.bytes,
        total_bytes=now.size,
        seconds=now.seconds,
    )


def message(report: Report) -> wire.IndexReport:
    """A report as the API tells it."""
    return wire.IndexReport(
        files=report.files,
        chunks=report.chunks,
        embedded=report.vectors,
        removed=report.removed,
        skipped=[wire.SkippedFile(path=one.path, reason=one.reason) for one in report.skipped],
        seconds=report.seconds,
        embedding_seconds=report.embedding_seconds,
    )
