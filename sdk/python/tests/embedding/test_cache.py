"""The cache of vectors, with real files, other processes, and a disk that says no."""

import logging
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hector_sdk import InvalidOptions
from hector_sdk.embedding.cache import FILE, Cache, Row, size

ROW = Row(b"\x00\x00\x80\x3f" * 384, 7, truncated=True)
WRITER = """
import sys
from pathlib import Path
from hector_sdk.embedding.cache import Cache, Row
cache = Cache(Path(sys.argv[1]), 1 << 30)
number = 0
while True:
    keys = [f"{sys.argv[2]}-{number + each}".encode() for each in range(20)]
    cache.put({key: Row(key * 100, 1, truncated=False) for key in keys})
    number += 20
    print(number, flush=True)
"""


def rows(first: int, last: int) -> dict[bytes, Row]:
    return {f"key-{number}".encode(): ROW for number in range(first, last)}


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    cache = Cache(tmp_path, 1 << 20)
    yield cache
    cache.close()


def test_rows_outlive_the_cache(tmp_path: Path, cache: Cache):
    assert cache.get([b"key-1"]) == {}
    cache.put(rows(0, 10))
    cache.close()
    again = Cache(tmp_path, 1 << 20)
    assert again.get([b"key-1", b"other", b"key-9"]) == {b"key-1": ROW, b"key-9": ROW}
    again.close()


def test_the_file_is_bounded_and_what_is_used_stays(tmp_path: Path, cache: Cache):
    cache.put(rows(0, 100))
    for first in range(100, 3000, 100):
        assert cache.get([b"key-1"]) == {b"key-1": ROW}
        cache.put(rows(first, first + 100))
    assert cache.get([b"key-2"]) == {}
    assert cache.get([b"key-2999"]) == {b"key-2999": ROW}
    cache.close()
    assert (tmp_path / FILE).stat().st_size < 1.3 * (1 << 20)  # one write of 100 rows beyond


@pytest.mark.parametrize("damage", ["no database", "a page", "a bit"])
def test_a_damaged_file_is_dropped_and_told_once(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture):
    first = Cache(tmp_path, 1 << 20)
    first.put(rows(0, 200))
    first.close()
    content = bytearray((tmp_path / FILE).read_bytes())
    if damage == "no database":
        content[:100] = b"x" * 100
    elif damage == "a page":
        content[4096:] = b"\xff" * (len(content) - 4096)
    else:
        content[content.index(ROW.vector) + 40] ^= 1
    (tmp_path / FILE).write_bytes(content)
    cache = Cache(tmp_path, 1 << 20)
    found = cache.get(rows(0, 200))
    cache.put(rows(0, 200))
    assert found == {}
    assert cache.get(rows(0, 200)) == rows(0, 200)
    cache.close()
    reasons = {
        "no database": "file is not a database",
        "a page": "database disk image is malformed",
        "a bit": "a vector is not what was stored",
    }
    assert said(caplog) == [
        f"the vectors in {tmp_path / FILE} are dropped, the file is damaged: {reasons[damage]}",
    ]


def test_processes_share_it_and_may_be_killed(tmp_path: Path):
    argv = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*argv, name], stdout=subprocess.PIPE, text=True) for name in ("one", "two")]
    try:
        reached = []
        for writer in writers:
            assert writer.stdout
            reached.append(next(number for number in map(int, writer.stdout) if number >= 200))
    finally:
        for writer in writers:
            writer.kill()
            writer.wait(30)
            assert writer.stdout
            writer.stdout.close()
    cache = Cache(tmp_path, 1 << 30)
    found = cache.get(f"{name}-{number}".encode() for name in ("one", "two") for number in range(200))
    cache.close()
    assert min(reached) >= 200
    assert len(found) == 400
    assert all(row.vector == key * 100 for key, row in found.items())


def test_without_room_it_is_read_on_and_told_once(tmp_path: Path, cache: Cache, caplog: pytest.LogCaptureFixture):
    cache.put(rows(0, 10))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        cache.put(rows(10, 500))
        cache.put(rows(500, 900))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert said(caplog) == [f"vectors are kept no longer: {tmp_path / FILE} cannot be written: disk I/O error"]
    assert cache.get([b"key-1", b"key-11", b"key-501"]) == {b"key-1": ROW}


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    cache = Cache(tmp_path / "nowhere", 1 << 20)
    cache.put(rows(0, 10))
    assert cache.get([b"key-1"]) == {}
    cache.close()
    path = tmp_path / "nowhere" / FILE
    assert said(caplog) == [f"vectors are kept no longer: {path} cannot be written: unable to open database file"]


@pytest.mark.parametrize(("value", "expected"), [("0", 0), ("64KB", 65_536), ("256MB", 256 << 20), ("1GB", 1 << 30)])
def test_sizes(value: str, expected: int):
    assert size(value) == expected


def test_no_size():
    with pytest.raises(InvalidOptions) as caught:
        size("1 XB")
    assert str(caught.value) == 'cache: "1 XB" is not a size: write it as 64MB or 1GB, or 0 for none'
