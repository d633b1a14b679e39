"""What a host sees of a plugin process: the line, what comes before and after it, and how it ends."""

import os
import re
import signal
import stat
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from hector.plugin.v1.llm_pb2 import GenerateTextRequest
from hector.plugin.v1.plugin_pb2 import ConfigureRequest
from hector.plugin.v1.tool_pb2 import ExecuteToolRequest

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def health(channel, service=""):
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    return (await check(health_pb2.HealthCheckRequest(service=service))).status


async def shut_down(channel):
    await channel.unary_unary("/plugin.GRPCController/Shutdown")(b"")


async def test_the_first_line_is_the_handshake_whatever_is_printed(launch, sockets):
    plugin = launch("noisy.py")
    line = plugin.line()
    assert re.fullmatch(
        rf"1\|1\|unix\|{re.escape(str(sockets))}/plugin{plugin.popen.pid}-[0-9a-f]{{8}}\|grpc\|\n", line
    )
    plugin.popen.terminate()
    code, out, err = plugin.ended()
    assert (code, out) == (0, "")
    assert err.startswith("printed by Python\nprinted by native code\nprinted by a child None\n")


async def test_it_listens_before_it_starts_and_serves_when_it_has(launch, tmp_path):
    file = tmp_path / "go"
    plugin = launch("noisy.py", HECTOR_PLUGIN_CONFIG=f'{{"wait_for": "{file}"}}')
    stubs = await plugin.connect()
    assert await health(stubs.channel) == NOT_SERVING
    with pytest.raises(grpc.aio.AioRpcError) as early:
        await stubs.llm.GenerateText(GenerateTextRequest())
    assert early.value.code() is grpc.StatusCode.UNAVAILABLE
    assert early.value.details() == "the plugin is still starting: wait until its health is SERVING"
    file.touch()
    await stubs.plugin.Configure(ConfigureRequest(config={"wait_for": str(file)}))
    assert await health(stubs.channel) == SERVING
    assert await health(stubs.channel, "plugin") == SERVING
    answer = await stubs.llm.GenerateText(GenerateTextRequest(prompt="hello"))
    assert answer.text == "you said hello"


@pytest.mark.parametrize("how", ["SIGTERM", "Shutdown"])
async def test_it_stops_cleanly(launch, sockets, logged, how):
    plugin = launch("noisy.py", HECTOR_PLUGIN_NAME="mine")
    stubs = await plugin.connect()
    await stubs.plugin.Configure(ConfigureRequest())
    if how == "SIGTERM":
        plugin.popen.terminate()
    else:
        await shut_down(stubs.channel)
    code, out, err = plugin.ended()
    assert (code, out) == (0, "")
    assert err.endswith("stopped\n")
    assert list(sockets.iterdir()) == []
    (entry,) = logged(err)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", entry.pop("@timestamp"))
    assert entry == {"@level": "warn", "@message": "ready in mine", "@module": "noisy"}


async def test_control_c_is_the_hosts_business(launch):
    plugin = launch("noisy.py")
    stubs = await plugin.connect()
    await stubs.plugin.Configure(ConfigureRequest())
    plugin.popen.send_signal(signal.SIGINT)
    answer = await stubs.llm.GenerateText(GenerateTextRequest(prompt="still there?"))
    assert answer.text == "you said still there?"
    await shut_down(stubs.channel)
    assert plugin.ended()[0] == 0


async def test_it_ends_with_its_host(launch, sockets):
    plugin = launch("noisy.py")
    stubs = await plugin.connect()
    await stubs.plugin.Configure(ConfigureRequest())
    plugin.popen.stdout.close()  # as when the host is killed
    plugin.popen.stdout = None
    code, _, err = plugin.ended()
    assert code == 0
    assert err.endswith("stopped\n")
    assert list(sockets.iterdir()) == []


async def test_a_tool_that_hangs_does_not_keep_the_process(launch, tmp_path, until):
    plugin = launch("tooled.py", HECTOR_PLUGIN_DATA_DIR=str(tmp_path))
    stubs = await plugin.connect()
    await stubs.plugin.Configure(ConfigureRequest())
    call = stubs.tools.ExecuteTool(ExecuteToolRequest(tool="hang"))
    await until((tmp_path / "lines").exists)
    plugin.popen.terminate()
    assert plugin.ended()[0] == 0
    with pytest.raises(grpc.aio.AioRpcError):
        await call


