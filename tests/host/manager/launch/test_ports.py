"""Finding the port of a server that says nothing."""

import os
import socket
import subprocess
import sys

import pytest

from hector_host.manager.failure import Failure
from hector_host.manager.launch.ports import choose, listening


def listen(address, family=socket.AF_INET):
    return socket.create_server((address, 0), family=family)


@pytest.mark.parametrize(
    ("address", "family", "host"),
    [
        ("127.0.0.1", socket.AF_INET, "127.0.0.1"),
        ("0.0.0.0", socket.AF_INET, "127.0.0.1"),  # noqa: S104 (bare servers do that)
        ("127.0.0.2", socket.AF_INET, "127.0.0.2"),
        ("::", socket.AF_INET6, "127.0.0.1"),
        ("::1", socket.AF_INET6, "[::1]"),
    ],
)
def test_a_listening_port_and_how_to_reach_it(address, family, host):
    with listen(address, family) as server:
        assert listening(os.getpid())[server.getsockname()[1]] == host
    assert server.fileno() == -1


def test_a_port_that_only_connects_is_not_one():
    before = listening(os.getpid())
    with listen("127.0.0.1") as server, socket.create_connection(server.getsockname()[:2]) as client:
        assert set(listening(os.getpid())) - set(before) == {server.getsockname()[1]}
        assert client.getsockname()[1] not in listening(os.getpid())


SERVER = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""


def test_the_port_of_a_child_counts():
    child = [sys.executable, "-c", SERVER]
    with subprocess.Popen(child, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline())
        assert listening(os.getpid())[port] == "127.0.0.1"
        assert listening(server.pid) == {port: "127.0.0.1"}
        server.stdin.close()


def test_a_process_that_is_gone_listens_on_nothing():
    assert listening(2**22 + 1) == {}


@pytest.mark.parametrize("wanted", ["localhost:8082", ":8082", "8082", "http://localhost:8082/", " 0.0.0.0:8082 "])
def test_the_endpoint_decides_among_several(wanted):
    assert choose({8081: "127.0.0.1", 8082: "[::1]"}, wanted) == "[::1]:8082"


@pytest.mark.parametrize("wanted", ["", "https://api.example/v1", "localhost:9999"])
def test_the_only_port_is_it_whatever_the_endpoint_says(wanted):
    assert choose({8081: "127.0.0.1"}, wanted) == "127.0.0.1:8081"


def test_several_without_an_endpoint():
    with pytest.raises(Failure) as caught:
        choose({8082: "127.0.0.1", 8081: "127.0.0.1"}, "")
    assert caught.value.what == "listens on several ports (8081, 8082)"
    assert caught.value.step == "Name the one that serves gRPC in its config, for example endpoint: localhost:8081."
