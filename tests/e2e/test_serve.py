"""`hector serve` from its start to its end: where it listens, who finds it, and what every signal does."""

import json
import os
import signal
import socket
import stat
from pathlib import Path

import grpc
import psutil
import pytest
from commandline import Hector, until
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from hector.host.v1.hector_pb2 import GetHostRequest, ListAgentsRequest, WatchPluginsRequest

from .conftest import FAULTY, echo, gated, open_gate
from .serving import Live, serving

SERVICE = "hector.host.v1.Hector"


@pytest.fixture
def host(hector):
    """A live host whose agent says what it hears."""
    hector.write(echo())
    with serving(hector) as live:
        yield live


@pytest.fixture
def shell(hector, monkeypatch):
    """A shell in which $HECTOR is the command."""
    hector.environ["HECTOR"] = str(hector.program)
    monkeypatch.setattr(hector, "program", Path("/bin/sh"))
    return hector


def stop(live: Live, number: int = signal.SIGTERM):
    live.command.send(number)
    return live.command.end()


def record_of(hector: Hector):
    return json.loads((hector.folder / ".hector/host.json").read_text())


def shared_records(hector: Hector):
    return list(hector.sockets.glob("hector-hosts/*.json"))


def test_it_says_where_it_listens_and_who_it_is(hector, host):
    told = host.stub.GetHost(GetHostRequest())
    assert told.pid == host.command.pid
    assert told.config_file == str(hector.folder / "hector.yaml")
    assert told.storage_path == str(hector.folder / ".hector")
    assert list(told.addresses) == [host.address]
    assert f"hector {told.version}\n" == hector.answer("version")
    assert told.start_time.ToDatetime().year > 2000


def test_it_lists_its_agents(hector):
    hector.write(echo(name="An Agent", description="Says it again."))
    with serving(hector) as live:
        (agent,) = live.stub.ListAgents(ListAgentsRequest()).agents
    assert (agent.id, agent.name, agent.description) == ("a", "An Agent", "Says it again.")
    assert (agent.llm, agent.engine, list(agent.tools), agent.all_tools) == ("m", "default", [], False)


def test_it_counts_its_agents(hector):
    document = echo()
    document["agents"]["b"] = {"llm": "m"}
    hector.write(document)
    with hector.running("serve", "--port", "0") as command:
        assert command.read_until("\n").startswith("Serving 2 agents on 127.0.0.1:")
        command.send(signal.SIGTERM)
        assert command.end().code == 0


def test_it_listens_where_the_file_says(hector):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    hector.write(echo() | {"server": {"host": "localhost", "port": port}})
    with serving(hector, port=None) as live:
        assert live.address == f"127.0.0.1:{port}"
        assert live.answer("Hello") == "Hello"


def test_it_is_described_by_reflection(host):
    with grpc.insecure_channel(host.address) as channel:
        services = list(ProtoReflectionDescriptorDatabase(channel).get_services())
    assert services == ["grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection", SERVICE]


@pytest.mark.parametrize("service", ["", SERVICE])
def test_it_is_healthy(host, service):
    answer = HealthStub(host.channel).Check(HealthCheckRequest(service=service))
    assert answer.status == HealthCheckResponse.SERVING


def test_it_is_on_record_while_it_lives(hector, host):
    record = record_of(hector)
    (shared,) = shared_records(hector)
    assert json.loads(shared.read_text()) == record
    assert record["address"] == host.address
    assert record["pid"] == host.command.pid
    stop(host)
    assert not (hector.folder / ".hector/host.json").exists()
    assert list(hector.sockets.iterdir()) == []


def test_plugins_do_not_inherit_what_keeps_the_record_alive(hector, host):
    process = psutil.Process(host.until_ready("echo").replicas[0].pid)
    held = [file.path for file in process.open_files()]
    assert [path for path in held if "host" in Path(path).name or "hector-hosts" in path] == []


def test_plugins_start_at_once_and_each_change_is_a_line(host):
    err = host.read_error_until("ready")
    words = [line.split(" ", 2)[2] for line in err.splitlines()]
    assert words[:2] == ["plugin echo: starting: needed", "plugin echo: ready: healthy"]


def test_a_plugin_that_cannot_start_is_no_error_of_the_host(hector):
    document = echo()
    document["plugins"]["llm_providers"]["gone"] = {"command": ["/bin/false"]}
    document["llms"]["g"] = {"type": "plugin:gone"}
    document["agents"]["g"] = {"llm": "g"}
    hector.write(document)
    with serving(hector) as live:
        assert live.answer("Hello") == "Hello"
        assert "plugin gone: backoff: exit:1" in live.read_error_until("plugin gone: backoff")
        assert stop(live).code == 0


