"""Every host with every plugin, with mutual TLS and without: (ours, stock Go) x (our Python, our Go, stock Go)."""

from __future__ import annotations

import time

import grpc
import psutil
import pytest
import yaml

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, ModelInput
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub
from hector.plugin.v1.message_pb2 import ROLE_USER, Message, Part
from hector_host.config import load
from hector_host.manager import Manager
from hector_host.providers.call import Call
from hector_host.registry import Registry

PLUGINS = ("our Python", "our Go", "stock Go")
WORDS = 200
LARGE = "x" * (1 << 20)
GRACEFUL = 2.0
"""Seconds that go-plugin's hosts wait for a plugin to end before they kill it."""


def question(text: str) -> ModelInput:
    return ModelInput(messages=[Message(role=ROLE_USER, parts=[Part(text=text)])])


@pytest.mark.parametrize("tls", ["plain", "AutoMTLS"])
@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_stock_host_runs_it(programs, green, plugin, tls):
    stock = plugin == "stock Go"
    flags = [flag for flag, wanted in (("-automtls", tls == "AutoMTLS"), ("-stdio", stock)) if wanted]
    seen = programs.stock(programs.plugins[plugin], *flags)
    complaints = [line for line in seen["log"].splitlines() if "[WARN]" in line or "[ERROR]" in line]
    assert complaints == []
    assert seen["exit_code"] == 0
    assert seen["kill"] < GRACEFUL
    assert seen["pieces"] >= WORDS
    assert (seen["brokered"], seen["reattached"]) == (stock, tls == "plain")
    if stock:
        assert (seen["stdout"], seen["stderr"]) == ("printed to stdout\n", "printed to stderr\n")
    else:
        assert (seen["stdout"], seen["stderr"]) == ("", "")
    green("stock Go host", plugin, tls, f"green, start {1000 * seen['start']:.0f} ms")


@pytest.fixture
def tls(request, monkeypatch):
    """What a host asks for; ours does where there are no unix sockets."""
    if request.param == "AutoMTLS":
        monkeypatch.setenv("HECTOR_TRANSPORT", "tcp")
    return request.param


@pytest.mark.parametrize("tls", ["plain", "AutoMTLS"], indirect=True)
@pytest.mark.parametrize("plugin", PLUGINS)
async def test_our_host_runs_it(programs, home, green, plugin, tls):
    file = home / "hector.yaml"
    listed = {"llm_providers": {"m": {"command": programs.plugins[plugin]}}}
    file.write_text(yaml.safe_dump({"plugins": listed, "llms": {"m": {"type": "plugin:m"}}}))
    config = load(file)
    lines: list[str] = []
    async with Manager(config, on_log=lambda _, record: lines.append(str(record))) as manager:
        began = time.perf_counter()
        manager.start(["m"])
        ready = await manager.ready("m")
        took = time.perf_counter() - began
        model, call = Registry(config, manager).llm("m"), Call()
        pieces: list[object] = []
        for text in ("Hello", " ".join(["word"] * WORDS), LARGE):
            assert (await said(model, call, text)) == text
        assert (await said(model, call, "one two three", pieces.append)) == "one two three"
        assert len(pieces) >= 3
        bare = LLMProviderStub(ready.channel)
        for prompt in ("print", "broker"):
            answer = await bare.GenerateText(GenerateTextRequest(prompt=prompt), timeout=20)
            assert answer.text == ("1" if (plugin, prompt) == ("stock Go", "broker") else prompt)
        ports = [each.laddr for each in psutil.Process(ready.pid).net_connections("tcp") if each.status == "LISTEN"]
        if tls == "AutoMTLS" and plugin != "stock Go":  # which knows unix sockets alone, also with a certificate
            await closed_to_others(*ports)
        else:
            assert ports == []
        asked = time.perf_counter()
    assert time.perf_counter() - asked < GRACEFUL
    assert not psutil.pid_exists(ready.pid)
    log = "\n".join(lines)
    if plugin == "stock Go":
        for words in ("printed to stdout", "printed to stderr", "logged"):
            assert words in log
    assert "cannot" not in log
    green("our host", plugin, tls, f"green, start {1000 * took:.0f} ms")


async def closed_to_others(address):
    """Nobody is let in without a certificate, in plain text or by TLS."""
    assert address.ip.removeprefix("::ffff:") == "127.0.0.1"  # gRPC's sockets speak both versions of IP
    assert 10000 <= address.port <= 25000
    async with grpc.aio.insecure_channel(f"127.0.0.1:{address.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await LLMProviderStub(channel).GenerateText(GenerateTextRequest(prompt="let me in"), timeout=20)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def said(model, call, text, on_piece=None):
    output = await model.generate(question(text), call, *([on_piece] if on_piece else []))
    return "".join(part.text for part in output.message.parts)
