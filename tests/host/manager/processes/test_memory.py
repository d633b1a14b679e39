"""Out-of-memory kills, as the kernel counts them."""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from hector_host.manager.processes import memory
from hector_host.manager.processes.memory import OomCounter

EVENTS = "low 0\nhigh 3\nmax 9\noom 4\noom_kill {}\noom_group_kill 1\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"
VMSTAT = "nr_free_pages 5\noom_kill {}\nthp_migration_success 8\n"


class System:
    """A /proc and the control groups that it tells of."""

    def __init__(self, folder):
        self.proc = folder / "proc"
        self.groups = folder / "groups"
        (self.proc / "self").mkdir(parents=True)
        self.vmstat(5)

    def vmstat(self, count):
        (self.proc / "vmstat").write_text(VMSTAT.format(count))

    def process(self, *groups, pid="self"):
        (self.proc / pid).mkdir(exist_ok=True)
        (self.proc / pid / "cgroup").write_text("".join(f"{group}\n" for group in groups))

    def mounts(self, *mounts):
        lines = [
            f"{number} 1 0:{number} {root} {self.groups / name} rw,nosuid shared:9 - {kind} none {options}\n"
            for number, (root, name, kind, options) in enumerate(mounts)
        ]
        (self.proc / "self" / "mountinfo").write_text("".join(lines))

    def group(self, path, text):
        file = self.groups / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def counter(self, pid=None):
        return OomCounter(pid, self.proc)


@pytest.fixture
def system(tmp_path):
    return System(tmp_path)


V2 = ("/", "unified", "cgroup2", "rw,nsdelegate")
V1 = ("/", "memory", "cgroup", "rw,memory")


def test_the_group_of_version_2_counts(system):
    system.process("0::/user/host")
    system.mounts(("/", "elsewhere", "tmpfs", "rw"), V2)
    system.group("unified/user/host/memory.events", EVENTS.format(2))
    counter = system.counter()
    snapshot = counter.read()
    assert snapshot == 2
    assert not counter.rose_since(snapshot)
    system.group("unified/user/host/memory.events", EVENTS.format(3))
    assert counter.rose_since(snapshot)


def test_the_group_of_version_1_counts_where_version_2_has_no_memory(system):
    system.process("8:pids:/", "4:cpu,memory:/a:b", "0::/")
    system.mounts(V2, ("/", "cpu", "cgroup", "rw,cpu"), ("/", "memory", "cgroup", "rw,cpu,memory"))
    system.group("memory/a:b/memory.oom_control", CONTROL.format(7))
    assert system.counter().read() == 7


@pytest.mark.parametrize(
    ("group", "seen"), [("/docker/1/below", "memory/below"), ("/docker/1", "memory"), ("/", "memory")]
)
def test_a_container_sees_its_own_groups_alone(system, group, seen):
    system.process(f"4:memory:{group}")
    system.mounts(("/docker/1", "memory", "cgroup", "rw,memory"))
    system.group(f"{seen}/memory.oom_control", CONTROL.format(7))
    assert system.counter().read() == 7


def test_the_group_of_another_process(system):
    system.process("0::/host")
    system.process("0::/plugin", pid="42")
    system.mounts(V2)
    system.group("unified/host/memory.events", EVENTS.format(1))
    system.group("unified/plugin/memory.events", EVENTS.format(2))
    assert system.counter(42).read() == 2


@pytest.mark.parametrize(
    "control", [None, "oom_kill_disable 0\nunder_oom 0\n", "oom_kill many\n"], ids=["none", "old", "garbage"]
)
def test_without_a_group_that_counts_the_machine_does(system, control):
    system.process("4:memory:/x")
    system.mounts(V1)
    if control is not None:
        system.group("memory/x/memory.oom_control", control)
    counter = system.counter()
    system.vmstat(6)
    assert counter.read() == 6
    assert counter.rose_since(5)


def test_where_nobody_counts_nothing_rises(tmp_path):
    counter = OomCounter(proc=tmp_path / "none")
    assert counter.read() == 0
    assert not counter.rose_since(0)


def test_a_group_that_is_gone_has_not_risen(system):
    system.process("0::/plugin")
    system.mounts(V2)
    system.group("unified/plugin/memory.events", EVENTS.format(2))
    counter = system.counter()
    (system.groups / "unified/plugin/memory.events").unlink()
    assert not counter.rose_since(2)


def test_where_there_is_no_proc_nobody_is_asked(system, monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert system.counter().read() == 0


@pytest.fixture
def small():
    """A control group of 64 MiB, where this user may make one."""
    own = next((file for file in memory._group_files("self", memory.PROC) if memory._count(file) is not None), None)
    if own is None:
        pytest.skip("no control group here counts out-of-memory kills")
    try:
        group = Path(tempfile.mkdtemp(prefix="hector-test-", dir=own.parent))
    except OSError as error:
        pytest.skip(f"this user may make no control group in {own.parent}: {error.strerror}")
    try:
        limit = group / ("memory.max" if own.name == "memory.events" else "memory.limit_in_bytes")
        try:
            limit.write_text(str(64 << 20))
            for swap in ("memory.swap.max", "memory.memsw.limit_in_bytes"):
                with suppress(OSError):
                    (group / swap).write_text("0" if swap == "memory.swap.max" else str(64 << 20))
        except OSError as error:
            pytest.skip(f"control groups in {own.parent} have no limit of memory: {error.strerror}")
        yield group
    finally:
        group.rmdir()


def test_a_real_kill_is_counted_and_another_sigkill_is_not(small):
    code = (
        "import sys; sys.stdin.readline(); sys.stdout.write('x'); sys.stdout.flush(); b'x' * int(sys.stdin.readline())"
    )

    def run(size):
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            try:
                (small / "cgroup.procs").write_text(str(process.pid))
            except OSError as error:
                process.kill()
                pytest.skip(f"this process may not be moved into {small}: {error.strerror}")
            counter = OomCounter(process.pid)
            snapshot = counter.read()
            process.stdin.write(b"\n")
            process.stdin.flush()
            process.stdout.read(1)
            if size:
                process.stdin.write(f"{size}\n".encode())
                process.stdin.flush()
            else:
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return process.returncode, counter.rose_since(snapshot)

    assert run(256 << 20) == (-signal.SIGKILL, True)
    assert run(0) == (-signal.SIGKILL, False)