def test_an_agent_whose_references_do_not_hold_is_told_and_the_others_are_served(hector):
    document = echo()
    document["agents"]["b"] = {"llm": "nothing"}
    hector.write(document)
    with serving(hector) as live:
        assert live.answer("Hello") == "Hello"
        assert 'agents.b.llm: no llm is named "nothing"' in live.read_error_until("nothing")


def test_verbose_shows_what_plugins_log(hector):
    document = echo()
    noisy = {"path": str(FAULTY / "noisy.py"), "config": {"after": [[2, "a line\n", 1]]}}
    document["plugins"]["llm_providers"]["echo"] = noisy
    hector.write(document)
    with serving(hector, "--verbose") as live:
        assert "[echo] a line\n" in live.read_error_until("[echo]")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_it_cleanly(host, number):
    host.until_ready("echo")
    plugin = host.plugin("echo").replicas[0].pid
    ended = stop(host, number)
    assert (ended.code, ended.out) == (0, "")
    words = [line.split(" ", 2)[2] for line in ended.err.splitlines()]
    assert words[-4:] == [
        "Stopping.",
        "plugin echo: draining: stopped by the host",
        "plugin echo: stopped: stopped by the host",
        "Stopped.",
    ]
    assert not psutil.pid_exists(plugin)


def test_signals_that_it_was_started_to_ignore_stay_ignored(hector, shell):
    hector.write(echo())
    with shell.running("-c", "trap '' HUP INT; exec $HECTOR serve --port 0") as command:
        address = command.read_until("\n").split()[-1]
        command.send(signal.SIGHUP)
        command.send(signal.SIGINT)
        with grpc.insecure_channel(address) as channel:
            assert Live(command, address, channel).answer("Hello") == "Hello"
        command.send(signal.SIGTERM)
        assert command.end().code == 0


def test_a_run_in_flight_is_finished_first(hector):
    hector.write(gated())
    with serving(hector) as live:
        call = live.begin("Hello")
        events = [next(call), next(call)]
        live.command.send(signal.SIGTERM)
        live.read_error_until("Stopping. 1 call in flight may take 30 s; another signal ends at once.\n")
        with pytest.raises(grpc.RpcError) as refused:
            live.call("Another")
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert refused.value.details() == "the host is stopping and takes no new calls"
        health = HealthStub(live.channel).Check(HealthCheckRequest(service=SERVICE))
        assert health.status == HealthCheckResponse.NOT_SERVING
        open_gate(hector)
        events += call
        assert events[-1].run_finished.answer == "one two three"
        assert live.command.end().code == 0
    assert hector("runs", "list", "--json").json[0]["status"] == "finished"


def test_a_run_that_does_not_end_within_the_budget_is_cancelled(hector):
    hector.write(gated())
    with serving(hector, "--grace", "0.2") as live:
        call = live.begin("Hello")
        run = next(call).run_id
        next(call)
        live.command.send(signal.SIGTERM)
        with pytest.raises(grpc.RpcError) as cut:
            list(call)
        assert cut.value.code() is grpc.StatusCode.UNAVAILABLE
        assert cut.value.details() == f"run {run}: cancelled: the host has stopped"
        ended = live.command.end()
        assert ended.code == 0
        assert "Stopping. 1 call in flight may take 0.2 s; another signal ends at once.\n" in ended.err
        assert "1 call cancelled.\n" in ended.err
    assert [run["status"] for run in hector("runs", "list", "--json").json] == ["cancelled"]


