"""Each fault does to a process what it says, and to no other process."""

import os
import random
import signal
import subprocess
import sys
import threading

import psutil
import pytest
from commandline import until

from chaos import faults
from chaos.faults import GoneError, inflict

LISTENER = """
import os, socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.path.join(os.environ["HECTOR_PLUGIN_DATA_DIR"], "socket"))
listener.listen()
sys.stderr.write("ready")
sys.stderr.flush()
time.sleep(60)
"""


@pytest.fixture
def plugin(tmp_path):
    """A process that has a data directory and a socket, and whose output is read by nobody yet."""
    environ = os.environ | {"HECTOR_PLUGIN_DATA_DIR": str(tmp_path)}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", LISTENER], env=environ, stdout=pipe, stderr=pipe) as process:
        assert process.stderr.read(5) == b"ready"
        try:
            yield process
        finally:
            process.kill()


def strike(kind, plugin, folder):
    inflict(kind, plugin.pid, folder, random.Random(1))


def read(stream):
    """Everything that is poured, from now until a process and whoever writes for it close the pipe."""
    pieces = []
    reader = threading.Thread(target=lambda: pieces.append(stream.read()))
    reader.start()
    return pieces, reader


def test_kill(plugin, tmp_path):
    strike("kill", plugin, tmp_path)
    assert plugin.wait(10) == -signal.SIGKILL


def test_stop(plugin, tmp_path):
    strike("stop", plugin, tmp_path)
    until(lambda: psutil.Process(plugin.pid).status() == psutil.STATUS_STOPPED)


def test_socket(plugin, tmp_path):
    assert (tmp_path / "socket").is_socket()
    strike("socket", plugin, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert plugin.poll() is None


@pytest.mark.parametrize(("kind", "output", "least"), [("garbage", "stdout", 30), ("flood", "stderr", 1 << 20)])
def test_output(plugin, tmp_path, kind, output, least):
    pieces, reader = read(getattr(plugin, output))
    strike(kind, plugin, tmp_path)
    assert plugin.poll() is None
    plugin.kill()
    reader.join()
    assert len(pieces[0]) > least


def test_output_that_nobody_reads(plugin, tmp_path, monkeypatch):
    monkeypatch.setattr(faults, "POUR_LIMIT", 0.1)
    with pytest.raises(TimeoutError, match=f"^nobody reads output 2 of process {plugin.pid}: [0-9]+ bytes are left$"):
        strike("flood", plugin, tmp_path)


@pytest.mark.parametrize("kind", faults.FAULTS)
def test_another_process_is_left_alone(plugin, tmp_path, kind):
    with pytest.raises(GoneError):
        strike(kind, plugin, tmp_path / "other")
    assert psutil.Process(plugin.pid).status() != psutil.STATUS_STOPPED
    assert (plugin.poll(), (tmp_path / "socket").exists()) == (None, True)


@pytest.mark.parametrize("kind", faults.FAULTS)
def test_a_process_that_has_ended(plugin, tmp_path, kind):
    plugin.kill()
    plugin.wait()
    with pytest.raises(GoneError):
        strike(kind, plugin, tmp_path)
