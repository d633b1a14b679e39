"""Plugins that become ready, each by another way, and what they are handed."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc
from hector_host.config import Kind
from hector_host.errors import NotFoundError

ORDER = """
import asyncio, sys
from pathlib import Path
from hector_host import config
from hector_host.manager import Manager

async def main():
    async with Manager(config.load(Path(sys.argv[1]))) as manager:
        manager.start(["x"])
        print("grpc" in sys.modules, "psutil" in sys.modules)
        print((await manager.ready("x")).pid > 0, "cryptography" in sys.modules)

asyncio.run(main())
"""


async def ask(plugin, prompt="hi"):
    stub = llm_pb2_grpc.LLMProviderStub(plugin.channel)
    answer = await stub.GenerateText(llm_pb2.GenerateTextRequest(prompt=prompt), metadata=plugin.metadata)
    return json.loads(answer.text)


@pytest.mark.parametrize("listen", ["unix", "tcp", "bare"])
async def test_a_plugin_that_serves_nothing_but_its_provider_takes_calls(host, listen):
    async with host.manager(x=host.faulty("raw", listen=listen)) as manager:
        plugin = await manager.ready("x")
        assert (await ask(plugin))["prompt"] == "hi"
        assert plugin.label == "llm_provider/x"
        assert plugin.services == {"hector.plugin.v1.LLMProvider"}
        assert not plugin.serves_plugin
        assert plugin.failure is None
        assert plugin.timeout == 300
        assert plugin.log_file == host.log("x")
    assert host.states == [
        "starting: needed",
        "ready: healthy",
        "draining: stopped by the host",
        "stopped: stopped by the host",
    ]


async def test_a_handshake_may_come_a_moment_after_the_port(host):
    async with host.manager(x=host.faulty("raw", listen="tcp", second=True, late=0.1)) as manager:
        assert (await ask(await manager.ready("x")))["prompt"] == "hi"


async def test_a_plugin_that_describes_itself_needs_no_group(host):
    plugin = host.faulty("raw", describe=["LLMProvider", "ToolProvider"])
    other = host.faulty("raw", describe=["LLMProvider"])
    async with host.manager(groups=False, x=plugin, y=other) as manager:
        both, one = await manager.ready("x"), await manager.ready("y")
    assert (both.kind, both.label, both.version) == (None, "plugin/x", "7")
    assert (one.kind, one.label) == (Kind.LLM, "llm_provider/y")
    assert both.serves_plugin
    assert both.services == {"hector.plugin.v1.LLMProvider", "hector.plugin.v1.ToolProvider"}


async def test_a_bare_server_with_reflection_needs_no_group(host):
    async with host.manager(groups=False, x=host.faulty("raw", listen="bare", reflect=True)) as manager:
        assert (await manager.ready("x")).kind is Kind.LLM


async def test_the_endpoint_chooses_the_port(host):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    plugin = host.faulty("raw", listen="bare", second=True, port=port, endpoint=f"http://localhost:{port}")
    async with host.manager(x=plugin) as manager:
        assert (await ask(await manager.ready("x")))["prompt"] == "hi"


@pytest.mark.parametrize("health", [["NOT_SERVING", "UNKNOWN", "SERVING"], ["NOT_FOUND"]])
async def test_readiness_waits_for_health(host, health):
    async with host.manager(x=host.faulty("raw", health=health)) as manager:
        assert (await ask(await manager.ready("x")))["prompt"] == "hi"


async def test_options_go_by_environment_and_by_configure(host):
    options = {"describe": ["LLMProvider"], "greeting": "grüß dich", "deep": {"list": [1, None, True]}}
    async with host.manager(x=host.faulty("raw", **options)) as manager:
        env = (await ask(await manager.ready("x")))["env"]
    assert json.loads(env["HECTOR_PLUGIN_CONFIG"]) == options
    configured = json.loads((host.data("x") / "configured").read_text())
    assert configured == {"name": "x", "config": options, "dataDir": str(host.data("x"))}
    assert (env["HECTOR_PLUGIN_NAME"], env["HECTOR_PLUGIN_DATA_DIR"]) == ("x", str(host.data("x")))


async def test_the_environment_is_clean(host, monkeypatch):
    monkeypatch.setenv("OTHER_PLUGINS_KEY", "hidden")
    monkeypatch.setenv("MY_KEY", "mine")
    monkeypatch.setenv("LANG", "C.UTF-8")
    plugin = host.faulty("raw", key="${MY_KEY}") | {"env": {"MODE": "fast"}}
    async with host.manager(x=plugin) as manager:
        env = (await ask(await manager.ready("x")))["env"]
    allowed = {"PATH", "HOME", "LANG", "TMPDIR", "LC_CTYPE"}  # LC_CTYPE is Python's own doing
    ours = {name for name in env if name.startswith(("HECTOR_PLUGIN", "PLUGIN_"))}
    assert set(env) - allowed - ours == {"MY_KEY", "MODE"}
    assert (env["MY_KEY"], env["MODE"], env["LANG"]) == ("mine", "fast", "C.UTF-8")
    assert ours == {
        "HECTOR_PLUGIN",
        "HECTOR_PLUGIN_CONFIG",
        "HECTOR_PLUGIN_DATA_DIR",
        "HECTOR_PLUGIN_INSTANCE",
        "HECTOR_PLUGIN_NAME",
        "PLUGIN_MAX_PORT",
        "PLUGIN_MIN_PORT",
        "PLUGIN_PROTOCOL_VERSIONS",
        "PLUGIN_UNIX_SOCKET_DIR",
    }
    assert (env["HECTOR_PLUGIN"], env["PLUGIN_PROTOCOL_VERSIONS"]) == ("hector_plugin_v1", "1")


async def test_callers_share_one_start(host):
    async with host.manager(x=host.faulty("raw")) as manager:
        plugins = await asyncio.gather(*(manager.ready("x") for _ in range(5)))
        manager.start(["x"])
        assert len({id(plugin) for plugin in plugins}) == 1
    assert host.states.count("starting: needed") == 1


async def test_plugins_start_side_by_side(host):
    names = ["a", "b", "c"]
    async with host.manager(**{name: host.faulty("raw") for name in names}) as manager:
        manager.start(names)
        assert [change.name for change in host.changes] == names
        plugins = await asyncio.gather(*(manager.ready(name) for name in names))
        assert len({plugin.pid for plugin in plugins}) == 3
        sockets = {(await ask(plugin))["env"]["PLUGIN_UNIX_SOCKET_DIR"] for plugin in plugins}
        assert len(sockets) == 3


async def test_one_that_fails_does_not_touch_the_other(host):
    async with host.manager(bad=host.faulty("exits", code=1), good=host.faulty("raw")) as manager:
        manager.start(["bad", "good"])
        assert (await ask(await manager.ready("good")))["prompt"] == "hi"


async def test_a_name_that_is_not_there(host):
    async with host.manager(x=host.faulty("raw")) as manager:
        with pytest.raises(NotFoundError) as caught:
            manager.start(["x", "z"])
    assert str(caught.value).startswith("z: no plugin ")
    assert host.changes == []


async def test_what_is_not_enforced_is_said(host):
    security = {"sandbox": True, "timeout": "7s", "max_memory": "1GB", "allowed_networks": ["localhost"]}
    secured = host.faulty("raw") | {"security": security}
    async with host.manager(x=secured, y=host.faulty("raw")) as manager:
        assert (await manager.ready("x")).timeout == 7
        await manager.ready("y")
    assert host.notices == [
        "llm_provider/x: not enforced yet: security.sandbox, security.max_memory, security.allowed_networks"
    ]


async def test_what_a_plugin_writes_is_logged(host):
    async with host.manager(x=host.faulty("raw", listen="bare")) as manager:
        await manager.ready("x")
    assert host.lines == [("x", "Plugin server started")]
    assert host.log("x").read_text().endswith(" -     Plugin server started\n")


def test_processes_boot_before_grpc_is_imported(host):
    file = host.write(x=host.faulty("raw"))
    env = os.environ | {"HECTOR_TRANSPORT": "unix"}
    run = subprocess.run([sys.executable, "-c", ORDER, file], capture_output=True, text=True, check=True, env=env)
    assert run.stdout.splitlines() == ["False False", "True False"]


REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize("folder", ["echo-llm", "echo-llm-go"])
async def test_the_reference_plugins_start_from_their_folders(host, folder, tmp_path):
    path = REPOSITORY / "plugins" / folder
    if folder == "echo-llm-go":
        program = yaml.safe_load((path / "plugin.yaml").read_text())["plugin"]["command"][0]
        subprocess.run(["go", "build", "-o", tmp_path / program, "."], cwd=path, check=True)
        (tmp_path / "plugin.yaml").write_bytes((path / "plugin.yaml").read_bytes())
        path = tmp_path
    async with host.manager(x={"path": str(path)}) as manager:
        plugin = await manager.ready("x")
        assert plugin.serves_plugin
        assert plugin.kind is Kind.LLM
        stub = llm_pb2_grpc.LLMProviderStub(plugin.channel)
        answer = await stub.GenerateText(llm_pb2.GenerateTextRequest(prompt="hello"))
        assert "hello" in answer.text
        os.kill(plugin.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(plugin.pid, 0)
