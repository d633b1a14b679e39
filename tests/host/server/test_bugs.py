"""What nobody foresaw, on a disk that takes it and on one that does not."""

import errno
import os
import tempfile

import pytest

from hector_host.server import bugs
from hector_host.server.bugs import Bugs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_happened_is_in_a_file_that_only_the_user_reads(folder):
    told = []
    error = Bugs(told.append).report(ZeroDivisionError("secret \udcff"))
    (file,) = folder.iterdir()
    assert told == [f"internal error: ZeroDivisionError: a bug of Hector; what happened is in {file}"]
    assert file.read_text() == "ZeroDivisionError: secret \\udcff\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert str(error) == (
        "internal error: ZeroDivisionError\n  This is a bug of Hector. The host has kept what happened."
    )


@pytest.mark.parametrize("where", ["making the file", "writing it"])
def test_a_full_disk_keeps_nothing_and_the_bug_is_told_nevertheless(folder, monkeypatch, where):
    if where == "making the file":
        monkeypatch.setattr(tempfile, "mkstemp", full)
    else:
        monkeypatch.setattr(bugs.traceback, "print_exception", full)
    told = []
    error = Bugs(told.append).report(ZeroDivisionError("secret"))
    assert told == [
        "internal error: ZeroDivisionError: a bug of Hector; what happened could not be kept: No space left on device"
    ]
    assert str(error) == (
        "internal error: ZeroDivisionError\n  This is a bug of Hector. The host could not keep what happened."
    )
    assert list(folder.iterdir()) == []


def test_a_bug_that_every_call_meets_does_not_fill_the_disk(folder, monkeypatch):
    monkeypatch.setattr(bugs, "MOST_KEPT", 2)
    told = []
    met = Bugs(told.append)
    for _ in range(4):
        met.report(ZeroDivisionError())
    assert len(told) == len(list(folder.iterdir())) == 2
