"""Which host a verb works with, and what it says when that host cannot be used."""

import json
import signal
import socket
import threading
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

import grpc
import pytest
from live import serving

from hector.host.v1.hector_pb2 import Agent, GetHostResponse, ListAgentsResponse
from hector.host.v1.hector_pb2_grpc import HectorServicer, add_HectorServicer_to_server

from .conftest import echo, gated


@pytest.fixture(autouse=True)
def alone(hector, tmp_path):
    """No other host of this user is found."""
    (tmp_path / "tmp").mkdir()
    hector.environ["TMPDIR"] = str(tmp_path / "tmp")


def document(agent):
    """A configuration whose one agent has that name, so that a list tells which host gave it."""
    told = echo()
    told["agents"] = {agent: told["agents"]["a"]}
    return told


def agents(hector, *arguments):
    return [agent["agent"] for agent in hector("list", "--json", *arguments).json]


def test_the_order(hector):
    hector.write(document("other"), "other.yaml")
    told = document("mine") | {"storage": {"path": "mine"}}
    hector.write(told)
    with serving(hector, "--config", "other.yaml") as other:
        # A host of another file is not this file's.
        assert agents(hector) == ["mine"]
        with serving(hector) as mine:
            hector.write(document("edited") | {"storage": {"path": "mine"}})
            assert agents(hector) == ["mine"]
            assert agents(hector, "--config", str(hector.folder / "hector.yaml")) == ["mine"]
            hector.environ["HECTOR_SERVER"] = other.address
            assert agents(hector) == ["other"]
            assert agents(hector, "--server", mine.address) == ["mine"]
            assert agents(hector, "--url", mine.address) == ["mine"]
            hector.environ["HECTOR_SERVER"] = ""
            assert agents(hector) == ["mine"]
        assert agents(hector) == ["edited"]


def test_without_a_file_the_only_live_host_is_used(hector):
    hector.write(document("a"), "some.yaml")
    with serving(hector, "--config", "some.yaml"):
        assert agents(hector) == ["a"]
        assert hector.answer("call", "a", "Hello") == "Hello\n"
    assert hector.refusal("call", "a", "Hello", code=2) == (
        "hector: no configuration: looked for --config, $HECTOR_CONFIG, hector.yaml, config.yaml\n"
        "  hector init writes one to begin with.\n"
    )


def test_without_a_file_and_with_several_live_hosts_they_are_listed(hector):
    for name in ("one", "two"):
        hector.write(document(name) | {"storage": {"path": name}}, f"{name}.yaml")
    with serving(hector, "--config", "one.yaml") as one, serving(hector, "--config", "two.yaml") as two:
        assert hector.refusal("list", code=2) == (
            "hector: no configuration: looked for --config, $HECTOR_CONFIG, hector.yaml, config.yaml;"
            " and there are 2 live hosts:\n"
            f"  {one.address}, of {hector.folder}/one.yaml\n"
            f"  {two.address}, of {hector.folder}/two.yaml\n"
            "  Name the one that is meant: --server ADDRESS, or --config FILE.\n"
        )
        assert agents(hector, "--config", "two.yaml") == ["two"]


def test_a_host_that_another_runtime_directory_hides_is_found_by_its_storage(hector, tmp_path):
    hector.write(document("a"))
    with serving(hector) as host:
        elsewhere = tmp_path / "run"
        elsewhere.mkdir()
        hector.environ["XDG_RUNTIME_DIR"] = str(elsewhere)
        hector.environ["TMPDIR"] = str(elsewhere)
        assert (
            hector("call", "a", "Hello", "--verbose").err == f"hector: its plugins log into {tmp_path}/.hector/logs\n"
        )
        assert host.command.running()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


VERBS = [
    ("call", "a", "Hello"),
    ("chat", "a"),
    ("list",),
    ("runs", "list"),
    ("runs", "show", "1"),
    ("plugin", "list"),
    ("plugin", "list", "--watch"),
    ("plugin", "why", "echo"),
    ("plugin", "reload", "echo"),
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_nobody_is_there(hector, verb):
    address = f"127.0.0.1:{free_port()}"
    step = "  Start a host there with hector serve, or"
    assert hector.refusal(*verb, "--server", address, code=1) == (
        f"hector: --server {address}: nobody answers there\n{step} leave --server out.\n"
    )
    hector.environ["HECTOR_SERVER"] = f"unix:{hector.sockets}/none"
    assert hector.refusal(*verb, code=1) == (
        f"hector: $HECTOR_SERVER unix:{hector.sockets}/none: nobody answers there\n{step} unset HECTOR_SERVER.\n"
    )


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("localhost", "has no port"),
        ("[::1]", "has no port"),
        ("", "is not an address"),
        ("localhost:", "is not an address"),
        ("localhost:99999", "is not an address"),
        ("http://localhost:8080", "is not an address"),
        ("unix:", "is not an address"),
        ("\x1b[31mred", "is not an address"),
    ],
)
def test_what_is_no_address(hector, address, what):
    shown = address.replace("\x1b", "\\x1b")
    assert hector.refusal("list", "--server", address, code=2) == (
        f"hector: --server {shown}: {what}\n  Write host:port, as 127.0.0.1:8080, or unix:PATH.\n"
    )