@pytest.mark.parametrize(("second", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_ends_at_once(hector, second, code):
    hector.write(gated())
    with serving(hector) as live:
        call = live.begin("Hello")
        next(call)
        next(call)
        plugin = live.plugin("gated").replicas[0].pid
        live.command.send(signal.SIGTERM)
        live.read_error_until("Stopping")
        live.command.send(second)
        ended = live.command.end()
        assert ended.code == code
        assert not psutil.pid_exists(plugin)
    assert [run["status"] for run in hector("runs", "list", "--json").json] == ["cancelled"]


def test_who_watches_does_not_keep_it_from_ending(host):
    watching = host.stub.WatchPlugins(WatchPluginsRequest())
    assert [plugin.name for plugin in next(watching).plugins] == ["echo"]
    host.command.send(signal.SIGTERM)
    list(watching)
    assert watching.code() is grpc.StatusCode.OK
    assert host.command.end().code == 0


def test_a_client_that_stays_connected_does_not_keep_it_from_ending(host):
    health = HealthStub(host.channel).Watch(HealthCheckRequest(service=SERVICE))
    assert next(health).status == HealthCheckResponse.SERVING
    assert stop(host).code == 0


def test_a_killed_host_is_dead_at_once_and_the_next_one_sweeps_it(hector):
    hector.write(echo())
    with serving(hector) as live:
        live.until_ready("echo")
        plugin = live.plugin("echo").replicas[0].pid
        live.command.send(signal.SIGKILL)
        live.command.end()
    (dead,) = shared_records(hector)
    assert record_of(hector)["pid"] == live.command.pid
    until(lambda: not psutil.pid_exists(plugin), 1)
    assert hector.answer("call", "a", "Hello") == "Hello\n"  # in its own process: nobody is asked in vain
    with serving(hector) as live:
        assert not dead.exists()
        assert record_of(hector)["pid"] == live.command.pid
        assert live.answer("Hello") == "Hello"
        stop(live)
    assert list(hector.sockets.glob("hector-hosts*")) == []


def test_a_second_host_of_one_storage_folder_is_refused(hector, host):
    assert hector.refusal("serve", "--port", "0", code=1) == (
        f"hector: {hector.folder}/.hector: the host at {host.address} "
        f"(process {host.command.pid}, {hector.folder}/hector.yaml) has this storage folder\n"
        "  Use or end that host, or give this configuration another storage.path.\n"
    )
    assert host.answer("Hello") == "Hello"


def test_a_port_in_use_is_refused_before_any_plugin_starts(hector, host):
    hector.write(echo() | {"storage": {"path": "other"}}, "other.yaml")
    port = host.address.rpartition(":")[2]
    assert hector.refusal("serve", "--port", port, "--config", "other.yaml", code=1) == (
        f"hector: 127.0.0.1:{port}: port {port} is in use by the host of {hector.folder}/hector.yaml "
        f"(process {host.command.pid})\n"
        "  Choose another: --port 0 takes any that is free.\n"
    )
    assert not (hector.folder / "other/host.json").exists()
    assert not (hector.folder / "other/logs").exists()


def test_an_address_that_others_can_reach_is_refused(hector):
    hector.write(echo() | {"server": {"host": "0.0.0.0"}})  # noqa: S104 - refused
    place = 'hector.yaml:14: server.host: "0.0.0.0"'
    why = (
        "may be reached from other machines, and there is no access control yet\n"
        "  Listen on 127.0.0.1, localhost or ::1, or on a unix socket: unix:PATH.\n"
    )
    assert hector.refusal("serve", code=2) == f"hector: {place} {why}"
    assert hector.refusal("serve", "--host", "example.com", code=2) == f'hector: --host: "example.com" {why}'


def test_a_unix_socket_is_for_its_user_alone(hector):
    hector.write(echo())
    path = hector.sockets / "h.sock"
    with serving(hector, "--host", f"unix:{path}", port=None) as live:
        assert live.address == f"unix:{path}"
        assert stat.filemode(path.lstat().st_mode) == "srw-------"
        assert live.answer("Hello") == "Hello"
        assert record_of(hector)["address"] == live.address
        assert stop(live).code == 0
    assert not path.exists()


def test_the_socket_of_a_killed_host_is_taken_over(hector):
    hector.write(echo())
    path = hector.sockets / "h.sock"
    for _ in range(2):
        with serving(hector, "--host", f"unix:{path}", port=None) as live:
            assert live.answer("Hello") == "Hello"
            live.command.send(signal.SIGKILL)
            live.command.end()
        assert path.is_socket()
    with serving(hector, "--host", f"unix:{path}", port=None) as live:
        stop(live)


def test_a_relative_socket_begins_at_the_file_that_names_it(hector, shell):
    hector.write(echo() | {"server": {"host": "unix:h.sock"}})
    (hector.folder / "below").mkdir()
    if len(os.fsencode(hector.folder)) > 90:
        pytest.skip("this machine's temporary folder has too long a path for a socket")
    with shell.running("-c", "cd below && exec $HECTOR serve --config ../hector.yaml") as command:
        assert command.read_until("\n") == f"Serving 1 agent on unix:{hector.folder}/h.sock\n"
        command.send(signal.SIGTERM)
        assert command.end().code == 0


def test_a_socket_has_no_port(hector):
    hector.write(echo())
    refusal = hector.refusal("serve", "--host", "unix:h.sock", "--port", "1", code=2)
    assert "a unix socket has no port" in refusal
