"""Tasks that nobody waits for: what goes wrong in one is logged in the moment in which it ends."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

_log = logging.getLogger(__name__)


def log_failure(task: asyncio.Task[None]) -> None:
    """For `add_done_callback`: logs with which error it ended, if with any. A cancelled one was meant to end."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s: failed", task.get_name(), exc_info=error)
