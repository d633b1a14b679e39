"""The journal in one SQLite file."""

from __future__ import annotations

import hashlib
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hector.host.v1.run_pb2 import Step
from hector.plugin.v1.llm_pb2 import TokenUsage
from hector.plugin.v1.message_pb2 import Message
from hector.plugin.v1.reasoning_pb2 import Effect, Failure, Outcome
from hector_host.errors import HectorError, NotFoundError
from hector_host.runtime.journal import EffectRecord, RunRecord, RunSummary, Status
from hector_host.runtime.owner import is_alive, this_process
from hector_host.runtime.writer import Writer

if TYPE_CHECKING:
    import asyncio
    import sqlite3
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from hector_host.runtime.journal import NewIteration, NewRun, RunEnd

FILE = "runs.db"
VERSION = 1
SCHEMA = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    created REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE setups (
    digest TEXT PRIMARY KEY,                -- SHA-256 of the body: what is the same in many runs is kept once
    body BLOB NOT NULL                      -- InitializeRequest without messages and context
);
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions,
    agent TEXT NOT NULL,
    user TEXT NOT NULL,
    engine TEXT NOT NULL,
    llm TEXT NOT NULL,
    setup TEXT NOT NULL REFERENCES setups,
    owner TEXT NOT NULL,                    -- the process that runs it (owner.py)
    status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'cancelled')),
    created REAL NOT NULL,                  -- seconds since the epoch, as everywhere here
    finished REAL,
    question TEXT NOT NULL REFERENCES messages DEFERRABLE INITIALLY DEFERRED,
    answer TEXT REFERENCES messages DEFERRABLE INITIALLY DEFERRED,
    error TEXT NOT NULL DEFAULT '',
    error_kind TEXT NOT NULL DEFAULT '',
    usage BLOB NOT NULL DEFAULT x'',        -- TokenUsage
    state BLOB,                             -- Struct; NULL once the run has ended
    state_version INTEGER
);
CREATE INDEX runs_by_session ON runs (session, created);
CREATE INDEX runs_by_time ON runs (created);
CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs,
    body BLOB NOT NULL                      -- Message without its id
);
CREATE INDEX messages_by_run ON messages (run);
CREATE TABLE iterations (
    run TEXT NOT NULL REFERENCES runs,
    number INTEGER NOT NULL,
    now INTEGER NOT NULL,                   -- the strategy's clock, microseconds since the epoch
    thought TEXT NOT NULL,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
CREATE TABLE effects (
    run TEXT NOT NULL REFERENCES runs,
    id TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    request BLOB NOT NULL,                  -- Effect; a generation's messages are in `naming`
    naming TEXT,                            -- ids.change
    created REAL NOT NULL,
    finished REAL,                          -- NULL: nobody knows what came of it
    failure BLOB,                           -- Failure
    message TEXT REFERENCES messages,
    usage BLOB,                             -- TokenUsage
    finish_reason INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, id)
);
CREATE TABLE steps (
    run TEXT NOT NULL REFERENCES runs,
    number INTEGER NOT NULL,
    body BLOB NOT NULL,                     -- Step
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
"""


@asynccontextmanager
async def open_journal(folder: Path) -> AsyncIterator[SqliteJournal]:
    """The journal of a storage folder, closed at the end with everything written.

    Raises:
        HectorError: The file cannot be opened, or was made by a newer Hector.
    """
    writer = Writer(folder / FILE, lambda connection: _migrate(connection, folder / FILE))
    await writer.start()
    try:
        yield SqliteJournal(writer)
    finally:
        await writer.stop()


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        connection.execute("ROLLBACK")
        raise HectorError(
            f"{path}: is of version {version}, this Hector reads up to {VERSION}",
            "Upgrade Hector, or set storage.path to another folder.",
        )
    if version == 0:
        for statement in SCHEMA.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


class SqliteJournal:
    """See `journal.Journal`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def conversation(self, session: str) -> Sequence[Message]:
        """See `Journal.conversation`."""

        def read(connection: sqlite3.Connection) -> list[Message]:
            rows = connection.execute(
                "SELECT m.id, m.body FROM runs r JOIN messages m ON m.id IN (r.question, r.answer)"
                " WHERE r.session = ? AND r.status = 'finished' ORDER BY r.created, m.id = r.answer",
                (session,),
            )
            return [_message(row) for row in rows]

        return await self._writer.submit(read)

    def begin(self, run: NewRun) -> asyncio.Future[None]:
        """See `Journal.begin`."""
        now = time.time()
        setup = run.setup.SerializeToString(deterministic=True)
        digest = hashlib.sha256(setup).hexdigest()

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR IGNORE INTO sessions VALUES (?, ?)", (run.session, now))
            connection.execute("INSERT OR IGNORE INTO setups VALUES (?, ?)", (digest, setup))
            connection.execute(
                "INSERT INTO runs (id, session, setup, agent, user, engine, llm, owner, status, created, question,"
                " state, state_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)",
                (
                    run.id,
                    run.session,
                    digest,
                    run.agent,
                    run.user,
                    run.engine,
                    run.llm,
                    this_process(),
                    now,
                    run.question.id,
                    run.state.SerializeToString(),
                    run.state_version,
                ),
            )
            _add_message(connection, run.id, run.question)

        return self._writer.submit(write, awaited=False)

    def iterate(self, run: str, iteration: NewIteration) -> asyncio.Future[None]:
        """See `Journal.iterate`."""
        now = time.time()

        def write(connection: sqlite3.Connection) -> None:
            for message in iteration.messages:
                _add_message(connection, run, message)
            connection.execute(
                "INSERT INTO iterations VALUES (?, ?, ?, ?)", (run, iteration.number, iteration.now, iteration.thought)
            )
            connection.executemany(
                "INSERT INTO effects (run, id, iteration, request, naming, created) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (run, effect.id, iteration.number, _request(effect), iteration.naming.get(effect.id), now)
                    for effect in iteration.effects
                ],
            )
            connection.execute(
                "UPDATE runs SET state = ?, state_version = ? WHERE id = ?",
                (iteration.state.SerializeToString(), iteration.state_version, run),
            )

        return self._writer.submit(write)

    def settle(self, run: str, outcome: Outcome) -> asyncio.Future[None]:
        """See `Journal.settle`."""
        now = time.time()

        def write(connection: sqlite3.Connection) -> None:
            if outcome.message.id:
                _add_message(connection, run, outcome.message)
            connection.execute(
                "UPDATE effects SET finished = ?, failure = ?, message = ?, usage = ?, finish_reason = ?"
                " WHERE run = ? AND id = ?",
                (
                    now,
                    outcome.failure.SerializeToString() if outcome.HasField("failure") else None,
                    outcome.message.id or None,
                    outcome.usage.SerializeToString() if outcome.HasField("usage") else None,
                    outcome.finish_reason,
                    run,
                    outcome.id,
                ),
            )

        return self._writer.submit(write, awaited=False)

    def end(self, run: str, end: RunEnd, usage: TokenUsage, steps: Sequence[Step]) -> asyncio.Future[None]:
        """See `Journal.end`."""
        now = time.time()

        def write(connection: sqlite3.Connection) -> None:
            if end.answer is not None and not _has_message(connection, end.answer.id):
                _add_message(connection, run, end.answer)
            connection.executemany(
                "INSERT INTO steps VALUES (?, ?, ?)",
                [(run, number, step.SerializeToString()) for number, step in enumerate(steps, start=1)],
            )
            connection.execute(
                "UPDATE runs SET status = ?, finished = ?, answer = ?, error = ?, error_kind = ?, usage = ?,"
                " state = NULL WHERE id = ?",
                (
                    end.status,
                    now,
                    end.answer.id if end.answer is not None else None,
                    end.error,
                    end.error_kind,
                    usage.SerializeToString(),
                    run,
                ),
            )

        return self._writer.submit(write)

    async def runs(self, limit: int, session: str = "") -> Sequence[RunSummary]:
        """See `Journal.runs`."""

        def read(connection: sqlite3.Connection) -> list[RunSummary]:
            rows = connection.execute(
                f"{_SUMMARY} WHERE ? IN ('', r.session) ORDER BY r.created DESC LIMIT ?",
                (session, limit),
            )
            return [_summary(row) for row in rows]

        return await self._writer.submit(read)

    async def run(self, run: str) -> RunRecord:
        """See `Journal.run`."""

        def read(connection: sqlite3.Connection) -> RunRecord:
            row = connection.execute(f"{_SUMMARY} WHERE r.id = ?", (run,)).fetchone()
            if row is None:
                raise NotFoundError(f"run {run!r}: there is none", "See what there is: hector runs list")
            messages = {
                row["id"]: _message(row)
                for row in connection.execute("SELECT id, body FROM messages WHERE run = ? ORDER BY rowid", (run,))
            }
            thoughts = connection.execute(
                "SELECT number, thought FROM iterations WHERE run = ? ORDER BY number", (run,)
            )
            effects = connection.execute("SELECT * FROM effects WHERE run = ? ORDER BY iteration, rowid", (run,))
            steps = connection.execute("SELECT body FROM steps WHERE run = ? ORDER BY number", (run,))
            return RunRecord(
                _summary(row),
                list(messages.values()),
                {found["number"]: found["thought"] for found in thoughts},
                [_effect(found, messages) for found in effects],
                [Step.FromString(found["body"]) for found in steps],
                messages.get(row["answer"]),
            )

        return await self._writer.submit(read)


