"""Which processes belong to a start, and who is reaped."""

import os
import subprocess
import sys

import psutil
import pytest

from hector_host.manager.launch.environment import MARKER
from hector_host.manager.processes import family

ORPHAN = """
import os, sys
if os.fork():
    os.wait()
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
print(os.getpid(), flush=True)
if sys.argv[1] == "stay":
    sys.stdin.read()
"""


@pytest.fixture
def spawn():
    started = []

    def start(code, *arguments, instance="", **options):
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={MARKER: instance} if instance else {},
            **options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.communicate()


def test_a_daemon_belongs_by_its_marker(spawn):
    with family.subreaper():
        leader = spawn(ORPHAN, "stay", instance="one", start_new_session=True)
        daemon = int(leader.stdout.readline())
        assert daemon in family.members(leader.pid, "one")
        assert daemon not in family.members(leader.pid, "other")
        hit = {daemon}
        while family.strike(leader.pid, "one"):
            pass
        while hit:
            hit = family.bury(hit, 0)
    assert not psutil.pid_exists(daemon)


def test_a_process_without_the_marker_belongs_by_its_session(spawn):
    leader = spawn("import os; os.fork(); print(os.getpid(), flush=True); input()", start_new_session=True)
    pids = {int(leader.stdout.readline()), int(leader.stdout.readline())}
    assert set(family.members(leader.pid, "none")) == pids


def test_strangers_do_not_belong(spawn):
    stranger = spawn("input()", instance="two", start_new_session=True)
    assert stranger.pid not in family.members(2**22 + 1, "one")


def test_orphans_are_reaped_and_children_of_somebody_else_are_not(spawn, until_zombie):
    with family.subreaper():
        ours = [spawn("raise SystemExit(7)"), spawn("raise SystemExit(7)", start_new_session=True)]
        spawner = spawn(ORPHAN, "end")
        orphan = int(spawner.stdout.readline())
        for pid in (orphan, *(child.pid for child in ours)):
            until_zombie(pid)
        family.reap_orphans()
    assert not psutil.pid_exists(orphan)
    assert [child.wait() for child in ours] == [7, 7]


def test_the_process_adopts_orphans_for_as_long_as_anybody_wants_it():
    first, second = family.subreaper(), family.subreaper()
    states = [family._is_subreaper()]
    for change in (first.__enter__, second.__enter__):
        change()
        states.append(family._is_subreaper())
    for leave in (first.__exit__, second.__exit__):
        leave(None, None, None)
        states.append(family._is_subreaper())
    assert states == [False, True, True, True, False]


def test_a_process_that_adopts_orphans_anyway_goes_on():
    family._be_subreaper(wanted=True)
    try:
        with family.subreaper():
            pass
        assert family._is_subreaper()
    finally:
        family._be_subreaper(wanted=False)


@pytest.fixture
def until_zombie():
    def wait(pid):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    return wait


def test_a_living_process_is_not_dying(spawn):
    process = spawn("input()")
    assert not family.dying(process.pid)
    process.communicate()
    assert not family.dying(2**22 + 1)


def test_a_process_whose_first_thread_has_ended_still_lives(spawn):
    code = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "print(flush=True)\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    leader = spawn(code, start_new_session=True)
    leader.stdout.readline()
    while psutil.Process(leader.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert family.members(leader.pid, "none").keys() == {leader.pid}
    while family.strike(leader.pid, "none"):
        pass
    assert leader.wait() == -9