async def test_calls_in_flight_may_end(launch, tmp_path, until):
    plugin = launch("tooled.py", HECTOR_PLUGIN_DATA_DIR=str(tmp_path))
    stubs = await plugin.connect()
    await stubs.plugin.Configure(ConfigureRequest())
    call = stubs.tools.ExecuteTool(ExecuteToolRequest(tool="wait"))
    await until((tmp_path / "waiting").exists)
    await shut_down(stubs.channel)
    (tmp_path / "go").touch()
    assert (await call).result == "waited"
    assert plugin.ended()[0] == 0


def test_without_a_socket_directory_it_makes_a_private_one(launch, sockets):
    plugin = launch("noisy.py", socket_dir=None, TMPDIR=str(sockets))
    path = Path(plugin.line().split("|")[3])
    assert path.parent.parent == sockets
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_ISSOCK(path.stat().st_mode)
    plugin.popen.terminate()
    assert plugin.ended()[0] == 0
    assert list(sockets.iterdir()) == []


async def test_multiplexing_is_declined(launch):
    assert launch("noisy.py", PLUGIN_MULTIPLEX_GRPC="true").line().endswith("|grpc||false\n")


async def test_a_path_too_long_for_a_socket(launch, sockets):
    folder = sockets / ("d" * 100)
    code, out, err = launch("noisy.py", PLUGIN_UNIX_SOCKET_DIR=str(folder)).ended()
    assert (code, out) == (1, "")
    first, second = err.splitlines()[-2:]
    assert re.fullmatch(
        rf"noisy: the socket's path would be longer than 100 bytes: {re.escape(str(folder))}/plugin\d+-[0-9a-f]{{8}}",
        first,
    )
    assert second == "  Point PLUGIN_UNIX_SOCKET_DIR at a shorter directory."


async def test_a_configuration_that_is_no_object(launch):
    code, out, err = launch("noisy.py", HECTOR_PLUGIN_CONFIG="[1]").ended()
    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == "noisy: HECTOR_PLUGIN_CONFIG is not a JSON object"


async def test_bad_options_leave_it_listening_and_are_told_by_configure(launch):
    plugin = launch("noisy.py", HECTOR_PLUGIN_CONFIG='{"wait_four": 1}')
    stubs = await plugin.connect()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stubs.plugin.Configure(ConfigureRequest(config={"wait_four": 1}))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "wait_four: unknown option; there are: wait_for"
    with pytest.raises(grpc.aio.AioRpcError) as unstarted:
        await stubs.llm.GenerateText(GenerateTextRequest())
    assert unstarted.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert unstarted.value.details() == ("the plugin did not start: wait_four: unknown option; there are: wait_for")
    await stubs.plugin.Configure(ConfigureRequest())
    assert await health(stubs.channel) == SERVING


async def test_nothing_heavy_is_imported_before_the_line(launch, tmp_path):
    program = tmp_path / "lean.py"
    program.write_text(
        "import sys\n"
        "from hector_sdk import handshake, serve, tool, Tools\n"
        "def line(*ignored):\n"
        "    print(sorted(set(sys.modules) & {'pydantic', 'argparse', 'google.rpc', 'sqlite3', 'cryptography'}))\n"
        "    print(sorted(name for name in sys.modules if name.startswith('hector.plugin.v1.')))\n"
        "    return b'line\\n'\n"
        "handshake.line = line\n"
        "serve(Tools(lambda: None))\n"
    )
    plugin = launch(str(program))
    assert plugin.line() == "line\n"
    plugin.popen.terminate()
    code, _, err = plugin.ended()
    assert code == 0
    assert err.splitlines() == [
        "[]",
        str([f"hector.plugin.v1.{name}_pb2" for name in ("message", "plugin", "tool")]),
    ]


def test_the_process_is_found_by_nobody_without_the_cookie():
    from hector_sdk import launch as launching

    environ = {"HECTOR_PLUGIN": "something else"}
    assert launching.take_over(environ) is None
    assert environ == {"HECTOR_PLUGIN": "something else"}
    assert os.get_inheritable(1)
