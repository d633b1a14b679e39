"""A file that others remove, fill or forbid."""

import os

import pytest

from hector_host.manager.logs import logfile
from hector_host.manager.logs.logfile import LogFile


@pytest.fixture
def file(tmp_path):
    file = LogFile(tmp_path / "logs" / "x.log")
    yield file
    file.close()


def test_it_is_opened_once(file, monkeypatch):
    opened = []
    real = os.open
    monkeypatch.setattr(logfile.os, "open", lambda path, *more: opened.append(path) or real(path, *more))
    for number in range(9):
        file.append(f"{number}\n")
    assert opened == [file.path]
    assert file.path.read_text() == "".join(f"{number}\n" for number in range(9))


def test_nobody_else_may_read_it(file):
    file.append("one\n")
    assert (file.path.stat().st_mode & 0o777, file.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_is_there_stays(file):
    file.append("one\n")
    file.close()
    file.close()
    file.append("two\n")
    assert file.path.read_text() == "one\ntwo\n"


@pytest.mark.parametrize("taken", ["removed", "renamed", "replaced", "with its folder"])
def test_a_file_that_somebody_took_away_is_made_anew(file, taken):
    file.append("one\n")
    if taken == "removed":
        file.path.unlink()
    elif taken == "renamed":
        file.path.rename(file.path.with_name("x.log.old"))
    elif taken == "replaced":
        file.path.with_name("new").touch()
        file.path.with_name("new").replace(file.path)
    else:
        file.path.unlink()
        file.path.parent.rmdir()
    file.append("two\n")
    assert file.path.read_text() == "two\n"


def test_a_file_that_was_emptied_begins_again(file):
    file.append("one\n")
    os.truncate(file.path, 0)
    file.append("two\n")
    assert file.path.read_text() == "two\n"


def test_it_is_turned_over_once(file, monkeypatch):
    monkeypatch.setattr(logfile, "LIMIT", 100)
    for number in range(9):
        file.append(f"{number}{'x' * 60}\n")
    assert [line[0] for line in file.path.with_name("x.log.1").read_text().splitlines()] == ["6", "7"]
    assert [line[0] for line in file.path.read_text().splitlines()] == ["8"]
    assert len(list(file.path.parent.iterdir())) == 2


def test_two_may_write_it_and_turn_it_over(file, monkeypatch):
    monkeypatch.setattr(logfile, "LIMIT", 100)
    other = LogFile(file.path)
    for number in range(3):
        file.append(f"{number} one {'x' * 60}\n")
        other.append(f"{number} two\n")
    other.close()
    lines = file.path.with_name("x.log.1").read_text() + file.path.read_text()
    assert [line[:5] for line in lines.splitlines()] == ["0 one", "0 two", "1 one", "1 two", "2 one", "2 two"]


def test_a_full_disk_stops_nothing_and_is_written_again_when_it_can_be(file, monkeypatch):
    def full(descriptor, content):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(logfile.os, "write", full)
        file.append("one\n")
    file.append("two\n")
    assert file.path.read_text() == "two\n"


def test_it_is_not_inherited(file):
    file.append("one\n")
    assert not os.get_inheritable(file._descriptor)
