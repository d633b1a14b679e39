"""Nothing of a plugin outlives its host by a second: no child, no daemon, nothing with an emptied environment."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import FAULTY

GO = Path(__file__).parents[3] / "plugins/echo-llm-go"

# Begins all that a plugin can leave behind, and becomes the plugin. Each waits for ever on a file of this host's, and
# on no pipe, at whose end it would end by itself.
CLAN = """#!/bin/sh
file="$HECTOR_PLUGIN_DATA_DIR/clan"
: > "$file"
wait_for_ever() { exec "$@" tail -f "$file" > /dev/null 2>&1; }
wait_for_ever &
(wait_for_ever & wait_for_ever) &
(wait_for_ever setsid &)
(wait_for_ever env -i setsid &)
exec "$@"
"""

# Forks a host for each line that it reads, and tells its number at the moment of which the test counts: before it
# starts its first plugin, or, for "warm", before it starts others; or, for "ready", once they take calls.
HOSTS = """
import asyncio, os, sys
from pathlib import Path
from hector_host import config
from hector_host.manager import Manager

async def host(moment):
    async with Manager(config.load(Path("hector.yaml"))) as manager:
        if moment == "warm":
            manager.start(["first"])
            while not Path(".hector/plugins/first/clan").exists():
                await asyncio.sleep(0.001)
        if moment != "ready":
            print(os.getpid(), flush=True)
        manager.start(["go", "python"])
        if moment == "ready":
            await asyncio.gather(manager.ready("go"), manager.ready("python"))
            print(os.getpid(), flush=True)
        await asyncio.Event().wait()

config.load(Path("hector.yaml"))
for line in sys.stdin:
    if os.fork() == 0:
        asyncio.run(host(line.strip()))
    os.wait()
    print("dead", flush=True)
"""


def left(folder, host):
    """Who names the folder, or is the warden of that host: command lines by their numbers."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            data = f"HECTOR_PLUGIN_DATA_DIR={folder}".encode() in (entry / "environ").read_bytes()
        except OSError:
            continue
        if data or f"{folder}/.hector/" in command or f"hector-warden of {host} " in command:
            found[int(entry.name)] = command
    return found


@pytest.fixture
def clan(host):
    """The command of a plugin with a clan around it."""
    program = host.folder / "clan.sh"
    program.write_text(CLAN)
    program.chmod(0o755)

    def command(*words):
        return {"command": [str(program), *map(str, words)]}

    return command


@pytest.fixture(scope="session")
def go_plugin():
    subprocess.run(["go", "build", "-C", str(GO), "."], check=True)
    return GO / "echo-llm-go"


@pytest.fixture
def hosts(host, clan, go_plugin):
    host.write(
        first=clan("tail", "-f", "/dev/null"), go=clan(go_plugin), python=clan(sys.executable, FAULTY / "raw.py")
    )
    with subprocess.Popen(
        [sys.executable, "-c", HOSTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        yield process
        process.stdin.close()
    for pid in left(host.folder, 0):  # so that one failure stays one
        os.kill(pid, signal.SIGKILL)
    assert process.returncode == 0


def kill(host, hosts, moment, milliseconds):
    """Its number, once it is dead."""
    hosts.stdin.write(f"{moment}\n")
    pid = int(hosts.stdout.readline())
    time.sleep(milliseconds / 1000)
    if moment == "ready":
        wardens = [command for command in left(host.folder, pid).values() if "hector-warden of" in command]
        assert len(wardens) in {1, 2}, "a warden, and what it has forked for the next plugin"
        assert len(left(host.folder, 0)) == 2 * 6, "per plugin itself and its clan"
    os.kill(pid, signal.SIGKILL)
    assert hosts.stdout.readline() == "dead\n"
    return pid


def assert_nothing_is_left(host, pid):
    killed = time.monotonic()
    sockets = Path(os.environ["XDG_RUNTIME_DIR"])
    while (remains := [*left(host.folder, pid).values(), *sockets.iterdir()]) and time.monotonic() < killed + 1:
        time.sleep(0.002)
    assert remains == []


@pytest.mark.parametrize("moment", ["cold", "warm"])
def test_a_host_that_is_killed_while_it_starts_plugins(host, hosts, moment):
    for milliseconds in [*range(26), 40, 60, 100]:
        pid = kill(host, hosts, moment, milliseconds)
        assert_nothing_is_left(host, pid)


def test_a_host_that_is_killed_when_its_plugins_run(host, hosts):
    for milliseconds in (0, 50):
        pid = kill(host, hosts, "ready", milliseconds)
        assert_nothing_is_left(host, pid)


async def test_hosts_that_come_and_go_leave_nothing(host, clan, go_plugin):
    before = None
    for _ in range(25):
        async with host.manager(x=clan(go_plugin)) as manager:
            await manager.ready("x")
        await asyncio.sleep(0)
        now = [len(list(Path("/proc/self", kind).iterdir())) for kind in ("fd", "task")]
        before = before or now
    assert max(now[0] - before[0], now[1] - before[1]) <= 0  # what other tests leave to be closed may go meanwhile
    assert left(host.folder, os.getpid()) == {}
