"""A plugin started by a person or a container."""

import json
import re
import signal
import socket

import pytest

BY_HAND = {"HECTOR_PLUGIN": "", "HECTOR_PLUGIN_CONFIG": ""}


@pytest.fixture
def by_hand(launch):
    return lambda *arguments, **environ: launch("noisy.py", *arguments, **{**BY_HAND, **environ})


def listening(plugin):
    """The address that it says."""
    for line in plugin.popen.stdout:
        if said := re.fullmatch(r"noisy listens on (.*)\n", line):
            return said[1]
    raise AssertionError(plugin.ended())


async def test_it_explains_itself(by_hand):
    code, out, err = by_hand().ended()
    assert code == 1
    assert out.startswith("printed by Python\n")
    assert "noisy 1.2.3: Prints.\n" in err
    assert "A Hector plugin, to be started by a host. It serves hector.plugin.v1.LLMProvider.\n" in err
    assert "--listen ADDRESS" in err


@pytest.mark.parametrize(("host", "ending"), [("127.0.0.1", signal.SIGTERM), ("", signal.SIGINT)])
async def test_it_listens_tells_its_health_and_stops(by_hand, host, ending):
    plugin = by_hand("--listen", f"{host}:0")
    address = listening(plugin)
    assert re.fullmatch(rf"{host}:[1-9]\d*", address)
    code, out, _ = by_hand("--health", address).ended()
    assert (code, out.splitlines()[-1]) == (0, "SERVING")
    plugin.popen.send_signal(ending)
    assert plugin.ended()[0] == 0


async def test_the_options_come_as_json_as_file_or_by_the_environment(by_hand, tmp_path):
    never = {"wait_for": str(tmp_path / "never")}
    file = tmp_path / "options.json"
    file.write_text(json.dumps(never))
    for plugin in (
        by_hand("--listen", "127.0.0.1:0", "--config", json.dumps(never)),
        by_hand("--listen", "127.0.0.1:0", "--config", str(file)),
        by_hand("--listen", "127.0.0.1:0", HECTOR_PLUGIN_CONFIG=json.dumps(never)),
    ):
        code, out, _ = by_hand("--health", listening(plugin)).ended()
        assert (code, out.splitlines()[-1]) == (1, "NOT_SERVING")
        plugin.popen.terminate()
        assert plugin.ended()[0] == 0


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('{"wait_four": 1}', "noisy: wait_four: unknown option; there are: wait_for"),
        ('{"wait_for": 1}', "noisy: wait_for: input should be a valid string"),
        ("{", "noisy: --config: no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("missing.json", "noisy: --config missing.json: No such file or directory"),
    ],
)
async def test_a_start_that_fails_says_why_and_exits(by_hand, config, words):
    code, _, err = by_hand("--listen", "127.0.0.1:0", "--config", config).ended()
    assert code == 1
    assert err.splitlines()[-1] == words


async def test_a_socket_file_is_gone_afterwards(by_hand, sockets):
    plugin = by_hand("--listen", f"unix:{sockets}/mine")
    assert listening(plugin) == f"unix:{sockets}/mine"
    plugin.popen.terminate()
    assert plugin.ended()[0] == 0
    assert list(sockets.iterdir()) == []


async def test_a_port_in_use(by_hand):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, _, err = by_hand("--listen", address).ended()
    assert code == 1
    assert err.splitlines()[-1] == f"noisy: cannot listen on {address}: it is in use, or no address of this machine"


async def test_the_health_of_nobody(by_hand, sockets):
    code, _, err = by_hand("--health", f"unix:{sockets}/nobody").ended()
    assert code == 1
    assert err.splitlines()[-1].startswith(f"unix:{sockets}/nobody: UNAVAILABLE: ")
