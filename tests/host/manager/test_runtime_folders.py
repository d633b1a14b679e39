"""A host's private folder: for this user alone, gone with the host, and swept once nobody holds its lock."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from hector_host.manager.processes import runtime_folder
from hector_host.manager.processes.runtime_folder import LOCK, RuntimeFolder

# A host that is killed together with its warden, and leaves a child of its plugin behind.
KILLED = """
import asyncio, os, signal
from pathlib import Path
from hector_host.manager.processes.custody import Warden
from hector_host.manager.launch.environment import MARKER
from hector_host.manager.processes.process import Process

async def main():
    warden = Warden()
    folder = warden.new_folder()
    script = "import os, signal; os.fork(); print(os.getpid(), flush=True); signal.pause()"
    process = Process(warden, ["{python}", "-S", "-c", script], {{MARKER: f"{{folder}}/x"}}, Path("/"), "x")
    heard = []
    process.read(lambda chunk: heard.extend(chunk.split()) or True, lambda chunk: True)
    while len(heard) < 2:
        await asyncio.sleep(0.01)
    print(folder, process.pid, *({{int(pid) for pid in heard}} - {{process.pid}}), flush=True)
    os.kill(warden.pid, signal.SIGSTOP)
    os.kill(warden.pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.fixture
def parent(host):
    return Path(os.environ["XDG_RUNTIME_DIR"])


@pytest.fixture
def dead(parent):
    """The folder of a host that is gone, with the socket of a plugin and a link to somewhere else."""
    folder = RuntimeFolder.make()
    (folder.new() / "plugin1").touch()
    (folder.path / "link").symlink_to(parent)
    os.close(folder.lock)
    return folder.path


def names(parent):
    return sorted(path.name for path in parent.iterdir())


def test_it_is_for_this_user_alone(parent):
    folder = RuntimeFolder.make()
    for path in (folder.path, folder.new(), folder.new()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.path.iterdir()) == [LOCK, "1", "2"]
    assert folder.path.parent == parent
    folder.remove()
    folder.remove()
    assert names(parent) == []


def test_a_socket_in_it_has_a_short_path(parent):
    folder = RuntimeFolder.make()
    longest = f"{parent}/hector-12345678/12345"
    assert len(str(folder.new())) <= len(longest)
    folder.remove()


async def test_a_host_makes_one_and_takes_it_away(host, parent):
    async with host.manager(x=host.faulty("raw"), y=host.faulty("raw")) as manager:
        await manager.ready("x")
        await manager.ready("y")
        (folder,) = parent.iterdir()
        assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) == [
            LOCK,
            "1",
            "1/plugin1",
            "2",
            "2/plugin1",
        ]
    assert names(parent) == []


def test_the_folder_of_a_dead_host_is_swept(parent, dead):
    folder = RuntimeFolder.make()
    assert names(parent) == [folder.path.name]
    folder.remove()
    assert parent.exists()


def test_the_folder_of_a_living_host_stays(parent):
    living, other = RuntimeFolder.make(), RuntimeFolder.make()
    assert names(parent) == sorted([living.path.name, other.path.name])
    for folder in (living, other):
        assert folder.path.exists()
        folder.remove()


def test_what_only_has_such_a_name_stays(parent, dead, tmp_path):
    (parent / "hector-aaaaaaaa").mkdir()
    (parent / "hector-aaaaaaaa" / "letter").touch()
    (parent / "hector-bbbbbbbb").touch()
    elsewhere = dead.rename(tmp_path / "elsewhere")
    (parent / "hector-cccccccc").symlink_to(elsewhere)
    (parent / "hector-dddddddd").mkdir()
    (parent / "hector-dddddddd" / LOCK).symlink_to(elsewhere / LOCK)
    (parent / "hector-eeeeeeee").mkdir()
    (parent / "hector-eeeeeeee" / ".lock").touch()  # as uv leaves one in an environment
    before = names(parent)
    RuntimeFolder.make().remove()
    assert names(parent) == before
    assert (elsewhere / "1" / "plugin1").exists()
    for path in sorted(parent.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_the_folder_of_another_user_stays(parent, dead, monkeypatch):
    user = os.getuid()
    monkeypatch.setattr(runtime_folder.os, "getuid", lambda: user + 1)
    runtime_folder.sweep(parent)
    assert (dead / LOCK).exists()
    monkeypatch.undo()
    runtime_folder.sweep(parent)
    assert not dead.exists()


def test_hosts_that_start_at_once_sweep_side_by_side(parent, host):
    for number in range(20):
        path = parent / f"hector-dead{number:04}"
        (path / "1").mkdir(parents=True)
        (path / LOCK).touch()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: RuntimeFolder.make(), range(40)))
    assert names(parent) == sorted(folder.path.name for folder in made)
    for folder in made:
        assert (folder.path / LOCK).exists()
        folder.remove()


def test_a_folder_that_is_swept_before_it_is_locked_is_made_again(parent, monkeypatch):
    swept = []
    lock = fcntl.flock

    def late(descriptor, operation):
        if not swept:
            swept.extend(parent.iterdir())
            runtime_folder.sweep(parent)
        lock(descriptor, operation)

    monkeypatch.setattr(runtime_folder.fcntl, "flock", late)
    folder = RuntimeFolder.make()
    assert not swept[0].exists()
    assert names(parent) == [folder.path.name]
    folder.remove()


def test_a_sweeper_does_not_take_the_folder_that_was_made_anew_under_a_name(parent, dead):
    holder = os.open(dead / LOCK, os.O_RDWR)
    (dead / LOCK).unlink()
    again = os.open(dead / LOCK, os.O_RDWR | os.O_CREAT)
    fcntl.flock(again, fcntl.LOCK_EX)
    runtime_folder.sweep(parent)
    assert (dead / "1").exists()
    os.close(again)
    os.close(holder)
    runtime_folder.sweep(parent)
    assert names(parent) == []


def test_a_place_without_room_leaves_nothing(parent, monkeypatch):
    def full(path, *_, **__):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(runtime_folder.os, "open", full)
    with pytest.raises(OSError, match="No space left on device"):
        RuntimeFolder.make()
    monkeypatch.undo()
    assert names(parent) == []


async def test_what_a_host_and_its_warden_leave_that_die_at_once_ends_with_the_next_host(parent, until):
    script = KILLED.format(python=sys.executable)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    folder, leader, child = done.stdout.split()
    assert Path(folder).exists()
    await until(lambda: ended(int(leader)))
    assert not ended(int(child))
    RuntimeFolder.make().remove()
    await until(lambda: ended(int(child)))
    assert names(parent) == []


def ended(pid):
    """It may stay a zombie where the first process of the machine reaps nobody."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
