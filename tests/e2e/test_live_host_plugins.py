"""`hector plugin`: how plugins are, what changes, why one crashed, and its replacement while the host runs."""

import os
import re
import signal

import pytest
from commandline import until
from live import serving

from .conftest import PLUGINS, echo, gated, open_gate

TITLES = ["plugin", "kind", "state", "for", "pid", "restarts", "calls", "open", "memory", "cpu"]


def plugin(hector, name="echo"):
    """What the host tells of a plugin."""
    return next(each for each in hector("plugin", "list", "--json").json if each["plugin"] == name)


def ready(hector, name="echo"):
    return until(lambda: (told := plugin(hector, name))["state"] == "ready" and told)


def test_without_a_host_nothing_runs(hector):
    hector.write(echo())
    assert hector.answer("plugin", "list") == "plugin  kind  state\necho    llm   not running\n"
    assert hector("plugin", "list", "--json").json == [
        {
            "plugin": "echo",
            "kind": "llm_provider",
            "state": "discovered",
            "reason": "",
            "since": None,
            "next_attempt": None,
            "version": "",
            "source": "package",
            "attached": "",
            "pids": [],
            "restarts": 0,
            "calls": 0,
            "failures": 0,
            "in_flight": 0,
            "queued": 0,
            "resources": None,
            "replicas": [],
        }
    ]
    start = "  Start one: hector serve\n"
    assert hector.refusal("plugin", "list", "--watch", code=1) == (
        f"hector: hector.yaml: no live host runs it, so nothing changes\n{start}"
    )
    assert hector.refusal("plugin", "reload", "echo", code=1) == (
        f"hector: hector.yaml: no live host runs it, so there is nothing to reload\n{start}"
    )


def test_a_file_without_plugins(hector):
    (hector.folder / "hector.yaml").write_text("version: '1'\n")
    assert hector.answer("plugin", "list") == "hector.yaml declares no plugins.\n"
    assert hector("plugin", "list", "--json").json == []


def test_the_table(hector):
    document = echo()
    document["plugins"]["llm_providers"]["spare"] = {"package": "hector-echo-llm"}
    hector.write(document)
    with serving(hector):
        pid = ready(hector)["pids"][0]
        hector("call", "a", "Hello")
        titles, line, spare = hector.answer("plugin", "list").splitlines()
    assert titles.split() == TITLES
    assert re.fullmatch(rf"echo +llm +ready +\d+s +{pid} +0 +\d +0 +\d+ MB +\d\.\ds", line)
    assert re.fullmatch(r"spare +llm +not running +- +0 +0 +0 +- +-", spare)


