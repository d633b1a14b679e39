"""The lock on a directory lives as long as any process that holds it."""

import asyncio
import os
import subprocess
import sys

import pytest

from hector_host.manager.failure import Failure
from hector_host.manager.launch.lock import DirectoryLock


@pytest.fixture
def holder(tmp_path):
    """A lock whose host is gone and whose plugin lives on."""
    lock = DirectoryLock(tmp_path / "data")
    assert lock.take()
    plugin = subprocess.Popen(
        [sys.executable, "-S", "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        pass_fds=(lock.descriptor,),
    )
    host = subprocess.Popen([sys.executable, "-S", "-c", ""])
    host.wait()
    lock.sign(host.pid, plugin.pid)
    lock.release()
    yield plugin
    if not plugin.stdin.closed:
        plugin.stdin.close()
    plugin.wait()


async def test_a_plugin_that_outlived_its_host_still_holds_it(tmp_path, holder):
    lock = DirectoryLock(tmp_path / "data")
    with pytest.raises(Failure) as caught:
        await lock.wait(0.1)
    lock.release()
    assert caught.value.what == f"its directory {tmp_path}/data is in use by process {holder.pid}"


async def test_it_is_free_when_the_last_holder_ends(tmp_path, holder):
    lock = DirectoryLock(tmp_path / "data")
    waiting = asyncio.create_task(lock.wait(10))
    await asyncio.sleep(0)
    assert not waiting.done()
    holder.stdin.close()
    await waiting
    assert (tmp_path / "data" / ".lock").read_text() == str(os.getpid())
    lock.release()
