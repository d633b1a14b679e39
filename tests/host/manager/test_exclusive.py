"""A plugin that owns its directory: one process of it at a time, over all hosts."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from hector_host.errors import StartError
from hector_host.manager.launch.lock import DirectoryLock

from .conftest import FAULTY


@pytest.fixture
def owner(host):
    folder = host.folder / "owner"
    folder.mkdir()
    program = FAULTY / "raw.py"
    (folder / "plugin.yaml").write_text(
        f"plugin: {{name: owner, version: '1', kinds: [llm_provider], command: [python, {program}], exclusive: true}}\n"
    )

    def plugin(timeout="20s"):
        return {"path": str(folder), "config": {}, "start_timeout": timeout}

    return plugin


async def test_the_second_host_waits_for_the_first(host, owner, until):
    async with host.manager(x=owner()) as first:
        await first.ready("x")
        async with host.manager(x=owner()) as second:
            second.start(["x"])
            waiting = asyncio.create_task(second.ready("x"))
            await first.__aexit__(None, None, None)
            plugin = await waiting
            assert plugin.pid


async def test_the_second_host_gives_up_and_names_the_holder(host, owner):
    async with host.manager(x=owner()) as first:
        await first.ready("x")
        async with host.manager(x=owner("300ms")) as second:
            with pytest.raises(StartError) as caught:
                await second.ready("x")
    assert str(caught.value) == (
        f"llm_provider/x: its directory {host.data('x')} is in use by process {os.getpid()}\n"
        "  One process at a time may use it: end that one, or give this configuration another storage.path."
    )
    assert "backoff: lock" in host.states


async def test_the_directory_of_a_killed_host_is_free_within_a_second(host, owner):
    host.write(x=owner())
    code = (
        "import asyncio, os, signal\n"
        "from hector_host import config\n"
        "from hector_host.manager import Manager\n"
        "async def main():\n"
        "    async with Manager(config.load()) as manager:\n"
        "        await manager.ready('x')\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    lock = DirectoryLock(host.data("x"))
    await lock.wait(1)
    lock.release()


async def test_a_directory_that_cannot_be_locked_is_named(host, owner):
    (host.data("x") / ".lock").mkdir(parents=True)
    async with host.manager(x=owner()) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
    assert str(caught.value) == (
        f"llm_provider/x: its directory {host.data('x')} cannot be locked: Is a directory\n"
        "  Mend the directory, or give this configuration another storage.path, on a file system that has locks."
    )
