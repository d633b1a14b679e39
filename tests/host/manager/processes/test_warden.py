"""The warden and the processes that it starts: what they inherit, how they fail, who can end them, and what is left."""

import asyncio
import errno
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import leftovers
import psutil
import pytest

from hector_host.errors import StartError
from hector_host.manager.failure import Failure
from hector_host.manager.launch.environment import MARKER
from hector_host.manager.processes import custody, family
from hector_host.manager.processes.custody import Warden
from hector_host.manager.processes.process import Process
from hector_host.manager.processes.runtime_folder import LOCK

FAULTY = Path(__file__).parents[3] / "faulty"
FOREVER = ("/bin/sh", "-c", "echo ready; exec sleep 1000")


@pytest.fixture
async def warden(host):
    """One whose host is this process."""
    with family.subreaper():
        warden = Warden()
        warden.start()
        yield warden
        warden.close()


@pytest.fixture
async def spawn(warden):
    """Starts processes, with what they have said so far, and ends them."""
    started = []

    def start(*command, keep=(), **variables):
        instance = secrets.token_hex(8)
        process = Process(warden, command, {MARKER: instance, **variables}, Path("/"), instance, keep)
        started.append(process)
        said = bytearray()
        process.read(lambda chunk: said.extend(chunk) or True, lambda chunk: said.extend(chunk) or True)
        return process, said

    yield start
    for process in started:
        await process.end()


def entries(folder):
    return sorted(path.name for path in Path(folder).iterdir())


# What becomes of a process.


async def test_a_process_runs_and_ends(spawn):
    process, said = spawn("/bin/sh", "-c", 'echo "$WORD"; pwd; exit 7', WORD="ö\n=")
    assert process.pid == 0
    assert await process.spawned == process.pid > 0
    end = await process.exited
    assert (end.code, end.reason, str(end)) == (7, "exit:7", "exit code 7")
    process.drain()
    assert said.decode() == "ö\n=\n/\n"
    assert psutil.pid_exists(process.pid), "nobody else gets its number"
    await process.end()
    assert not psutil.pid_exists(process.pid)


async def test_a_process_is_terminated_with_its_group(spawn, until):
    process, said = spawn("/bin/sh", "-c", "sleep 1000 & echo $!; wait")
    await until(lambda: said.endswith(b"\n"))
    process.terminate()
    assert (await process.exited).reason == "signal:15"
    await until(lambda: not psutil.pid_exists(int(said)))


async def test_a_process_is_asked_to_end_once_each_time(spawn, until):
    code = (
        "import os, signal\n"
        "signal.signal(signal.SIGTERM, lambda *_: os.write(1, b'asked '))\n"
        "os.write(1, b'ready ')\n"
        "while True: signal.pause()\n"
    )
    process, said = spawn(sys.executable, "-S", "-c", code)
    for sentence in (b"ready ", b"ready asked ", b"ready asked asked "):
        await until(lambda sentence=sentence: said == sentence)
        process.terminate()


async def test_a_process_that_is_to_end_before_it_is_spawned(spawn):
    process, _ = spawn("/bin/sh", "-c", "trap '' TERM; sleep 1000")
    process.terminate()
    assert (await process.exited).code < 0


async def test_a_process_that_is_no_more_wanted_before_it_is_spawned(spawn, warden):
    process, _ = spawn(*FOREVER)
    process.end_now()
    assert process.poll().reason == "signal:9"
    assert not psutil.pid_exists(process.pid)


async def test_who_gives_up_waiting_for_a_process_does_not_disturb_it(spawn, until):
    process, _ = spawn(*FOREVER)
    process.spawned.cancel()
    await until(lambda: process.pid)
    await process.end()
    assert not psutil.pid_exists(process.pid)


async def test_whoever_sees_a_connection_break_finds_the_process_dead(spawn):
    for _ in range(20):
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                process, _ = spawn(*FOREVER, keep=(theirs.fileno(),))
            await process.spawned
            assert process.poll() is None
            os.kill(process.pid, signal.SIGKILL)
            assert ours.recv(1) == b""
            assert process.poll().reason == "signal:9"


