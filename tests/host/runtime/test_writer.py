"""The file that the journal's thread writes, beside other processes."""

import asyncio
import contextlib
import sqlite3

import leftovers

from hector_host.runtime.writer import Writer


async def test_it_opens_a_file_that_another_process_makes_at_the_same_time(tmp_path):
    file = tmp_path / "runs.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        before = leftovers.descriptors(file)
        writer = Writer(file, lambda _: None)
        opening = asyncio.create_task(writer.start())
        while leftovers.descriptors(file) == before and not opening.done():
            await asyncio.sleep(0)
        other.execute("COMMIT")
    await opening
    assert await writer.submit(lambda connection: connection.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"
    await writer.stop()


async def test_nobody_else_may_read_what_it_makes(tmp_path):
    writer = Writer(tmp_path / "runs.db", lambda connection: connection.execute("CREATE TABLE t (x)"))
    await writer.start()
    files = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    await writer.stop()
    assert files == {"runs.db": 0o600, "runs.db-wal": 0o600, "runs.db-shm": 0o600}
