"""What real families of processes use."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from hector_host.manager.launch.environment import MARKER
from hector_host.manager.processes import resources
from hector_host.manager.processes.resources import measure, measure_all

READY = "import os, sys, threading, time\n{}\nprint(os.getpid(), flush=True)\nsys.stdin.read()\n"
IDLE = READY.format("")


@pytest.fixture
def spawn():
    started = []

    def start(code, instance="", **options):
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={MARKER: instance} if instance else {},
            start_new_session=True,
            **options,
        )
        started.append(process)
        return process, int(process.stdout.readline())

    yield start
    for process in started:
        process.communicate()


def test_one_process(spawn):
    process, _ = spawn(READY.format("held = b'x' * (64 << 20)"))
    used = measure(process.pid)
    assert 64 << 20 < used.memory < 128 << 20
    assert (used.processes, used.threads, used.files) == (1, 1, 3)
    assert 0 <= used.cpu < 5


def test_processor_time_is_counted_with_that_of_ended_children(spawn):
    burn = "while time.process_time() < 0.3: pass"
    process, _ = spawn(READY.format(f"if os.fork():\n    os.wait()\nelse:\n    {burn}\n    os._exit(0)\n{burn}"))
    assert 0.5 < measure(process.pid).cpu < 2  # the kernel rounds both down


def test_threads_and_files_are_counted(spawn):
    process, _ = spawn(
        READY.format(
            "threads = [threading.Thread(target=time.sleep, args=(600,), daemon=True) for _ in range(4)]\n"
            "for each in threads: each.start()\n"
            "held = [os.open('/dev/null', os.O_RDONLY) for _ in range(10)]"
        )
    )
    used = measure(process.pid)
    assert (used.threads, used.files) == (5, 13)


def test_children_in_sessions_of_their_own_belong_by_descent(spawn):
    process, _ = spawn(READY.format("if not os.fork():\n    os.setsid()\n    sys.stdin.read()\n    os._exit(0)"))
    assert measure(process.pid).processes == 2


ORPHANED = """
if os.fork():
    os.wait()
elif os.fork():
    os._exit(0)
else:
    {}
"""


def test_orphans_of_the_session_belong(spawn):
    process, _ = spawn(READY.format(ORPHANED.format("sys.stdin.read(); os._exit(0)")))
    assert measure(process.pid).processes == 2


def processes(*leaders):
    return {pid: used.processes for pid, used in measure_all(leaders).items()}


def test_daemons_that_were_adopted_belong_by_their_marker(spawn):
    from hector_host.manager.processes.family import reap_orphans, subreaper

    fork = ORPHANED.format("os.setsid(); os.fork(); sys.stdin.read(); os._exit(0)")
    with subreaper():
        others = {child.pid for child in psutil.Process().children()}
        one, _ = spawn(READY.format(fork), "one")
        two, _ = spawn(IDLE, "two")
        stranger, _ = spawn(IDLE, "three")
        wanted, deadline = {one.pid: 3, two.pid: 1}, time.monotonic() + 20
        while (found := processes(one.pid, two.pid)) != wanted and time.monotonic() < deadline:
            time.sleep(0.01)  # the daemon forks once more after its parents are done
        assert found == wanted
        others |= {one.pid, two.pid, stranger.pid}
        orphans = [child for child in psutil.Process().children() if child.pid not in others]
        one.communicate()
        for orphan in orphans:
            os.waitpid(orphan.pid, 0)
        reap_orphans()


def test_many_are_measured_in_one_pass(spawn, monkeypatch):
    started = [spawn(IDLE)[0].pid for _ in range(3)]
    listed = []
    real = os.listdir
    monkeypatch.setattr(resources.os, "listdir", lambda path: listed.append(path) or real(path))
    assert set(measure_all(started)) == set(started)
    assert listed.count("/proc") == 1


def test_a_process_that_is_gone_or_a_zombie_uses_nothing(spawn):
    living, _ = spawn(IDLE)
    ended, _ = spawn(IDLE)
    ended.send_signal(signal.SIGTERM)
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert measure(ended.pid) is None
    assert measure(2**22 + 1) is None
    assert set(measure_all((living.pid, ended.pid, 2**22 + 1))) == {living.pid}
    assert measure_all(()) == {}


def test_what_outlives_its_leader_is_measured(spawn):
    process, _ = spawn(
        "import os, sys\nif os.fork():\n    os._exit(0)\nprint(os.getpid(), flush=True)\nsys.stdin.read()\n"
    )
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert measure(process.pid).processes == 1


def test_elsewhere_psutil_tells(spawn, monkeypatch):
    process, _ = spawn(READY.format("if not os.fork():\n    sys.stdin.read()\n    os._exit(0)"))
    here = measure(process.pid)
    monkeypatch.setattr(resources.sys, "platform", "darwin")
    there = measure(process.pid)
    assert here.memory / 2 < there.memory < here.memory * 2  # they still begin
    assert (there.processes, there.threads, there.files) == (here.processes, here.threads, here.files)
    assert measure(2**22 + 1) is None
    assert set(measure_all((process.pid, 2**22 + 1))) == {process.pid}
