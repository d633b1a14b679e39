"""The file of receipts: which calls were begun, and how they ended. Its methods block, and any thread may call them."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Final

import grpc

from hector.plugin.v1.tool_pb2 import ExecuteToolResponse
from hector_sdk.errors import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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


class Ledger:
    """One file, opened by the first call."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """Nothing is opened.

        Args:
            path: Its directory is there.
            clock: Unix time in seconds.
        """
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
            return other_call(key) if begun != call else _outcome(key, *ended)

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


def _outcome(key: str, response: bytes | None, code: str | None, message: str) -> Outcome:
    if response is not None:
        return ExecuteToolResponse.FromString(response)
    if code is not None:
        return Status(grpc.StatusCode[code], message)
    return unknown_end(key)


def unknown_end(key: str) -> Status:
    """What a call is told that was begun and runs no longer."""
    words = f'the call with the idempotency key "{key}" was begun and nobody knows how it ended'
    return Status(grpc.StatusCode.ABORTED, words)


def other_call(key: str) -> Status:
    """What a call is told whose key belongs to another one."""
    words = f'the idempotency key "{key}" belongs to a call of another tool or with other parameters'
    return Status(grpc.StatusCode.INVALID_ARGUMENT, words)
