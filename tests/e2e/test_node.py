"""The plugin in JavaScript, written from docs/protocol.md alone, under the real host and without one."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import grpc
import leftovers
import psutil
import pytest
from commandline import until
from transport import on_unix_sockets

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, ListModelsRequest, ModelInput, Sampling, StreamTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector.plugin.v1.plugin_pb2 import ConfigureRequest
from hector.plugin.v1.plugin_pb2_grpc import PluginStub

from .serving import serving

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples/node"
ANSWER = "How long have you been unhappy about your plugin?\n"
ASKED = "I am unhappy about my plugin."
SECONDS = 20
LAUNCHED = {"PATH": os.environ["PATH"], "HECTOR_PLUGIN": "hector_plugin_v1"}


@pytest.fixture(autouse=True)
def _libraries():
    assert (FOLDER / "node_modules").is_dir(), "its libraries are missing: nox -s integration, or npm install there"


def configuration(hector, **options):
    plugin = {"path": str(FOLDER), "config": options}
    hector.write(
        {
            "plugins": {"llm_providers": {"eliza": plugin}},
            "llms": {"m": {"type": "plugin:eliza"}},
            "agents": {"a": {"llm": "m"}},
        }
    )


def by_hand(**more):
    """Runs it to its end."""
    env = LAUNCHED | more
    ended = subprocess.run(
        ["node", "main.js"], cwd=FOLDER, env=env, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr


@contextmanager
def launched(sockets, stderr=None, **more):
    """Starts it as a host does; gives the process and a channel."""
    env = LAUNCHED | {"PLUGIN_UNIX_SOCKET_DIR": str(sockets)} | more
    command = ["node", "main.js"]
    with subprocess.Popen(command, cwd=FOLDER, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        try:
            fields = process.stdout.readline().rstrip("\n").split("|")
            assert fields[:3] == ["1", "1", "unix"]
            assert fields[4:] == ["grpc", "", "false"][: len(fields) - 4]
            options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
            with grpc.insecure_channel(f"unix:{fields[3]}", options) as channel:
                yield process, channel
        finally:
            process.kill()


@pytest.fixture
def sockets(tmp_path):
    with leftovers.none(tmp_path) as folder:
        yield folder
        for path in folder.iterdir():
            path.unlink()


def test_it_is_as_short_as_it_says():
    assert len((FOLDER / "main.js").read_text().splitlines()) < 150


@on_unix_sockets
def test_it_answers_an_agent(hector):
    configuration(hector, pause=0.01)
    ended = hector("call", "a", ASKED)
    assert (ended.code, ended.out, ended.err) == (0, ANSWER, "")


@on_unix_sockets
def test_its_own_configuration_answers(hector):
    written = (FOLDER / "hector.yaml").read_text()
    assert "path: ." in written
    (hector.folder / "hector.yaml").write_text(written.replace("path: .", f"path: {FOLDER}"))
    ended = hector("call", "herald", ASKED)
    assert (ended.code, ended.out) == (0, ANSWER), ended.err


@on_unix_sockets
def test_options_that_it_refuses_are_shown_at_their_lines(hector):
    configuration(hector, pause=-1, otherwise=2, wait=3)
    ended = hector("call", "a", "Hello")
    assert (ended.code, ended.out) == (2, "")
    first, *lines, last = ended.err.splitlines()
    assert sorted([first.removeprefix("hector: "), *lines]) == [
        "hector.yaml:6: plugins.llm_providers.eliza.config.pause: is less than 0",
        "hector.yaml:7: plugins.llm_providers.eliza.config.otherwise: is not a string",
        "hector.yaml:8: plugins.llm_providers.eliza.config.wait: unknown option: there are otherwise, pause",
    ]
    assert last == "  llm_provider/eliza says so of its options."


@on_unix_sockets
def test_killed_it_is_started_again(hector):
    configuration(hector, otherwise="Hm.")
    with serving(hector) as host:
        assert host.answer("Hello") == "Hm."
        (process,) = leftovers.living(hector.folder)
        process.kill()
        until(lambda: host.plugin("eliza").restarts == 1)
        host.until_ready("eliza")
        assert host.answer(ASKED) == ANSWER.strip()


@on_unix_sockets
def test_it_ends_with_its_host(hector):
    configuration(hector, pause=60)
    with hector.running("call", "a", "Hello") as command:
        until(lambda: leftovers.living(hector.folder))
        command.send(signal.SIGKILL)
        command.end()
        until(lambda: leftovers.living(hector.folder) == [], 1)


def test_it_ends_with_any_other_parent(sockets):
    starter = "import subprocess; p = subprocess.Popen(['node', 'main.js']); print(p.pid, flush=True); p.wait()"
    env = LAUNCHED | {"PLUGIN_UNIX_SOCKET_DIR": str(sockets)}
    with subprocess.Popen([sys.executable, "-c", starter], cwd=FOLDER, env=env, stdout=subprocess.PIPE) as parent:
        plugin = psutil.Process(int(parent.stdout.readline()))
        assert parent.stdout.readline().startswith(b"1|1|unix|")
        parent.kill()
        until(lambda: not plugin.is_running() or plugin.status() == psutil.STATUS_ZOMBIE)


def test_it_stops_when_told_and_not_by_ctrl_c(sockets):
    with launched(sockets) as (process, channel):
        process.send_signal(signal.SIGINT)
        assert LLMProviderStub(channel).GenerateText(GenerateTextRequest(prompt=ASKED), timeout=SECONDS).text
        process.terminate()
        assert process.wait(SECONDS) == 0
        assert list(sockets.iterdir()) == []


def test_shutdown_ends_it(sockets):
    with launched(sockets) as (process, channel):
        assert channel.unary_unary("/plugin.GRPCController/Shutdown")(b"", timeout=SECONDS) == b""
        assert process.wait(SECONDS) == 0


def test_what_it_streams_is_what_it_says(sockets):
    said = ["How ", "long ", "have ", "you ", "been ", "glad?"]
    with launched(sockets, PLUGIN_MULTIPLEX_GRPC="true") as (_, channel):
        llm = LLMProviderStub(channel)
        whole = llm.GenerateText(GenerateTextRequest(prompt="I am glad"), timeout=SECONDS)
        *pieces, last = llm.StreamText(StreamTextRequest(prompt="I am glad"), timeout=SECONDS)
        limit = ModelInput(sampling=Sampling(max_tokens=2))
        cut = llm.GenerateText(GenerateTextRequest(prompt="I am glad", input=limit), timeout=SECONDS)
    assert [piece.text for piece in pieces] == said
    assert whole.text == "".join(said) == last.output.message.parts[0].text
    assert (last.done, last.text, last.output, last.usage) == (True, "", whole.output, whole.usage)
    assert (cut.text, cut.output.finish_reason) == ("How long ", 2)


def test_whose_caller_leaves_is_not_worked_on(sockets):
    """Its words are an hour apart; after the calls have ended, none of its timers is for a word."""
    told = "process.on('SIGUSR2',()=>console.error(process.getActiveResourcesInfo().filter(it=>it=='Timeout').length))"
    env = {"HECTOR_PLUGIN_CONFIG": '{"pause": 3600}', "NODE_OPTIONS": f'--import "data:text/javascript,{told}"'}
    with launched(sockets, stderr=subprocess.PIPE, **env) as (process, channel):

        def timers():
            process.send_signal(signal.SIGUSR2)
            return int(process.stderr.readline())

        llm = LLMProviderStub(channel)
        llm.ListModels(ListModelsRequest(), timeout=SECONDS)
        idle = timers()
        calls = [llm.StreamText(StreamTextRequest(prompt="Hello")) for _ in range(8)]
        calls += [llm.GenerateText.future(GenerateTextRequest(prompt="Hello")) for _ in range(8)]
        until(lambda: timers() == idle + 16)
        for call in calls:
            call.cancel()
        until(lambda: timers() == idle)


def test_a_message_of_40_mib_is_read(sockets):
    with launched(sockets) as (_, channel):
        asked = GenerateTextRequest(prompt=ASKED + " " * (40 << 20))
        assert LLMProviderStub(channel).GenerateText(asked, timeout=SECONDS).text == ANSWER.strip()


def test_without_usable_options_calls_fail_until_it_gets_some(sockets):
    with launched(sockets, HECTOR_PLUGIN_CONFIG='{"pause": "long"}') as (_, channel):
        llm = LLMProviderStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            llm.GenerateText(GenerateTextRequest(prompt=ASKED), timeout=SECONDS)
        assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert refused.value.details() == "its options were refused"
        PluginStub(channel).Configure(ConfigureRequest(), timeout=SECONDS)
        assert llm.GenerateText(GenerateTextRequest(prompt=ASKED), timeout=SECONDS).text == ANSWER.strip()


def test_started_by_hand_it_says_what_it_is():
    said = "eliza is a Hector plugin: name its folder in a configuration\n"
    assert by_hand(HECTOR_PLUGIN="") == (1, "", said)


def test_it_never_serves_in_plain_text_who_asked_for_tls():
    said = "eliza makes no certificates: it serves on private unix sockets alone\n"
    assert by_hand(PLUGIN_CLIENT_CERT="-----BEGIN CERTIFICATE-----") == (1, "", said)


def test_a_host_of_another_protocol_is_told():
    assert by_hand(PLUGIN_PROTOCOL_VERSIONS="2,3") == (1, "", "eliza speaks protocol 1, this host 2,3\n")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    code, out, err = by_hand(PLUGIN_UNIX_SOCKET_DIR=str(tmp_path / "no"))
    assert (code, out) == (1, "")
    assert f"eliza cannot listen on {tmp_path / 'no' / 'eliza'}-" in err


@pytest.mark.timeout(300)
@on_unix_sockets
def test_it_passes_the_suite(hector):
    command = [hector.program, "plugin", "test", FOLDER]
    ended = subprocess.run(command, env=hector.environ, capture_output=True, text=True, timeout=280, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " 0 failed" in ended.stdout
