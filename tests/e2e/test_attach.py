"""`hector plugin attach` and `detach`: calls of a live host go to a process run by hand, and back; none is lost."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import far
import grpc
import pytest
from commandline import until

from hector.host.v1.hector_pb2 import AttachPluginRequest

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


def test_a_reload_introduces_the_process_anew(hector, teller, by_hand):
    with serving(hector) as host, by_hand() as (process, address):
        hector.answer("plugin", "attach", "t", "--address", address)
        said = hector.answer("plugin", "reload", "t")
        assert re.fullmatch(rf"t: introduced anew in \d+\.\d s to the process at {address}\n", said)
        assert told(host)["pid"] == process.pid


def test_a_reload_that_fails_leaves_it_attached(hector, teller, by_hand):
    with serving(hector):
        with by_hand() as (_, address):
            hector.answer("plugin", "attach", "t", "--address", address)
        until(lambda: status(hector)["state"] == "backoff")
        said = hector.refusal("plugin", "reload", "t", code=3)
    assert said == (
        f"hector: llm_provider/t: nobody listens at {address}\n"
        "  Start llm_provider t there, or name another address.\n"
        f"  t stays attached to {address}.\n"
    )


def test_without_a_host_there_is_nothing_to_route(hector, teller):
    start = "  Start one: hector serve\n"
    assert hector.refusal("plugin", "attach", "t", "--address", "127.0.0.1:1", code=1) == (
        f"hector: hector.yaml: no live host runs it, so there are no calls to route\n{start}"
    )
    assert hector.refusal("plugin", "detach", "t", code=1) == (
        f"hector: hector.yaml: no live host runs it, so nothing is attached\n{start}"
    )
    hector.environ["COLUMNS"] = "200"
    said = hector.refusal("plugin", "attach", "t", "--address", "8081", code=2)
    assert (
        "Invalid value for '--address': '8081' is not an address. Write host:port, dns:///host:port or unix:PATH."
        in said
    )


def test_what_cannot_take_its_place_is_told_and_nothing_has_changed(hector, teller):
    nobody = f"127.0.0.1:{far.free_port()}"
    with serving(hector) as host:
        pid = told(host)["pid"]
        assert hector.refusal("plugin", "attach", "t", "--address", nobody, code=3) == (
            f"hector: llm_provider/t: nobody listens at {nobody}\n"
            "  Start llm_provider t there, or name another address.\n"
            f"  t is not attached; its process: {pid}.\n"
        )
        assert hector.refusal("plugin", "detach", "t", code=3) == (
            "hector: llm_provider/t: is not attached\n"
            "  Its calls go where the configuration says.\n"
            f"  t is not attached; its process: {pid}.\n"
        )
        assert hector.refusal("plugin", "attach", "s", "--address", nobody, code=4) == (
            "hector: s: no plugin is named so\n  There are: t.\n"
        )
        for address in ("8081", "unix:socket"):
            with pytest.raises(grpc.RpcError) as caught:
                host.stub.AttachPlugin(AttachPluginRequest(plugin="t", address=address))
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert told(host)["pid"] == pid


def test_a_breakpoint_an_end_and_a_new_start_under_a_changing_file(hector, teller, by_hand):
    socket = f"unix:{hector.folder}/s"
    with serving(hector, "--watch") as host:
        with by_hand(address=socket) as (process, _):
            hector.answer("plugin", "attach", "t", "--address", "unix:s")
            os.kill(process.pid, signal.SIGSTOP)  # as a breakpoint does
            call = host.begin("who")
            assert "attached to" in hector.answer("plugin", "list")
            os.kill(process.pid, signal.SIGCONT)
            assert json.loads(list(call)[-1].run_finished.answer) == {
                "pid": process.pid,
                "mark": "ours",
                "data": str(hector.folder / ".hector/plugins/t"),
            }
        until(lambda: status(hector)["state"] == "backoff")
        lines = hector.answer("plugin", "list").splitlines()
        assert re.match(rf"  attached to {socket[:50]}", lines[2])
        teller("newest")
        host.read_error_until(f"plugin t: stays attached to {socket}: its changes count once it is not")
        with by_hand(address=socket) as (process, _):
            again = told(host)
            assert (again["pid"], again["mark"]) == (process.pid, "ours")
            assert (status(hector)["attached"], status(hector)["source"]) == (socket, "path")
            hector.answer("plugin", "detach", "t")
            assert told(host)["mark"] == "newest"
            assert status(hector)["attached"] == ""
