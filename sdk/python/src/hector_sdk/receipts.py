"""Receipts: a tool call with an idempotency key happens once, across crashes of either side.

A row is written durably before the tool runs (begun) and after it ended (finished). A finished call is answered from
its row, failures too. One that was begun and runs no longer ended nobody knows how: ABORTED, for as long as it is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import grpc

from hector.plugin.v1.tool_pb2 import ExecuteToolRequest, ExecuteToolResponse
from hector_sdk import threads
from hector_sdk.errors import Status, as_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

log = logging.getLogger("hector_sdk")

DAY: Final = 24 * 3600.0
KEPT_FOR: Final = 31 * DAY
"""Seconds. The contract asks for 30 days at least."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS receipts (
    key TEXT PRIMARY KEY,
    call BLOB NOT NULL,   -- hash of the tool and its parameters
    begun REAL NOT NULL,  -- Unix time, seconds
    response BLOB,        -- ExecuteToolResponse; null until the tool has answered
    code TEXT,            -- the status instead, when it ended with one
    message TEXT
);
CREATE INDEX IF NOT EXISTS receipts_begun ON receipts (begun);
"""

Outcome = ExecuteToolResponse | Status


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
        self._ledger = _Ledger(folder / "receipts.sqlite3", clock)
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
            raise _other_call(key)
        running.waiting += 1
        try:
            outcome = await asyncio.shield(running.task)
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


class _Ledger:
    """The file. Its methods block, and may be called from any thread."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._purged = 0.0

    def begin(self, key: str, call: bytes) -> Outcome | None:
        """Write that a call begins. Something else than None: it did before, and this is its outcome."""
        with self._lock, self._open() as connection:
            inserted = connection.execute(
                "INSERT INTO receipts (key, call, begun) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (key, call, self._clock()),
            )
            if inserted.rowcount:
                return None
            row = connection.execute("SELECT call, response, code, message FROM receipts WHERE key = ?", (key,))
            begun, *ended = row.fetchone()
            return _other_call(key) if begun != call else _outcome(key, *ended)

    def finish(self, key: str, outcome: Outcome) -> None:
        """Write how it ended."""
        ended: tuple[bytes | None, str | None, str | None, str]
        if isinstance(outcome, Status):
            ended = (None, outcome.code.name, outcome.message, key)
        else:
            ended = (outcome.SerializeToString(), None, None, key)
        with self._lock, self._open() as connection:
            connection.execute("UPDATE receipts SET response = ?, code = ?, message = ? WHERE key = ?", ended)

    def close(self) -> None:
        """Close the file, if it was opened."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")  # a receipt survives the loss of power
            self._connection.executescript(SCHEMA)
        now = self._clock()
        if now - self._purged > DAY:
            with self._connection:
                self._connection.execute("DELETE FROM receipts WHERE begun < ?", (now - KEPT_FOR,))
            self._purged = now
        return self._connection


def fingerprint(request: ExecuteToolRequest) -> bytes:
    """What must be equal for two calls to be the same one: the tool and its parameters."""
    parameters = request.parameters.SerializeToString(deterministic=True)
    return hashlib.sha256(request.tool.encode() + b"\0" + parameters).digest()


def _outcome(key: str, response: bytes | None, code: str | None, message: str) -> Outcome:
    if response is not None:
        return ExecuteToolResponse.FromString(response)
    if code is not None:
        return Status(grpc.StatusCode[code], message)
    words = f'the call with the idempotency key "{key}" was begun and nobody knows how it ended'
    return Status(grpc.StatusCode.ABORTED, words)


def _other_call(key: str) -> Status:
    words = f'the idempotency key "{key}" belongs to a call of another tool or with other parameters'
    return Status(grpc.StatusCode.INVALID_ARGUMENT, words)
