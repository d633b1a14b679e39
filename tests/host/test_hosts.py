"""Records of live hosts: believed while they are locked, refused when somebody else could have written them."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from hector_host import hosts
from hector_host.errors import HectorError
from hector_host.hosts import Presence, Record

HOST = """
    import sys, time
    from hector_host.hosts import Presence, Record
    file, storage, address = sys.argv[1:]
    with Presence(Record("", 4711, "0.1.0", file, storage, 5.0), print) as presence:
        if address:
            presence.announce(address)
        print("lives", flush=True)
        time.sleep(100)
"""


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


@contextmanager
def elsewhere(file: Path, storage: Path, address: str = "127.0.0.1:7"):
    """A host in a process of its own."""
    command = [sys.executable, "-c", textwrap.dedent(HOST), str(file), str(storage), address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "lives\n"
            yield process
        finally:
            process.kill()


def record(folder: Path, name: str = "hector.yaml", started: float = 1.0) -> Record:
    return Record("", 1, "0.1.0", str(folder / name), str(folder / f"{name}.storage"), started)


def refuse(notice: str) -> None:
    raise AssertionError(notice)


def test_a_host_is_found_by_its_file_and_by_its_folder(tmp_path):
    own = record(tmp_path)
    with Presence(own, refuse) as presence:
        assert hosts.of(Path(own.config_file)) is None  # it does not listen yet
        presence.announce("127.0.0.1:5")
        found = hosts.of(Path(own.config_file))
        assert found == hosts.of(Path(own.storage_path)) == presence.record
        assert found.address == "127.0.0.1:5"
        assert hosts.of(tmp_path / "other.yaml") is None
    assert hosts.of(Path(own.config_file)) is None


def test_a_file_is_the_same_through_a_link(tmp_path):
    own = record(tmp_path)
    (tmp_path / "link.yaml").symlink_to(own.config_file)
    with Presence(own, refuse) as presence:
        presence.announce("127.0.0.1:5")
        assert hosts.of(tmp_path / "link.yaml") == presence.record


def test_all_live_hosts_are_listed_the_oldest_first(tmp_path):
    with (
        Presence(record(tmp_path, "b", 2.0), refuse) as younger,
        Presence(record(tmp_path, "a", 1.0), refuse) as older,
        Presence(record(tmp_path, "c", 3.0), refuse),
    ):
        younger.announce("127.0.0.1:2")
        older.announce("127.0.0.1:1")
        assert hosts.all_live() == [older.record, younger.record]


def test_nothing_is_left_of_a_host_that_ended(tmp_path, runtime_folder):
    own = record(tmp_path)
    with Presence(own, refuse) as presence:
        presence.announce("127.0.0.1:5")
        assert len(list(runtime_folder.glob("hector-hosts/*.json"))) == 1
    assert list(runtime_folder.iterdir()) == []
    assert list(Path(own.storage_path).iterdir()) == []


def test_records_are_for_their_user_alone(tmp_path, runtime_folder):
    with Presence(record(tmp_path), refuse) as presence:
        presence.announce("127.0.0.1:5")
        (shared,) = runtime_folder.glob("hector-hosts/*.json")
        assert [oct(path.stat().st_mode & 0o777) for path in (shared, shared.parent)] == ["0o600", "0o700"]


def test_a_killed_host_is_dead_at_once_and_the_next_one_sweeps_its_record(tmp_path, runtime_folder):
    file, storage = tmp_path / "hector.yaml", tmp_path / "storage"
    with elsewhere(file, storage) as process:
        found = hosts.of(storage)
        assert found == Record("127.0.0.1:7", 4711, "0.1.0", str(file), str(storage), 5.0)
        assert hosts.all_live() == [found]
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (hosts.of(storage), hosts.all_live()) == (None, [])
        (dead,) = runtime_folder.glob("hector-hosts/*.json")
    with Presence(record(tmp_path), refuse) as presence:
        presence.announce("127.0.0.1:5")
        assert not dead.exists()
        assert hosts.all_live() == [presence.record]


def test_the_folder_of_a_killed_host_can_be_claimed(tmp_path):
    own = record(tmp_path)
    with elsewhere(tmp_path / "hector.yaml", Path(own.storage_path)) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with Presence(own, refuse) as presence:
            presence.announce("127.0.0.1:5")
            assert hosts.of(Path(own.storage_path)) == presence.record


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("127.0.0.1:7", "the host at 127.0.0.1:7 (process 4711, {file})"),
        ("", "the host (process 4711, {file})"),
    ],
    ids=["listening", "starting"],
)
def test_a_storage_folder_has_one_host(tmp_path, address, who):
    own = record(tmp_path)
    file = tmp_path / "other.yaml"
    with elsewhere(file, Path(own.storage_path), address), pytest.raises(HectorError) as refused:
        Presence(own, refuse).__enter__()
    assert str(refused.value) == (
        f"{own.storage_path}: {who.format(file=file)} has this storage folder\n"
        "  Use or end that host, or give this configuration another storage.path."
    )


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "hector.yaml.storage").write_text("a file")
    with pytest.raises(HectorError) as refused:
        Presence(record(tmp_path), refuse).__enter__()
    assert str(refused.value) == (
        f"{tmp_path}/hector.yaml.storage: cannot be locked: File exists\n"
        "  Mend the folder, or give this configuration another storage.path, on a file system that has locks."
    )


@pytest.mark.parametrize("how", ["open to others", "a link"])
def test_a_folder_that_others_could_write_is_not_used(tmp_path, runtime_folder, how):
    folder = runtime_folder / "hector-hosts"
    if how == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    own = record(tmp_path)
    notices: list[str] = []
    with Presence(own, notices.append) as presence:
        presence.announce("127.0.0.1:5")
        assert list(folder.iterdir()) == []
        assert hosts.all_live() == []
        assert hosts.of(Path(own.storage_path)) == presence.record
    (notice,) = notices
    assert notice == (
        f"{folder}: not a folder that only this user can enter: "
        "commands that name no host do not find this one by themselves"
    )


def test_what_is_no_record_of_a_live_host_is_none(tmp_path, runtime_folder):
    folder = runtime_folder / "hector-hosts"
    folder.mkdir(mode=0o700)
    whole = json.dumps(asdict(record(tmp_path)) | {"address": "127.0.0.1:5"})
    (folder / "unlocked.json").write_text(whole)
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    (folder / "link.json").symlink_to(folder / "unlocked.json")
    assert hosts.all_live() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"address": "127.0.0.1:5"}', "\xff"])
def test_a_locked_file_that_says_something_else_is_no_record(tmp_path, runtime_folder, text):
    own = record(tmp_path)
    with Presence(own, refuse) as presence:
        presence.announce("127.0.0.1:5")
        (shared,) = runtime_folder.glob("hector-hosts/*.json")
        shared.write_text(text, "latin-1")
        assert hosts.all_live() == []


def test_a_record_of_a_newer_version_may_say_more(tmp_path, runtime_folder):
    with Presence(record(tmp_path), refuse) as presence:
        presence.announce("127.0.0.1:5")
        (shared,) = runtime_folder.glob("hector-hosts/*.json")
        shared.write_text(json.dumps(asdict(presence.record) | {"doors": ["openai"]}))
        assert hosts.all_live() == [presence.record]


def test_children_do_not_inherit_the_locks(tmp_path):
    own = record(tmp_path)
    with Presence(own, refuse) as presence:
        presence.announce("127.0.0.1:5")
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    try:
        assert hosts.all_live() == []
        with Presence(own, refuse):
            pass
    finally:
        child.communicate()