async def test_children_with_an_empty_environment_die_with_the_process(spawn, until):
    process, said = spawn("/bin/sh", "-c", "env -i setsid sleep 1000 & echo $!; wait")
    await until(lambda: said.endswith(b"\n"))
    await until(lambda: psutil.Process(int(said)).name() == "sleep")
    assert psutil.Process(int(said)).environ() == {}
    await process.end()
    assert not psutil.pid_exists(int(said))


async def test_what_has_left_everything_ends_with_the_warden(spawn, warden, until):
    process, said = spawn("/bin/sh", "-c", "(env -i setsid sh -c 'echo $$; exec sleep 1000' &); exit")
    await until(lambda: said.endswith(b"\n"))
    await process.end()
    assert psutil.Process(int(said)).ppid() == warden.pid
    warden.close()
    assert not psutil.pid_exists(int(said))


async def test_orphans_are_reaped(spawn, warden, until):
    _, said = spawn("/bin/sh", "-c", "(setsid sh -c 'echo $$' &); exec sleep 1000")
    await until(lambda: said.endswith(b"\n"))
    await until(lambda: not psutil.pid_exists(int(said)))


async def test_two_hundred_starts_leave_nothing(host, spawn, warden, until):
    first, _ = spawn(*FOREVER)
    await first.spawned
    before = [entries(f"/proc/self/{kind}") for kind in ("fd", "task")]
    held = entries(f"/proc/{warden.pid}/fd")
    for number in range(200):
        process, said = spawn(*FOREVER)
        if number % 4:
            await until(lambda said=said: said)
        if number % 2:
            process.terminate()
            await process.exited
        if number % 3:
            await process.end()
        else:
            process.end_now()
    # What earlier tests left to the garbage collector may go meanwhile; nothing may come.
    assert [
        set(entries(f"/proc/self/{kind}")) - set(was) for kind, was in zip(("fd", "task"), before, strict=True)
    ] == [
        set(),
        set(),
    ]
    assert entries(f"/proc/{warden.pid}/fd") == held
    assert [child.pid for child in psutil.Process(warden.pid).children()] == [first.pid]
    assert leftovers.zombies() == []


# What it inherits.


async def test_a_process_has_no_descriptors_but_its_own(spawn, tmp_path):
    with (tmp_path / "secret").open("w") as secret, (tmp_path / "lock").open("w") as lock:
        os.set_inheritable(secret.fileno(), True)
        process, said = spawn(
            "/bin/sh", "-c", "for each in /proc/$$/fd/*; do readlink $each; done", keep=(lock.fileno(),)
        )
        await process.exited
    process.drain()
    links = sorted(link.split(":")[0] for link in said.decode().splitlines() if not link.startswith("/proc/"))
    assert links == sorted(["/dev/null", "pipe", "pipe", str(tmp_path / "lock")])


