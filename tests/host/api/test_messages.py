"""The host's values as messages of its API: every field that is known, and nothing made up."""

from pathlib import Path

from hector.host.v1 import supervision_pb2 as wire
from hector_host.api.plugins import crash_dossier, plugin_change, plugin_status
from hector_host.config import Kind
from hector_host.manager.dossier import CallInFlight, Dossier
from hector_host.manager.processes.resources import Resources
from hector_host.manager.states import State, StateChange
from hector_host.manager.status import PluginStatus, ReplicaStatus


def replica(number, **more):
    facts = {
        "state": State.READY,
        "reason": "healthy",
        "since": 100.5,
        "pid": 10 + number,
        "address": "",
        "in_flight": 1,
        "restarts": 2,
        "next_attempt": None,
    }
    return ReplicaStatus(number=number, **(facts | more))


def status(*replicas, **more):
    facts = {
        "kind": Kind.LLM,
        "state": State.DEGRADED,
        "reason": "exit:1",
        "since": 99.25,
        "version": "1.2",
        "source": "path",
        "in_flight": 3,
        "queued": 4,
        "calls": 50,
        "failures": 6,
        "restarts": 7,
        "next_attempt": 200.0,
        "attached": "h:2",
        "data": Path("/data"),
        "exclusive": True,
    }
    return PluginStatus(name="x", replicas=replicas, **(facts | more))


def test_a_plugin_has_all_that_is_known_of_it():
    down = replica(2, state=State.BACKOFF, reason="exit:1", pid=0, address="h:1", next_attempt=200.0)
    used = {11: Resources(memory=1000, cpu=1.5, processes=2, threads=3, files=4)}
    told = plugin_status(status(replica(1), down), used)
    resources = wire.PluginResources(memory=1000, cpu_seconds=1.5, processes=2, threads=3, files=4)
    assert (told.name, told.kind, told.state, told.reason) == (
        "x",
        "llm_provider",
        wire.PLUGIN_STATE_DEGRADED,
        "exit:1",
    )
    assert (told.version, told.source, told.in_flight, told.queued) == ("1.2", "path", 3, 4)
    assert (told.calls, told.failures, told.restarts, told.resources) == (50, 6, 7, resources)
    assert (told.since.ToMilliseconds(), told.next_attempt.ToMilliseconds()) == (99_250, 200_000)
    first, second = told.replicas
    assert (first.number, first.pid, first.in_flight, first.restarts, first.resources) == (1, 11, 1, 2, resources)
    assert not first.HasField("next_attempt")
    assert (second.state, second.reason, second.pid, second.address) == (
        wire.PLUGIN_STATE_BACKOFF,
        "exit:1",
        0,
        "h:1",
    )
    assert second.next_attempt.ToMilliseconds() == 200_000
    assert not second.HasField("resources")


def test_what_replicas_use_is_added_up():
    used = {
        11: Resources(memory=1, cpu=2.0, processes=3, threads=4, files=5),
        12: Resources(memory=10, cpu=20.0, processes=30, threads=40, files=50),
    }
    told = plugin_status(status(replica(1), replica(2)), used)
    assert told.resources == wire.PluginResources(memory=11, cpu_seconds=22.0, processes=33, threads=44, files=55)


def test_what_is_not_known_of_a_plugin_is_absent():
    unknown = status(kind=None, state=State.DISCOVERED, reason="", since=0.0, version="", next_attempt=None)
    told = plugin_status(unknown, {})
    assert told.kind == ""
    assert not any(told.HasField(name) for name in ("since", "next_attempt", "resources"))
    assert len(told.replicas) == 0


def test_every_state_of_the_manager_has_a_name_in_the_api():
    told = [plugin_status(status(state=state), {}).state for state in State]
    assert [wire.PluginState.Name(value) for value in told] == [f"PLUGIN_STATE_{state.name}" for state in State]
    assert len(wire.PluginState.values()) == len(State) + 1


def test_a_change_says_from_where_to_where_and_when():
    told = plugin_change(StateChange("x", State.READY, State.BACKOFF, "signal:9", 3), 100.5)
    assert (told.plugin, told.replica, told.reason, told.time.ToMilliseconds()) == ("x", 3, "signal:9", 100_500)
    assert (told.old_state, told.new_state) == (wire.PLUGIN_STATE_READY, wire.PLUGIN_STATE_BACKOFF)


def test_a_dossier_arrives_whole():
    told = crash_dossier(
        Dossier(
            plugin="x",
            reason="signal:9",
            died=200.5,
            started=100.0,
            replica=2,
            pid=7,
            version="1.2",
            words="killed",
            signal=9,
            out_of_memory=True,
            restarts=3,
            deaths=4,
            log=("one", "two"),
            log_dropped=5,
            calls=(CallInFlight("StreamText", "run1", "a", 1.5),),
            command="./x",
            host_pid=8,
            host_version="0.1.0",
        )
    )
    assert (told.plugin, told.reason, told.detail, told.replica, told.pid) == ("x", "signal:9", "killed", 2, 7)
    assert (told.time.ToMilliseconds(), told.started.ToMilliseconds()) == (200_500, 100_000)
    assert (told.signal, told.out_of_memory, told.HasField("exit_code")) == (9, True, False)
    assert (told.version, told.restarts, told.deaths, list(told.log), told.log_dropped) == (
        "1.2",
        3,
        4,
        ["one", "two"],
        5,
    )
    assert list(told.calls) == [wire.CallInFlight(rpc="StreamText", run_id="run1", agent="a", seconds=1.5)]
    assert (told.command, told.host_pid, told.host_version) == ("./x", 8, "0.1.0")


def test_of_a_plugin_that_exited_there_is_a_code_and_no_signal():
    told = crash_dossier(Dossier(plugin="x", reason="exit:0", died=1.0, exit_code=0))
    assert (told.HasField("exit_code"), told.exit_code, told.signal, told.HasField("started")) == (True, 0, 0, False)
