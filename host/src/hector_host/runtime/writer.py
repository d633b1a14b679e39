"""One thread that owns a SQLite connection and commits what is waiting together.

What is submitted is executed in that order. Everything that waits when the thread comes round goes into one
transaction, so many runs share one sync of the disk; a result is given out only after its transaction is on disk.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from hector_host.errors import HectorError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

BUSY_TIMEOUT = 10.0
"""Seconds that a transaction waits for another process's."""

BUSY_PAUSE = 0.005
"""Seconds between attempts where SQLite does not wait by itself."""

PRIMARY = 0xFF
"""The bits of SQLite's error codes that name the error; the others say more of it."""

GROUP_LIMIT = 256
"""Operations in one transaction: bounds how long the first of them waits for the last."""

LINGER = 0.002
"""Seconds that an operation which nobody waits for stays open for company: about a sync of a disk."""


@dataclass(slots=True)
class _Operation:
    work: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    awaited: bool
    result: Any = None
    error: Exception | None = None


class Writer:
    """The thread, from `start` to `stop`.

    Args:
        path: The database file; its folder is made.
        prepare: Called with the new connection in the thread, outside any transaction.
    """

    def __init__(self, path: Path, prepare: Callable[[sqlite3.Connection], None]) -> None:
        self._path = path
        self._prepare = prepare
        self._queue: queue.SimpleQueue[_Operation | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="hector-journal")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False

    async def start(self) -> None:
        """Opens the file.

        Raises:
            HectorError: It cannot be opened, or is of a newer version.
        """
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        try:
            await self.submit(lambda _: None)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends the thread after everything submitted."""
        if not self._stopped:
            self._stopped = True
            self._queue.put(None)
            await asyncio.shield(asyncio.to_thread(self._thread.join))

    def submit(self, work: Callable[[sqlite3.Connection], T], *, awaited: bool = True) -> asyncio.Future[T]:
        """Queues an operation at once; the future has its result once it is on disk, or a HectorError.

        Args:
            awaited: False when the caller goes on meanwhile and will soon submit more: it may then share a transaction
                with that, at the price of a moment.
        """
        if self._loop is None or self._stopped:
            raise HectorError(f"{self._path}: the journal is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Operation(work, future, awaited))
        return future

    def _serve(self) -> None:
        connection: sqlite3.Connection | None = None
        failure: HectorError | None = None
        try:
            connection = self._open()
        except HectorError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whoever submits is told
            failure = self._failed(error)
        try:
            while group := self._next_group():
                try:
                    if connection is None:
                        _fail(group, failure)
                    else:
                        self._commit(connection, group)
                except Exception as error:  # noqa: BLE001 - the thread lives on, so that nobody waits for ever
                    _fail(group, self._failed(error))
                self._answer(group)
        finally:
            if connection is not None:
                connection.close()

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):  # SQLite would let others read it, where the folder does
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        _log_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")  # a commit is on disk when it returns, power loss included
        connection.execute("PRAGMA foreign_keys = ON")
        self._prepare(connection)
        return connection

    def _next_group(self) -> list[_Operation]:
        """Everything that waits; empty when there will be no more."""
        operation = self._queue.get()
        group: list[_Operation] = []
        deadline = time.monotonic() + LINGER
        while operation is not None:
            group.append(operation)
            if len(group) == GROUP_LIMIT:
                return group
            linger = 0.0 if any(waiting.awaited for waiting in group) else max(0.0, deadline - time.monotonic())
            try:
                operation = self._queue.get(timeout=linger) if linger else self._queue.get_nowait()
            except queue.Empty:
                return group
        if group:
            self._queue.put(None)  # for the next round: these come first
        return group

    def _commit(self, connection: sqlite3.Connection, group: list[_Operation]) -> None:
        at_fault = False
        try:
            connection.execute("BEGIN IMMEDIATE")
            at_fault = True
            for operation in group:
                operation.result = operation.work(connection)
            at_fault = False
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever an operation raises is its caller's
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if len(group) > 1 and at_fault:
                # One of them is at fault: alone, each meets its own fate.
                for operation in group:
                    self._commit(connection, [operation])
                return
            _fail(group, self._failed(error) if isinstance(error, sqlite3.Error) else error)

    def _answer(self, group: list[_Operation]) -> None:
        def deliver() -> None:
            for operation in group:
                if operation.future.done():
                    continue
                if operation.error is not None:
                    operation.future.set_exception(operation.error)
                else:
                    operation.future.set_result(operation.result)

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(deliver)

    def _failed(self, error: Exception) -> HectorError:
        return HectorError(
            f"{self._path}: cannot keep the journal: {error}",
            "Check that the disk has room and that the folder of storage.path can be written.",
        )


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL: readers never wait for the writer. SQLite does not wait for another process that does the same."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(BUSY_PAUSE)
        else:
            return


def _fail(group: list[_Operation], failure: Exception | None) -> None:
    for operation in group:
        operation.error = failure
