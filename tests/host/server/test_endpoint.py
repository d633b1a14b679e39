"""Where a host may listen: nobody on another machine can reach it."""

from pathlib import Path

import pytest

from hector_host.errors import ConfigError
from hector_host.server.endpoint import endpoint

FOLDER = Path("/srv/app")


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("127.0.0.1", "127.0.0.1:8080"),
        ("127.8.9.10", "127.8.9.10:8080"),
        ("localhost", "127.0.0.1:8080"),
        ("::1", "[::1]:8080"),
        ("[::1]", "[::1]:8080"),
        ("unix:/run/hector.sock", "unix:/run/hector.sock"),
        ("unix:run/hector.sock", "unix:/srv/app/run/hector.sock"),
        ("unix:../hector.sock", "unix:/srv/hector.sock"),
    ],
)
def test_loopback_and_unix_sockets_are_taken(host, target):
    assert endpoint(host, 8080, "--host", FOLDER).target == target


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.168.1.5", "example.com", "fe80::1", "", "127.1", "unix"],  # noqa: S104 - refused
)
def test_what_others_may_reach_is_refused(host):
    with pytest.raises(ConfigError) as refused:
        endpoint(host, 8080, "hector.yaml:9: server.host", FOLDER)
    assert str(refused.value) == (
        f'hector.yaml:9: server.host: "{host}" may be reached from other machines, and there is no access control yet\n'
        "  Listen on 127.0.0.1, localhost or ::1, or on a unix socket: unix:PATH."
    )


def test_a_socket_needs_a_path():
    with pytest.raises(ConfigError) as refused:
        endpoint("unix:", 0, "--host", FOLDER)
    assert str(refused.value) == '--host: "unix:" names no path\n  Write unix:PATH, as unix:/run/hector.sock.'


def test_a_path_that_no_socket_can_have_is_refused():
    with pytest.raises(ConfigError) as refused:
        endpoint(f"unix:{'a' * 92}", 0, "--host", FOLDER)
    assert str(refused.value) == (
        f"--host: the path of the socket has 101 bytes, and 100 is the most: /srv/app/{'a' * 92}\n"
        "  Choose a shorter one."
    )