async def test_a_process_leads_a_session_and_handles_signals_as_the_system_does(host, monkeypatch):
    """Even where whoever started the host ignores or blocks some: here, a child of this process."""
    code = (
        "import asyncio, os, signal\n"
        "from pathlib import Path\n"
        "from hector_host.manager.processes.custody import Warden\n"
        "from hector_host.manager.processes.process import Process\n"
        "for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
        "async def main():\n"
        "    warden = Warden()\n"
        "    process = Process(warden, ['/bin/sleep', '1000'], {}, Path('/'), 'x')\n"
        "    pid = await process.spawned\n"
        "    status = Path(f'/proc/{pid}/status').read_text()\n"
        "    print([line for line in status.splitlines() if line.startswith(('SigIgn', 'SigBlk', 'SigCgt'))])\n"
        "    print(os.getsid(pid) == os.getpgid(pid) == pid)\n"
        "    process.end_now()\n"
        "    print(process.poll())\n"
        "    warden.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    zero = "0" * 16
    assert done.stdout.splitlines() == [
        str([f"SigBlk:\t{zero}", f"SigIgn:\t{zero}", f"SigCgt:\t{zero}"]),
        "True",
        "signal 9",
    ], done.stderr


async def test_the_warden_keeps_nothing_of_its_host(spawn, warden, tmp_path):
    process, _ = spawn(*FOREVER)
    await process.spawned
    links = sorted(str(fd.readlink()).split(":")[0] for fd in Path(f"/proc/{warden.pid}/fd").iterdir())
    lock = f"{next(Path(os.environ['XDG_RUNTIME_DIR']).iterdir())}/{LOCK}"
    assert links == ["/dev/null"] * 3 + [lock, "anon_inode", "pipe", "pipe", "socket"]
    system = psutil.Process(warden.pid)
    assert (system.environ(), system.cwd(), os.getsid(warden.pid)) == ({}, "/", warden.pid)
    assert " ".join(system.cmdline()[6:9]) == f"hector-warden of {os.getpid()}"


# How it fails.


@pytest.mark.parametrize(
    ("command", "number"),
    [
        (["/nonexistent/program"], errno.ENOENT),
        (["nothing-of-that-name"], errno.ENOENT),
        (["/etc/passwd"], errno.EACCES),
        ([str(FAULTY.parent / "terminal.py")], errno.EACCES),
        (["/bin/true", "x" * (200 << 10)], errno.E2BIG),
        (["/bin/true", *["x" * (100 << 10)] * 70], errno.E2BIG),
        (["/bin/true", *["x" * (100 << 10)] * 100], errno.E2BIG),
        (["/bin/true", "\0"], errno.EINVAL),
        (["/bin/true", "\ud800"], errno.EILSEQ),
    ],
)
async def test_a_command_that_the_system_does_not_run(host, spawn, warden, command, number):
    before = leftovers.descriptors(host.folder)
    process, _ = spawn(*command)
    with pytest.raises(OSError, match=r".") as caught:
        await process.spawned
    assert (caught.value.errno, caught.value.strerror is not None) == (number, True)
    await asyncio.sleep(0)
    assert leftovers.descriptors(host.folder) == before
    assert (process.poll(), process.pid) == (None, 0)
    with pytest.raises(OSError, match=r"."):
        await process.exited


async def test_a_program_for_no_machine(spawn, tmp_path):
    program = tmp_path / "program"
    program.write_text("no magic number")
    program.chmod(0o755)
    process, _ = spawn(str(program))
    with pytest.raises(OSError, match="Exec format error"):
        await process.spawned


async def test_a_large_environment_arrives(spawn):
    variables = {f"V{number}": "x" * 100_000 for number in range(18)}
    process, said = spawn("/bin/sh", "-c", "exit ${#V17}", **variables)
    assert process.pid == 0, "asking waits for nothing"
    assert (await process.exited).code == 100_000 % 256
    assert not said


async def test_a_folder_that_is_gone(warden, tmp_path):
    process = Process(warden, ["/bin/true"], {}, tmp_path / "gone", "x")
    with pytest.raises(FileNotFoundError):
        await process.spawned


async def test_a_host_without_descriptors(host, spawn, warden, monkeypatch):
    before = leftovers.descriptors(host.folder)
    calls = []

    def pipe():
        if len(calls) % 2:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        calls.append(1)
        return os_pipe()

    os_pipe = os.pipe
    monkeypatch.setattr(os, "pipe", pipe)
    process, _ = spawn(*FOREVER)
    with pytest.raises(OSError, match="Too many open files"):
        await process.spawned
    monkeypatch.undo()
    assert leftovers.descriptors(host.folder) == before


async def test_a_system_without_room_for_a_process(host, monkeypatch):
    """The processes of root have no limit that a test could lower: the warden is told that there is one."""
    full = "import os, errno; os.fork = lambda: (_ for _ in ()).throw(OSError(errno.EAGAIN, '')); "
    monkeypatch.setattr(custody, "_BOOT", full + custody._BOOT)
    async with host.manager(x=host.faulty("raw")) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
    assert str(caught.value) == (
        f"llm_provider/x: {sys.executable} could not be started: Resource temporarily unavailable\n"
        "  The system is short of processes, memory or open files: free some, or raise its limits."
    )
    assert "backoff: resources" in host.states


async def test_a_warden_that_cannot_be_started(host, spawn, warden, monkeypatch):
    warden.close()
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    process, _ = spawn(*FOREVER)
    with pytest.raises(FileNotFoundError):
        await process.spawned


# Who can end it.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
async def test_the_warden_follows_nobody_but_its_host(spawn, warden, number):
    process, _ = spawn(*FOREVER)
    await process.spawned
    os.kill(warden.pid, number)
    other, _ = spawn(*FOREVER)
    assert await other.spawned
    assert process.poll() is None


async def test_a_warden_that_is_killed_takes_its_processes_with_it(spawn, warden, until):
    process, said = spawn("/bin/sh", "-c", "setsid sleep 1000 & echo $!; wait")
    await until(lambda: said.endswith(b"\n"))
    os.kill(warden.pid, signal.SIGKILL)
    end = await process.exited
    assert (end.code, end.reason) == (None, "warden")
    assert str(end) == "the process that watches over it was killed"
    await process.end()
    assert not psutil.pid_exists(process.pid)
    assert not psutil.pid_exists(int(said))
    again, _ = spawn(*FOREVER)
    assert await again.spawned


async def test_a_warden_that_is_killed_before_it_answers(spawn, warden):
    process, _ = spawn(*FOREVER)
    os.kill(warden.pid, signal.SIGKILL)
    with pytest.raises(Failure, match=r"^could not be started: the process that watches over it was killed$"):
        await process.spawned
    await process.end()


async def test_plugins_are_started_again_under_a_new_warden(host, until):
    async with host.manager(x=host.faulty("raw")) as manager:
        plugin = await manager.ready("x")
        (warden,) = [child for child in psutil.Process().children() if "hector-warden" in child.cmdline()]
        warden.kill()
        await until(lambda: "backoff: warden" in host.states)
        assert str(plugin.failure) == (
            f"llm_provider/x: its process ended (the process that watches over it was killed)\n"
            f"  Its log: {host.log('x')}"
        )
        again = await manager.ready("x", patience=10)
        assert again.pid != plugin.pid
        assert not psutil.pid_exists(plugin.pid)


async def test_a_host_whose_child_holds_on_to_its_sockets(host, until):
    """A host that forks without running another program leaves its child the end of every line."""
    code = (
        "import asyncio, os, signal\n"
        "from pathlib import Path\n"
        "from hector_host.manager.processes.custody import Warden\n"
        "from hector_host.manager.processes.process import Process\n"
        "async def main():\n"
        "    warden = Warden()\n"
        "    process = Process(warden, ['/bin/sleep', '1000'], {}, Path('/'), 'x')\n"
        "    pid = await process.spawned\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        signal.pause()\n"
        "    print(pid, warden.pid, child, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    with family.subreaper(), subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        pid, warden, child = map(int, process.stdout.readline().split())
        process.wait()
        await until(lambda: os.waitpid(warden, os.WNOHANG) == (warden, 0), 1)
        assert not psutil.pid_exists(pid)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_plugin_outlives_the_thread_that_started_it(host):
    loop = asyncio.new_event_loop()
    manager = host.manager(x=host.faulty("raw"))
    plugins = []

    def begin():
        loop.run_until_complete(manager.__aenter__())
        plugins.append(loop.run_until_complete(manager.ready("x")))

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    loop.run_until_complete(asyncio.sleep(0.1))
    assert plugins[0].failure is None
    loop.run_until_complete(manager.__aexit__(None, None, None))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    assert not psutil.pid_exists(plugins[0].pid)
