"""What the environment chooses."""

import pytest

from hector_host.errors import ConfigError
from hector_host.manager.launch.transport import Transport, chosen


@pytest.mark.parametrize(
    ("value", "unix_sockets", "transport"),
    [
        (None, True, Transport.UNIX),
        (None, False, Transport.TCP),
        ("", True, Transport.UNIX),
        ("unix", True, Transport.UNIX),
        ("tcp", True, Transport.TCP),
        ("tcp", False, Transport.TCP),
    ],
)
def test_a_choice(value, unix_sockets, transport):
    environ = {} if value is None else {"HECTOR_TRANSPORT": value}
    assert chosen(environ, unix_sockets=unix_sockets) is transport


def test_a_transport_that_does_not_exist():
    with pytest.raises(ConfigError) as caught:
        chosen({"HECTOR_TRANSPORT": "TLS\x1b"})
    assert str(caught.value) == ('HECTOR_TRANSPORT: "TLS\\x1b" is no transport\n  Set it to unix or tcp, or unset it.')


def test_a_transport_that_does_not_exist_here():
    with pytest.raises(ConfigError) as caught:
        chosen({"HECTOR_TRANSPORT": "unix"}, unix_sockets=False)
    assert str(caught.value) == (
        "HECTOR_TRANSPORT: there are no unix sockets on this system\n  Set it to tcp, or unset it."
    )
