"""A host for the time of one command: plugins, journal and runtime, and the end of all of them on every way out."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable

    from hector_host.config import Config
    from hector_host.manager import Manager
    from hector_host.manager.logs.lines import Record
    from hector_host.registry import Registry
    from hector_host.runtime.runtime import Runtime
    from hector_host.runtime.sqlite import SqliteJournal

T = TypeVar("T")

INTERRUPTED = 130
"""128 and the signal's number, as shells count."""


@dataclass(frozen=True, slots=True)
class Host:
    """What a verb works with."""

    config: Config
    manager: Manager
    registry: Registry
    runtime: Runtime
    journal: SqliteJournal


@contextlib.asynccontextmanager
async def hosting(config: Config, plugins: Iterable[str], *, verbose: bool = False) -> AsyncIterator[Host]:
    """A host whose plugins are starting.

    The order matters: processes are spawned before what is slow to import is imported, so both go on at the same time.

    Args:
        plugins: Those that the command needs.
        verbose: Show what they log on stderr.
    """
    from hector_host.manager import Manager

    async with Manager(config, on_log=_log if verbose else None, notice=_notice, lasting=False) as manager:
        manager.start(plugins)
        from hector_host.registry import Registry
        from hector_host.runtime.runtime import Runtime
        from hector_host.runtime.sqlite import open_journal

        async with open_journal(config.storage.path) as journal:
            registry = Registry(config, manager)
            yield Host(config, manager, registry, Runtime(config, registry, journal), journal)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a verb. Ctrl-C cancels it, so that everything it started is stopped before the process exits."""
    try:
        return asyncio.run(main)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _notice(text: str) -> None:
    print(text, file=sys.stderr)


def _log(plugin: str, record: Record) -> None:
    print(f"[{plugin}] {record}", file=sys.stderr)
