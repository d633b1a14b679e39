"""echo-llm and echo-llm-go live alike: described, configured, refused, asked for their health, started by anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from twins.programs import SECONDS, Outcome, Twin, awaited, configure, health, outcome, violations

from hector.plugin.v1.llm_pb2 import CallToolRequest, GenerateTextRequest, ListModelsRequest, StreamTextRequest
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector.plugin.v1.plugin_pb2 import DescribeRequest
from hector.plugin.v1.plugin_pb2_grpc import PluginStub

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)  # the first build compiles gRPC

Both = tuple[Twin, Twin]

UNKNOWN = "unknown option; there are: replies, tool_calling"
# Options, and the fields that are wrong in them.
REFUSED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "unknown option": ({"nope": 1}, {"nope"}),
    "several mistakes": ({"nope": 1, "replies": 3, "b": 2}, {"nope", "b", "replies"}),
    "number for a list": ({"replies": 3}, {"replies"}),
    "text for a list": ({"replies": "hi"}, {"replies"}),
    "nothing for a list": ({"replies": None}, {"replies"}),
    "text for a flag": ({"tool_calling": "yes"}, {"tool_calling"}),
    "number for a flag": ({"tool_calling": 1}, {"tool_calling"}),
    "nothing for a flag": ({"tool_calling": None}, {"tool_calling"}),
    "number for a reply": ({"replies": ["a", 1]}, {"replies[1]"}),
    "list for a reply": ({"replies": [["a"]]}, {"replies[0]"}),
    "flag for a reply": ({"replies": [True]}, {"replies[0]"}),
    "nothing for a reply": ({"replies": ["a", None, {"b": 1, "a": 2}]}, {"replies[1]", "replies[2].a", "replies[2].b"}),
    "number for a text": ({"replies": [{"text": 1}]}, {"replies[0].text"}),
    "nothing for a text": ({"replies": [{"text": None}]}, {"replies[0].text"}),
    "text for a delay": ({"replies": [{"delay": "1"}]}, {"replies[0].delay"}),
    "delay below zero": ({"replies": [{"delay": -1}]}, {"replies[0].delay"}),
    "unknown finish": ({"replies": [{"finish": "end"}]}, {"replies[0].finish"}),
    "empty finish": ({"replies": [{"finish": ""}]}, {"replies[0].finish"}),
    "unknown code": ({"replies": [{"code": "BAD"}]}, {"replies[0].code"}),
    "code that is no error": ({"replies": [{"code": "OK"}]}, {"replies[0].code"}),
    "empty code": ({"replies": [{"code": ""}]}, {"replies[0].code"}),
    "number for a code": ({"replies": [{"code": 3}]}, {"replies[0].code"}),
    "call without a tool": ({"replies": [{"tool_calls": [{}]}]}, {"replies[0].tool_calls[0].tool"}),
    "call that is a number": ({"replies": [{"tool_calls": [1]}]}, {"replies[0].tool_calls[0]"}),
    "object for the calls": ({"replies": [{"tool_calls": {}}]}, {"replies[0].tool_calls"}),
    "nothing for the calls": ({"replies": [{"tool_calls": None}]}, {"replies[0].tool_calls"}),
    "list for arguments": (
        {"replies": [{"tool_calls": [{"tool": "x", "arguments": [1]}]}]},
        {"replies[0].tool_calls[0].arguments"},
    ),
}
TAKEN: dict[str, dict[str, Any]] = {
    "none": {},
    "no finish": {"replies": [{"finish": None}]},
    "endless delay": {"replies": [{"delay": 1e300}]},
    "no arguments": {"replies": [{"tool_calls": [{"tool": "x", "arguments": None}]}]},
}


@pytest.fixture(scope="module")
def changing(both: Both, tmp_path_factory: pytest.TempPathFactory):
    """Channels to both, configured anew by each test."""
    with both[0].listening("127.0.0.1:0") as python, both[1].listening("127.0.0.1:0") as go:
        yield python.channel, go.channel


def test_they_describe_themselves_alike(changing):
    python, go = (MessageToDict(PluginStub(each).Describe(DescribeRequest(), timeout=SECONDS)) for each in changing)
    assert (python.pop("name"), go.pop("name")) == ("echo-llm", "echo-llm-go")
    options = [set(each.pop("configSchema")["properties"]) for each in (python, go)]
    assert options == [{"replies", "tool_calling"}] * 2
    assert go == python
    assert python["services"] == ["hector.plugin.v1.LLMProvider"]
    assert python["contractRevision"] == 1


@pytest.mark.parametrize("case", REFUSED)
def test_they_refuse_the_same_options(changing, case):
    options, fields = REFUSED[case]
    for channel in changing:
        with pytest.raises(grpc.RpcError) as refused:
            configure(channel, options)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        found = violations(refused.value)
        assert found.keys() == fields
        assert {found[name] for name in fields & {"nope", "b"}} <= {UNKNOWN}
        assert health(channel) == "NOT_SERVING"


@pytest.mark.parametrize("case", TAKEN)
def test_they_take_the_same_options(changing, case):
    for channel in changing:
        configure(channel, TAKEN[case])
        assert health(channel) == "SERVING"


def everything(channel: grpc.Channel) -> list[Outcome]:
    """What comes of each RPC."""
    stub = LLMProviderStub(channel)
    return [
        outcome(awaited(stub.GenerateText.future(GenerateTextRequest(prompt="hi"), timeout=SECONDS))),
        outcome(awaited(stub.CallTool.future(CallToolRequest(prompt="hi"), timeout=SECONDS))),
        outcome(stub.StreamText(StreamTextRequest(prompt="hi"), timeout=SECONDS)),
        outcome(awaited(stub.ListModels.future(ListModelsRequest(), timeout=SECONDS))),
    ]


def test_they_answer_once_they_are_configured(both: Both, sockets: Path):
    answers = []
    for twin in both:
        with twin.launched(sockets) as served:
            assert health(served.channel) == "NOT_SERVING"
            words = "the plugin is not configured: call Plugin.Configure first"
            assert everything(served.channel) == [Outcome((), grpc.StatusCode.FAILED_PRECONDITION, words)] * 4
            configure(served.channel, {})
            assert health(served.channel) == "SERVING"
            answers.append(everything(served.channel))
    python, go = answers
    assert go == python
    assert {each.code for each in python} == {grpc.StatusCode.OK}


def test_they_shake_hands_alike(both: Both, sockets: Path):
    for twin in both:
        with twin.launched(sockets) as served:
            core, protocol, network, address, kind, certificate = served.said.split("|")
            assert (core, protocol, network, kind, certificate) == ("1", "1", "unix", "grpc", "")
            assert address.startswith(f"{sockets}/")
        assert served.process.returncode == 0
        assert list(sockets.iterdir()) == []


def test_they_end_with_their_host(twin: Twin, sockets: Path):
    with twin.launched(sockets) as served:
        configure(served.channel, {})
        served.process.stdout.close()  # as when the host is killed
        assert served.process.wait(SECONDS) == 0
        served.process.stdout = None  # there is nothing left to read
    assert list(sockets.iterdir()) == []


@pytest.mark.parametrize("asking", ["Python", "Go"])
def test_anybody_asks_for_their_health(both: Both, twin: Twin, sockets: Path, asking):
    asker = both[asking == "Go"]
    address = f"unix:{sockets}/s"
    assert asker.run("--health", address).returncode == 1
    with twin.listening(address) as served:
        configure(served.channel, {})
        ready = asker.run("--health", address)
        assert (ready.returncode, ready.stdout, ready.stderr) == (0, "SERVING\n", "")
        with pytest.raises(grpc.RpcError):
            configure(served.channel, {"nope": 1})
        failed = asker.run("--health", address)
        assert (failed.returncode, failed.stdout, failed.stderr) == (1, "NOT_SERVING\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "last"),
    [
        (["--listen", "127.0.0.1:0", "--config", '{"nope": 1}'], 1, f": nope: {UNKNOWN}"),
        (["--listen", "127.0.0.1:0", "--config", "[]"], 1, None),
        (["--nope"], 2, None),
        (["--help"], 0, None),
    ],
)
def test_they_end_with_the_same_exit_code(twin: Twin, arguments: Sequence[str], code, last):
    ended = twin.run(*arguments)
    assert ended.returncode == code
    if last:
        assert ended.stderr.splitlines()[-1] == f"{twin.name}{last}"


def test_without_a_host_they_say_what_they_are(twin: Twin):
    ended = twin.run()
    assert (ended.returncode, ended.stdout) == (1, "")
    usage, what, serves = ended.stderr.split("\n\n")[:3]
    assert usage.startswith("usage: ")
    assert what == f"{twin.name} 0.1.0: Three language models that need no network, to try Hector and to test agents."
    assert serves == (
        "A Hector plugin, to be started by a host. It serves hector.plugin.v1.LLMProvider.\n"
        "Name it in a configuration (plugins: ... path, package or command), or serve it by hand with --listen."
    )
