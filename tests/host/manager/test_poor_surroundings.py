"""What a host meets when others made its surroundings."""

import stat
import subprocess
import sys

from .conftest import FAULTY

RUN = """
import asyncio, sys
from hector_host import config
from hector_host.manager import Manager

async def main():
    async with Manager(config.load()) as manager:
        plugin = await manager.ready("x")
        print(plugin.failure)

asyncio.run(main())
"""


def test_a_host_whose_parent_ignores_the_end_of_children(host):
    host.write(x=host.faulty("raw", listen="unix"))
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", ignoring, sys.executable, "-c", RUN]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "None\n", "")


async def test_conversations_logs_and_data_are_private(host):
    async with host.manager(x={"path": str(FAULTY / "raw.py")}) as manager:
        await manager.ready("x")
        assert stat.S_IMODE((host.folder / ".hector").stat().st_mode) == 0o700