def test_changes_are_lines_on_a_pipe(hector):
    hector.write(echo())
    with serving(hector) as host:
        pid = ready(hector)["pids"][0]
        with hector.running("plugin", "list", "--watch") as watching:
            assert watching.read_until("\n") == "echo: ready\n"
            os.kill(pid, signal.SIGKILL)
            lines = watching.read_until("→ ready (healthy)\n").splitlines()
            host.stop()
            ended = watching.end()
    told = [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", "", line) for line in lines]
    assert told == [
        "echo: ready → backoff (signal:9)",
        "echo: backoff → starting (next attempt)",
        "echo: starting → ready (healthy)",
    ]
    assert ended.code == 0
    assert ended.err == "hector.yaml: its host has stopped\n"


def test_changes_are_records_for_programs(hector):
    hector.write(echo())
    with serving(hector):
        pid = ready(hector)["pids"][0]
        with hector.running("plugin", "list", "--watch", "--json") as watching:
            first = watching.read_until("\n")
            os.kill(pid, signal.SIGKILL)
            watching.read_until('"state": "ready"')
            watching.interrupt()
            ended = watching.end()
    assert f'"pids": [{pid}]' in first
    assert (ended.code, ended.err) == (130, "")


def test_a_terminal_shows_a_live_table(hector):
    hector.write(echo())
    with serving(hector):
        pid = ready(hector)["pids"][0]
        with hector.terminal("plugin", "list", "--watch") as terminal:
            terminal.read_until(f" {pid} ")
            os.kill(pid, signal.SIGKILL)
            new = until(lambda: plugin(hector)["restarts"] == 1 and ready(hector))["pids"][0]
            terminal.read_until(f" {new} ")
            terminal.type("\x03")
            code, rest = terminal.end()
    assert (code, "Traceback" in rest) == (130, False)


def test_why(hector):
    hector.write(gated())
    with serving(hector) as host:
        pid = ready(hector, "gated")["pids"][0]
        assert hector.answer("plugin", "why", "gated") == "gated has not crashed.\n"
        assert hector.answer("plugin", "why", "gated", "--json") == "null\n"
        with hector.running("call", "a", "Count") as command:
            command.read_until("one ")
            os.kill(pid, signal.SIGKILL)
            assert command.end().code == 3
        alive = hector.answer("plugin", "why", "gated")
        record = hector("plugin", "why", "gated", "--json").json
        host.stop()
    lines = alive.splitlines()
    assert re.fullmatch(r"gated crashed \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", lines[0])
    assert re.fullmatch(r"  reason +signal:9, SIGKILL", lines[1])
    assert re.match(r"  what +llm_provider/gated: ", lines[2])
    assert re.match(rf"  process +{pid}, ", lines[3])
    assert (record["plugin"], record["reason"], record["signal"], record["pid"]) == ("gated", "signal:9", 9, pid)
    # It outlives the host.
    assert hector.answer("plugin", "why", "gated") == alive
    assert hector("plugin", "why", "gated", "--json").json == record
    _, line, reason = hector.answer("plugin", "list").splitlines()
    assert line.split() == ["gated", "llm", "not", "running"]
    assert re.fullmatch(r"  crashed \d+s ago: signal:9", reason)


def test_reload(hector):
    hector.write(gated())
    with serving(hector):
        old = ready(hector, "gated")["pids"][0]
        with hector.running("call", "a", "Count") as command:
            command.read_until("one ")
            said = hector.answer("plugin", "reload", "gated")
            new = int(said.split()[-1])
            assert re.fullmatch(rf"gated: replaced in \d+\.\d s, process {old} → {new}\n", said)
            assert new != old
            # The old one finishes what it has.
            open_gate(hector)
            ended = command.end()
        assert (ended.code, ended.out) == (0, "two three\n")
        until(lambda: plugin(hector, "gated")["pids"] == [new])


def test_a_reload_that_fails_is_reported_and_the_old_one_goes_on(hector):
    document = gated()
    program = hector.folder / "model.py"
    program.write_text((PLUGINS / "gated.py").read_text())
    document["plugins"]["llm_providers"]["gated"]["path"] = "./model.py"
    hector.write(document)
    with serving(hector):
        pid = ready(hector, "gated")["pids"][0]
        program.write_text("raise SystemExit('no model here')\n")
        report = hector.refusal("plugin", "reload", "gated", code=3)
        assert plugin(hector, "gated")["pids"] == [pid]
        open_gate(hector)
        assert hector.answer("call", "a", "Count") == "one two three\n"
    assert report.startswith("hector: llm_provider/gated: ")
    assert "no model here" in report
    assert report.endswith(f"  gated is not replaced; its process: {pid}.\n")


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_a_narrow_terminal_shows_what_fits(hector, columns):
    document = echo()
    providers = document["plugins"]["llm_providers"]
    providers["a" * 60] = providers["echo"]
    hector.write(document)
    with serving(hector):
        ready(hector)
        hector.environ["COLUMNS"] = str(columns)
        with hector.terminal("plugin", "list") as terminal:
            code, screen = terminal.end()
    lines = screen.splitlines()
    assert code == 0
    assert all(len(line) <= columns for line in lines), screen
    assert lines[0].split()[:3] == TITLES[:3]
    assert any(re.match("a{9,}…", line) for line in lines)