_SUMMARY = (
    "SELECT r.*, q.body AS question_body, (SELECT count(*) FROM iterations i WHERE i.run = r.id) AS iterations"
    " FROM runs r JOIN messages q ON q.id = r.question"
)


def _summary(row: sqlite3.Row) -> RunSummary:
    lost = row["status"] == Status.RUNNING and not is_alive(row["owner"])
    return RunSummary(
        id=row["id"],
        session=row["session"],
        agent=row["agent"],
        llm=row["llm"],
        engine=row["engine"],
        status="interrupted" if lost else row["status"],
        created=row["created"],
        finished=row["finished"],
        iterations=row["iterations"],
        question="".join(part.text for part in Message.FromString(row["question_body"]).parts),
        error=row["error"],
        usage=TokenUsage.FromString(row["usage"]),
    )


def _message(row: sqlite3.Row) -> Message:
    message = Message.FromString(row["body"])
    message.id = row["id"]
    return message


def _add_message(connection: sqlite3.Connection, run: str, message: Message) -> None:
    body = Message()
    body.CopyFrom(message)
    body.ClearField("id")
    connection.execute("INSERT INTO messages VALUES (?, ?, ?)", (message.id, run, body.SerializeToString()))


def _has_message(connection: sqlite3.Connection, message: str) -> bool:
    return connection.execute("SELECT 1 FROM messages WHERE id = ?", (message,)).fetchone() is not None


def _request(effect: Effect) -> bytes:
    """The effect without the messages of a generation, which `naming` tells."""
    kept = Effect()
    kept.CopyFrom(effect)
    if kept.HasField("generate"):
        kept.generate.input.ClearField("messages")
    return kept.SerializeToString()


def _effect(row: sqlite3.Row, messages: dict[str, Message]) -> EffectRecord:
    request = Effect.FromString(row["request"])
    outcome = Outcome(id=row["id"], finish_reason=row["finish_reason"])
    if row["failure"] is not None:
        outcome.failure.CopyFrom(Failure.FromString(row["failure"]))
    if row["message"] is not None:
        outcome.message.CopyFrom(messages[row["message"]])
    if row["usage"] is not None:
        outcome.usage.CopyFrom(TokenUsage.FromString(row["usage"]))
    return EffectRecord(
        iteration=row["iteration"],
        id=row["id"],
        kind=request.WhichOneof("effect") or "",
        request=request,
        created=row["created"],
        finished=row["finished"],
        outcome=outcome,
    )
