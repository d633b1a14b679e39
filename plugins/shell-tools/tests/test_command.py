import asyncio
import os
import sys

import pytest

from hector_sdk import Failure
from hector_shell_tools.command import End, environment, execute
from hector_shell_tools.options import Limits


def test_the_environment_is_clean():
    given = {
        "PATH": "/usr/bin:.::/bin",
        "HOME": "/h",
        "API_KEY": "secret",
        "HECTOR_PLUGIN_CONFIG": "{}",
        "HECTOR_PLUGIN_INSTANCE": "i",
    }
    assert environment(given) == {
        "PATH": "/usr/bin:/bin",
        "HOME": "/h",
        "TERM": "dumb",
        "HECTOR_PLUGIN_INSTANCE": "i",
    }


@pytest.fixture
def run(tmp_path):
    async def run(*words, **limits):
        directory = os.open(tmp_path, os.O_RDONLY)
        try:
            return await execute(words, directory, environment(os.environ), Limits(**limits))
        finally:
            os.close(directory)

    return run


@pytest.fixture
def python(run):
    async def python(program, **limits):
        return await run(sys.executable, "-c", program, **limits)

    return python


async def test_a_command_runs_in_the_directory(run, tmp_path):
    ended = await run("pwd")
    assert (ended.end, ended.exit_code, ended.output) == (End.EXIT, 0, f"{tmp_path}\n".encode())


async def test_exit_codes_come_through(python):
    assert (await python("raise SystemExit(3)")).exit_code == 3
    assert (await python("import os; os.kill(os.getpid(), 9)")).exit_code == 137


async def test_both_streams_are_read_in_order(python):
    program = "import os; os.write(1, b'1'); os.write(2, b'2'); os.write(1, b'3')"
    assert (await python(program)).output == b"123"


async def test_a_command_has_no_input_and_ordinary_signals(python, run):
    program = "import sys; print(repr(sys.stdin.read()))"
    assert (await python(program)).output == b"''\n"
    ended = await run("cat", "/proc/self/status")
    status = dict(line.split(":\t", 1) for line in ended.output.decode().splitlines() if ":\t" in line)
    ignored, blocked = int(status["SigIgn"], 16), int(status["SigBlk"], 16)
    assert not [number for number in range(1, 32) if (ignored | blocked) & 1 << number - 1]


async def test_a_command_holds_nothing_of_the_plugin(python):
    ended = await python("import os; print(sorted(os.listdir('/proc/self/fd')), sorted(os.environ))")
    names = sorted({*environment(os.environ), "LC_CTYPE"} if "LANG" not in os.environ else environment(os.environ))
    descriptors, variables = ended.output.decode().strip().split("] ")
    assert descriptors == "['0', '1', '2', '3'"  # 3 is the listing itself
    assert variables == str(names)


async def test_a_program_that_is_missing_or_cannot_run(run, tmp_path):
    with pytest.raises(Failure, match=r"^`no-such-program` is allowed, but there is no such program here$"):
        await run("no-such-program")
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELFnot really")
    broken.chmod(0o755)
    ended = await run(str(broken))
    assert (ended.exit_code, ended.output) == (126, f"{broken}: Exec format error\n".encode())


async def test_time_ends_it_and_all_below_it(python, tmp_path, alive):
    program = f"""if True:
        import subprocess, time
        child = subprocess.Popen(["sleep", "1000"])
        open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
        print("begun", flush=True)
        time.sleep(1000)"""
    ended = await python(program, seconds=1.0)
    assert (ended.end, ended.output) == (End.TIMEOUT, b"begun\n")
    assert not alive((tmp_path / "pid").read_text())


DAEMON = """if True:
    import os, sys
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for fd in (0, 1, 2):
                os.close(fd)
            open("pid.tmp", "w").write(str(os.getpid()))
            os.rename("pid.tmp", "pid")
            os.execvp("sleep", ["sleep", "1000"])
        os._exit(0)
    while not os.path.exists("pid"):
        pass
    print("left one behind")
"""


async def test_a_daemon_does_not_outlive_its_command(python, tmp_path, alive):
    ended = await python(DAEMON)
    assert (ended.end, ended.exit_code, ended.output) == (End.EXIT, 0, b"left one behind\n")
    assert not alive((tmp_path / "pid").read_text())


async def test_many_that_start_many_are_all_ended(python, tmp_path, alive, until):
    program = """if True:
        import os, time
        for level in range(5):
            if os.fork() == 0:
                os.setsid()
        with open("pids", "a") as file:
            file.write(f"{os.getpid()}\\n")
        time.sleep(1000)"""

    def written():
        return (tmp_path / "pids").read_text().split() if (tmp_path / "pids").exists() else []

    call = asyncio.create_task(python(program))
    await until(lambda: len(written()) == 32)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert [pid for pid in written() if alive(pid)] == []


async def test_too_much_output_ends_it(python):
    ended = await python("while True: print('x' * 1023)", output=50_000)
    assert (ended.end, len(ended.output)) == (End.OUTPUT, 50_000)


async def test_fifty_megabytes_are_read_where_they_are_allowed(python):
    ended = await python("import sys; sys.stdout.write('x' * 50_000_000)", output=50_000_000)
    assert (ended.end, ended.exit_code, len(ended.output)) == (End.EXIT, 0, 50_000_000)


async def test_cancelling_ends_it(python, tmp_path, alive, until):
    program = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(1000)"

    def pid():
        return (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else ""

    call = asyncio.create_task(python(program))
    await until(pid)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not alive(pid())


async def test_cancelling_at_any_moment_of_the_start_leaves_nothing(python, tmp_path, alive):
    program = f"import os, time; open({str(tmp_path)!r} + '/' + str(os.getpid()), 'w'); time.sleep(1000)"
    for turns in range(12):
        call = asyncio.create_task(python(program))
        for _ in range(turns):
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert [path for path in tmp_path.iterdir() if alive(path.name)] == []


async def test_a_plugin_that_is_killed_takes_its_commands_along(tmp_path, alive, until):
    """The lifeline of a command is a pipe that only the plugin holds."""
    program = f"""if True:
        import asyncio, os
        from hector_shell_tools.command import environment, execute
        from hector_shell_tools.options import Limits
        directory = os.open({str(tmp_path)!r}, os.O_RDONLY)
        words = ["sh", "-c", "echo $$ > pid.tmp; mv pid.tmp pid; exec sleep 1000"]
        asyncio.run(execute(words, directory, environment(os.environ), Limits()))
    """
    plugin = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    await until((tmp_path / "pid").exists)
    plugin.kill()
    await plugin.wait()
    pid = (tmp_path / "pid").read_text().strip()
    await until(lambda: not alive(pid))
