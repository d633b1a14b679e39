"""`hector plugin attach` and `detach`: calls of a live host go to a process run by hand, and back; none is lost."""

import json
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from commandline import until

from .conftest import PLUGINS
from .serving import serving

CALLERS = 16


@pytest.fixture
def teller(hector):
    """Writes a configuration with the plugin `teller`, whose program is in the test's own folder."""

    def write(mark="ours", agent="a", **more):
        if not (hector.folder / "teller.py").exists():
            shutil.copy(PLUGINS / "teller.py", hector.folder)
        hector.write(
            {
                "plugins": {"llm_providers": {"t": {"path": "./teller.py", "config": {"mark": mark}, **more}}},
                "llms": {"m": {"type": "plugin:t"}},
                "agents": {agent: {"llm": "m"}},
            }
        )

    write()
    return write


@pytest.fixture
def by_hand(hector):
    """Starts a program with --listen; gives the process, and where it listens."""

    @contextmanager
    def start(*arguments, program="teller.py", address="127.0.0.1:0"):
        command = [sys.executable, program, "--listen", address, *arguments]
        process = subprocess.Popen(command, cwd=hector.folder, stdout=subprocess.PIPE, text=True)
        try:
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    return start


def told(host, message="who"):
    return json.loads(host.answer(message))


def status(hector, name="t"):
    return next(each for each in hector("plugin", "list", "--json").json if each["plugin"] == name)


class Callers:
    """Callers that ask who answers, one question after another, until it is left. Keeps answers and failures."""

    def __init__(self, host):
        self.pids = []
        self.failed = []
        self._host = host
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]

    def _call(self):
        while not self._over.is_set():
            try:
                self.pids.append(told(self._host)["pid"])
            except Exception as error:  # noqa: BLE001 (whatever it is, the test tells)
                self.failed.append(error)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def until_answered_by(self, pid):
        """Until each of them has been answered by that process, and nobody by another any more."""
        start = len(self.pids)
        until(lambda: self.failed or self.pids[start:][-3 * CALLERS :].count(pid) == 3 * CALLERS)


def test_calls_go_to_the_process_and_back_and_none_is_lost(hector, teller, by_hand):
    with serving(hector) as host, by_hand() as (process, address):
        own = told(host)["pid"]
        with Callers(host) as callers:
            callers.until_answered_by(own)
            said = hector.answer("plugin", "attach", "t", "--address", address)
            callers.until_answered_by(process.pid)
            back = hector.answer("plugin", "detach", "t")
            new = int(back.split()[-1])
            callers.until_answered_by(new)
        assert callers.failed == []
        assert set(callers.pids) == {own, process.pid, new}
        data = hector.folder / ".hector/plugins/t"
        assert re.fullmatch(
            rf"t: attached to {address} in \d\.\d s; its own process was {own}\n"
            rf"  Its data directory: {data}\n"
            r"  Back: hector plugin detach t\n",
            said,
        )
        assert re.fullmatch(rf"t: detached from {address} in \d\.\d s, process {new}\n", back)
        assert new != own
        assert process.poll() is None
