"""Which host a verb works with: a live one, or one of its own for the time of the command.

A live one is found as `address` says; where there is none, this very process is the host. Verbs see a `Client`, and
never which of the two it is.
"""

from __future__ import annotations

import os
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from hector_host import hosts
from hector_host.cli import address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hector_host.cli.client import Client
    from hector_host.config import Config


@asynccontextmanager
async def connected(
    config: Path | None, server: str | None, *, verbose: bool = False, looking: bool = False
) -> AsyncIterator[Client]:
    """The host that a verb works with.

    Args:
        config: The option `--config`.
        server: The option `--server`.
        verbose: Show what plugins log, on stderr; those of a live host log into its storage folder.
        looking: The verb changes nothing, so a host of another version may answer as well as it can.

    Raises:
        HectorError: Nobody answers at the address, or somebody who cannot be understood.
        ConfigError: There is no live host and no configuration, or one of them is wrong.
    """
    async with AsyncExitStack() as scope:
        yield await _client(scope, config, server, verbose=verbose, looking=looking)


async def _client(
    scope: AsyncExitStack, config: Path | None, server: str | None, *, verbose: bool, looking: bool
) -> Client:
    named = address.named(config, server, os.environ)
    found = address.of_file(config, os.environ) if named is None else None
    loaded = None
    if named is None and found is None:
        from hector_host.config import load

        loaded = load(config)
        found = _of_storage(loaded)
    chosen = named or found
    if chosen is not None:
        from hector_host.cli.connection import NobodyThereError, opened

        try:
            return await scope.enter_async_context(opened(chosen, looking=looking, verbose=verbose))
        except NobodyThereError as error:
            if named is not None:
                raise
            # It begins, ends or hangs: told, and no reason to leave the user without an answer.
            print(f"hector: {error.what}; this command does without it", file=sys.stderr)
    from hector_host.cli.local import LocalClient
    from hector_host.config import load

    return LocalClient(loaded or load(config), verbose=verbose)


def _of_storage(config: Config) -> address.Address | None:
    """A live host of this user with another runtime directory has left its record there alone."""
    record = hosts.of(config.storage.path)
    if record is None or os.path.realpath(record.config_file) != os.path.realpath(config.file):
        return None
    return address.of_record(record)