def test_a_live_host_has_its_own_configuration(hector):
    assert hector.refusal("list", "--server", "localhost:1", "--config", "x.yaml", code=2) == (
        "hector: --server localhost:1: a live host has its own configuration, and --config x.yaml is given too\n"
        "  Leave --config out, or leave --server out.\n"
    )


@contextmanager
def web_server():
    """Somebody who speaks HTTP/1 and no gRPC."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def grpc_server(servicer=None):
    server = grpc.server(futures.ThreadPoolExecutor(2))
    if servicer is not None:
        add_HectorServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


@pytest.mark.parametrize("server", [web_server, grpc_server])
def test_who_answers_is_no_host(hector, server):
    with server() as address:
        assert hector.refusal("list", "--server", address, code=1) == (
            f"hector: --server {address}: who answers there is no Hector host\n"
            "  Start a host there with hector serve, or leave --server out.\n"
        )


class Silent(HectorServicer):
    """A host that hangs."""

    def __init__(self):
        self.over = threading.Event()

    def GetHost(self, request, context):  # noqa: N802 - as the contract names it
        context.add_callback(self.over.set)
        self.over.wait()


def test_who_answers_hangs(hector):
    with grpc_server(Silent()) as address:
        assert hector.refusal("list", "--server", address, code=1) == (
            f"hector: --server {address}: no answer within 5 s\n"
            "  Start a host there with hector serve, or leave --server out.\n"
        )


class Newer(HectorServicer):
    """A host of another version."""

    def GetHost(self, request, context):  # noqa: N802 - as the contract names it
        return GetHostResponse(version="7.3.1\x1b[31m", config_file="/srv/hector.yaml", storage_path="/srv/.hector")

    def ListAgents(self, request, context):  # noqa: N802 - as the contract names it
        return ListAgentsResponse(agents=[Agent(id="new", name="New", llm="m", engine="default")])


def test_a_host_of_another_version_may_be_looked_at_and_nothing_more(hector):
    own = version("hector-host")
    with grpc_server(Newer()) as address:
        what = f"hector: --server {address}: that host is Hector 7.3.1\\x1b[31m, this command is Hector {own}"
        looked = hector("list", "--server", address)
        for verb in (("call", "new", "Hello"), ("chat", "new"), ("plugin", "reload", "echo")):
            assert hector.refusal(*verb, "--server", address, code=1) == (
                f"{what}\n"
                "  Start it again with this version: hector serve --config /srv/hector.yaml; or leave --server out.\n"
            )
    assert (looked.code, looked.err) == (0, f"{what}; it may not show everything\n")
    assert looked.out.splitlines()[1] == "new    m    default  New"


def test_a_host_that_hangs_is_told_and_done_without(hector):
    hector.write(document("a"))
    with serving(hector) as host:
        host.command.send(signal.SIGSTOP)
        ended = hector("list")
        host.command.send(signal.SIGCONT)
    label = f"the live host of {hector.folder}/hector.yaml (process {host.command.pid}) at {host.address}"
    assert ended.code == 0
    assert ended.err == f"hector: {label}: no answer within 5 s; this command does without it\n"


def test_a_record_whose_address_another_host_has_taken_is_not_believed(hector):
    hector.write(document("a"))
    with serving(hector) as host, grpc_server(Newer()) as address:
        for file in (hector.folder / ".hector/host.json", *hector.sockets.glob("hector-hosts/*.json")):
            file.write_text(json.dumps(json.loads(file.read_text()) | {"address": address}))
        ended = hector("list", "--json")
        label = f"the live host of {hector.folder}/hector.yaml (process {host.command.pid}) at {address}"
    assert (ended.code, ended.json[0]["agent"]) == (0, "a")
    assert ended.err == f"hector: {label}: another host answers there; this command does without it\n"


def test_a_host_that_stops_refuses_in_words(hector):
    hector.write(gated())
    with serving(hector) as host, hector.running("call", "a", "Count") as command:
        command.read_until("one ")
        host.command.send(signal.SIGTERM)
        host.command.read_error_until("Stopping.")
        ended = hector("call", "a", "Hello")
        (hector.folder / ".hector/plugins/gated/gate").touch()
        assert command.end().code == 0
        host.command.end()
    assert (ended.code, ended.out, ended.err) == (
        1,
        "",
        "hector: the host is stopping and takes no new calls\n  Call again when it has been started anew.\n",
    )
