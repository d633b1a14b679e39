"""What is kept of a death, and what a bad disk or a bad file may do."""

import json
import os
import stat
import threading
from dataclasses import replace

import pytest

from hector_host.manager import dossier
from hector_host.manager.dossier import CallInFlight, Dossier

WHOLE = Dossier(
    plugin="echo",
    reason="oom",
    died=1700000060.5,
    started=1700000000.25,
    kind="llm_provider",
    replica=2,
    pid=4711,
    version="1.2.0",
    words="the kernel killed it for its memory",
    exit_code=None,
    signal=9,
    out_of_memory=True,
    state="backoff",
    next_attempt=1700000061.0,
    restarts=3,
    deaths=4,
    log=("one", "zwei „ü“", "\\x1b[31mthree"),
    log_dropped=7,
    calls=(CallInFlight("GenerateText", "r1", "helper", 2.5),),
    command="python plugin.py --key ${KEY}",
    host_pid=12,
    host_version="0.1.0",
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "storage" / "dossiers"


@pytest.fixture
def notices():
    return []


def test_what_is_written_is_read(folder, notices):
    assert dossier.write(folder, WHOLE, notices.append)
    assert dossier.read(folder, "echo", notices.append) == WHOLE
    assert notices == []


def test_nobody_else_may_read_it(folder):
    before = os.umask(0)
    try:
        dossier.write(folder, WHOLE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [(file.name, stat.S_IMODE(file.stat().st_mode)) for file in folder.iterdir()] == [("echo.json", 0o600)]


def test_a_plugin_that_never_died_has_none(folder, notices):
    assert dossier.read(folder, "echo", notices.append) is None
    assert notices == []


def test_the_newest_five_are_kept_of_each_plugin(folder):
    for number in range(8):
        dossier.write(folder, replace(WHOLE, pid=number))
        dossier.write(folder, replace(WHOLE, plugin="echo.1", pid=100 + number))
    names = ["echo.json", *(f"echo.json.{age}" for age in range(1, 5))]
    assert [json.loads((folder / name).read_text())["pid"] for name in names] == [7, 6, 5, 4, 3]
    assert len(list(folder.iterdir())) == 10
    assert dossier.read(folder, "echo.1").pid == 107


def test_deaths_in_one_moment_are_all_kept(folder):
    writers = [threading.Thread(target=dossier.write, args=(folder, replace(WHOLE, pid=pid))) for pid in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {json.loads(file.read_text())["pid"] for file in folder.iterdir()} == {0, 1, 2, 3, 4}


def test_a_host_that_was_killed_while_it_wrote_leaves_the_older_one(folder):
    dossier.write(folder, WHOLE)
    dossier.path(folder, "echo").rename(folder / "echo.json.1")
    (folder / "echo.json.new").write_text('{"plugin": "ec')
    assert dossier.read(folder, "echo") == WHOLE
    assert dossier.write(folder, replace(WHOLE, pid=2))
    assert sorted(file.name for file in folder.iterdir()) == ["echo.json", "echo.json.2"]


@pytest.mark.parametrize("line", ["x" * 8192, "ü" * 8192, '"' * 8192])
def test_long_lines_cost_the_oldest_ones(folder, line):
    log = (*(f"{number} {line}" for number in range(200)), "the end")
    dossier.write(folder, replace(WHOLE, log=log))
    kept = dossier.read(folder, "echo").log
    assert 0 < len(kept) < 200
    assert kept == log[-len(kept) :]
    size = dossier.path(folder, "echo").stat().st_size
    assert dossier.LOG_LIMIT // 2 < size < dossier.LOG_LIMIT + 10_000


def test_other_texts_and_calls_are_bounded_too(folder):
    calls = tuple(CallInFlight("M", "r" * 10_000, "a" * 10_000, float(number)) for number in range(300))
    long = "w" * 10_000
    dossier.write(folder, replace(WHOLE, words=long, version=long, command=long, calls=calls))
    found = dossier.read(folder, "echo")
    cut = "w" * 8192 + " …"
    assert (found.words, found.version, found.command) == (cut, cut, cut)
    assert [call.seconds for call in found.calls] == [float(number) for number in range(299, 199, -1)]
    assert found.calls[0].run == "r" * 8192 + " …"
    assert found.calls[0].agent == "a" * 8192 + " …"


def test_what_cannot_be_encoded_is_written_nevertheless(folder):
    dossier.write(folder, replace(WHOLE, command="run \udcff"))
    assert dossier.read(folder, "echo").command == "run ?"


@pytest.mark.parametrize("name", ["../echo", "..", ".", "/etc/echo", "a/b", "", "über"])
def test_no_name_leads_out_of_the_folder(folder, name):
    assert dossier.path(folder, name).parent == folder
    dossier.write(folder, replace(WHOLE, plugin=name))
    assert dossier.read(folder, name).plugin == name
    assert [path.name for path in folder.parent.iterdir()] == ["dossiers"]


def test_a_file_of_another_version_is_read_as_far_as_it_is_known(folder, notices):
    folder.mkdir(parents=True)
    newer = {
        "format": dossier.FORMAT,
        "plugin": "echo",
        "reason": "exit:1",
        "died": 5,
        "mood": "bad",
        "calls": [{"method": "M", "x": 1}],
    }
    dossier.path(folder, "echo").write_text(json.dumps(newer))
    assert dossier.read(folder, "echo", notices.append) == Dossier("echo", "exit:1", 5.0, calls=(CallInFlight("M"),))
    assert notices == []


def test_a_file_of_a_newer_format_is_refused(folder, notices):
    dossier.write(folder, WHOLE)
    file = dossier.path(folder, "echo")
    content = json.loads(file.read_text()) | {"format": dossier.FORMAT + 1, "log": "in another way"}
    file.write_text(json.dumps(content))
    assert dossier.read(folder, "echo", notices.append) is None
    assert notices == [f"echo: the crash dossier {file} is of a newer version of Hector: read it with that one"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff\x00",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"plugin": "echo"}',
        b'{"format": "newest"}',
        b'{"plugin": "echo", "reason": "oom", "died": 5, "log": 7}',
        b'{"plugin": "echo", "reason": "oom", "died": 5, "log": [["x"]]}',
        b'{"plugin": "echo", "reason": "oom", "died": "yesterday"}',
    ],
)
def test_garbage_is_told(folder, notices, garbage):
    folder.mkdir(parents=True)
    file = dossier.path(folder, "echo")
    file.write_bytes(garbage)
    assert dossier.read(folder, "echo", notices.append) is None
    assert notices == [f"echo: {file} is no crash dossier that this version of Hector can read: remove it"]


def test_a_file_that_cannot_be_opened_is_told(folder, notices):
    file = dossier.path(folder, "echo")
    file.mkdir(parents=True)
    assert dossier.read(folder, "echo", notices.append) is None
    assert notices == [f"echo: its crash dossier {file} cannot be read: Is a directory"]


def test_a_folder_that_cannot_be_made_stops_nothing(folder, notices):
    folder.parent.write_text("a file where the folder should be")
    assert not dossier.write(folder, WHOLE, notices.append)
    assert notices == [f"echo: its crash dossier {folder}/echo.json could not be written: Not a directory"]


def test_a_full_disk_keeps_the_older_one_and_leaves_no_piece(folder, notices, monkeypatch):
    dossier.write(folder, WHOLE)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert not dossier.write(folder, replace(WHOLE, pid=2), notices.append)
    assert notices == [f"echo: its crash dossier {folder}/echo.json could not be written: No space left on device"]
    assert dossier.read(folder, "echo") == WHOLE
    assert [file.name for file in folder.iterdir()] == ["echo.json"]
