"""What has to hold before one generation of a plugin takes the place of another."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from hector_host.errors import StartError
from hector_host.manager.attachment import NOBODY_THERE
from hector_host.manager.states import DOWN

if TYPE_CHECKING:
    from hector_host.manager.generation import Generation
    from hector_host.manager.plugin import Plugin
    from hector_host.manager.replica import Replica

HANDOVER = 60.0
"""Seconds in which a person ends or starts the process that has the data directory; calls wait for that long."""


def collide(old: Generation, new: Generation) -> bool:
    """Whether both would write into the plugin's data directory: the old one has to end before the new one starts."""
    there = new.edition.attachment
    if there is None:
        return old.exclusive
    return old.exclusive and there.near and there != old.edition.attachment


async def freed(who: str, old: Generation) -> None:
    """Waits until an attached process has let go of the data directory, which is when it ends.

    Args:
        who: The plugin as messages name it.

    Raises:
        StartError: It has it still.
    """
    edition = old.edition
    try:
        async with asyncio.timeout(HANDOVER):
            await asyncio.gather(*(replica.instance.ended() for replica in old.replicas))
    except TimeoutError:
        raise StartError(
            f"{who}: the process at {edition.plugin.address} still has its data directory {edition.data}",
            "One process at a time may use it: end that one, and try again.",
        ) from None


async def prove(new: Generation, old: Plugin | None, stirred: asyncio.Event) -> None:
    """Waits until all of a new generation takes calls, and each of it has passed its smoke check.

    Args:
        old: What it is to replace; None when nothing serves.
        stirred: Set with every change of a replica's state.

    Raises:
        StartError, ConfigError, PluginError: It cannot take the place of the old one.
    """
    from hector_host.manager import smoke

    attachment = new.edition.attachment
    if attachment is not None and attachment.guarded:  # the directory was freed for somebody who starts a process now
        with suppress(TimeoutError):
            async with asyncio.timeout(HANDOVER):
                while new.peek() is None and not any(_refuses(replica) for replica in new.replicas):
                    stirred.clear()
                    await stirred.wait()
    for plugin in await new.all_ready():
        if attachment is None:
            await smoke.check(plugin, old)
        else:
            smoke.compare(plugin, old)  # an answer may be a breakpoint away
    await new.all_ready()  # none of them has died of it


def _refuses(replica: Replica) -> bool:
    """Who answers there does not take its place, whatever the time."""
    return replica.state in DOWN and replica.reason not in NOBODY_THERE
