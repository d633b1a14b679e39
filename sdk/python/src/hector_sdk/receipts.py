"""Receipts: a tool call with an idempotency key happens once, across crashes of either side.

A row is written durably before the tool runs (begun) and after it ended (finished). A finished call is answered from
its row, failures too. One that was begun and runs no longer ended nobody knows how: ABORTED, for as long as it is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hector_sdk import threads
from hector_sdk.errors import Status, as_status
from hector_sdk.ledger import Ledger, other_call, unknown_end

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from hector.plugin.v1.tool_pb2 import ExecuteToolRequest, ExecuteToolResponse
    from hector_sdk.ledger import Outcome

log = logging.getLogger("hector_sdk")


@dataclass
class _Running:
    """A call in progress, and how many callers wait for it."""

    call: bytes
    task: asyncio.Task[Outcome]
    waiting: int = field(default=0)


class Receipts:
    """The receipts of one plugin, in its data directory."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """Nothing is opened before the first call.

        Args:
            folder: Outlives the process.
            clock: Unix time in seconds.
        """
        self._ledger = Ledger(folder / "receipts.sqlite3", clock)
        self._running: dict[str, _Running] = {}

    async def execute(
        self,
        request: ExecuteToolRequest,
        run: Callable[[], Awaitable[ExecuteToolResponse]],
        *,
        cancellable: bool,
    ) -> ExecuteToolResponse:
        """Answer a call that has a key: from its receipt, from the same call in progress, or by running it.

        Args:
            request: With an idempotency key.
            run: Runs the tool. Once at most, whatever happens.
            cancellable: Cancel it when its last caller goes away: its end is then unknown. Else it runs on, and the
                same call finds how it ended.

        Raises:
            Status: INVALID_ARGUMENT when the key belongs to another call; ABORTED when the call was begun and its end
                is unknown; else what the tool ended with.
        """
        key, call = request.idempotency_key, fingerprint(request)
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = _Running(call, asyncio.create_task(self._once(key, call, run)))
            running.task.add_done_callback(lambda _: self._running.pop(key))
        elif running.call != call:
            raise other_call(key)
        running.waiting += 1
        try:
            outcome = await asyncio.shield(running.task)
        except asyncio.CancelledError:
            if running.task.cancelled():  # by others, who left just before this caller joined
                raise unknown_end(key) from None
            raise
        finally:
            running.waiting -= 1
            if cancellable and not running.waiting:
                running.task.cancel()
        if isinstance(outcome, Status):
            raise outcome
        return outcome

    async def close(self) -> None:
        """Abandon what still runs: its end stays unknown."""
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await threads.run(self._ledger.close)

    async def _once(self, key: str, call: bytes, run: Callable[[], Awaitable[ExecuteToolResponse]]) -> Outcome:
        known = await threads.run(self._ledger.begin, key, call)
        if known is not None:
            return known  # type: ignore[no-any-return]  # threads.run is untyped
        outcome: Outcome
        try:
            outcome = await run()
        except Exception as error:
            outcome = as_status(error)
            if outcome is not error:
                log.exception("a tool failed unexpectedly")
        await threads.run(self._ledger.finish, key, outcome)
        return outcome


def fingerprint(request: ExecuteToolRequest) -> bytes:
    """What must be equal for two calls to be the same one: the tool and its parameters."""
    parameters = request.parameters.SerializeToString(deterministic=True)
    return hashlib.sha256(request.tool.encode() + b"\0" + parameters).digest()
