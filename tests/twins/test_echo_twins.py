"""echo-llm and echo-llm-go answer byte for byte the same: every case, by every RPC, many at once, and cut short."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import grpc
import pytest
from twins import cases, drawn
from twins.programs import SECONDS, Outcome, awaited, configure, outcome

from hector.plugin.v1.llm_pb2 import (
    CallToolRequest,
    GenerateTextRequest,
    ListModelsRequest,
    StreamTextRequest,
)
from hector.plugin.v1.llm_pb2_grpc import LLMProviderStub

if TYPE_CHECKING:
    from pathlib import Path

    from twins.programs import Twin

pytestmark = pytest.mark.timeout(600)  # the first build compiles gRPC

MANY = 100
LONG = "word " * 200_000
"""More than what lies between two ends of a stream that nobody reads."""


def generated(channel: grpc.Channel, request: GenerateTextRequest) -> Outcome:
    return outcome(awaited(LLMProviderStub(channel).GenerateText.future(request, timeout=SECONDS)))


def called(channel: grpc.Channel, request: GenerateTextRequest) -> Outcome:
    same = CallToolRequest.FromString(request.SerializeToString())  # the three requests have the same fields
    return outcome(awaited(LLMProviderStub(channel).CallTool.future(same, timeout=SECONDS)))


def streamed(channel: grpc.Channel, request: GenerateTextRequest) -> Outcome:
    same = StreamTextRequest.FromString(request.SerializeToString())
    return outcome(LLMProviderStub(channel).StreamText(same, timeout=SECONDS))


@pytest.mark.parametrize("rpc", [generated, called, streamed])
@pytest.mark.parametrize("case", cases.CASES)
def test_they_answer_alike(channels, rpc, case):
    python, go = (rpc(channel, cases.CASES[case]) for channel in channels)
    assert go == python


@pytest.mark.parametrize("seed", range(2))
def test_they_answer_alike_whatever_they_are_asked(channels, seed):
    dice = random.Random(seed)  # noqa: S311 - it draws tests, not secrets
    for _ in range(500):
        request, rpc = drawn.request(dice), dice.choice([generated, called, streamed])
        python, go = (rpc(channel, request) for channel in channels)
        assert go == python, request


def test_the_cases_end_well_and_badly(channels):
    ends = {outcome.code for request in cases.CASES.values() for outcome in [streamed(channels[0], request)]}
    assert ends == {grpc.StatusCode[name] for name in ("OK", "NOT_FOUND", "UNAVAILABLE", "INTERNAL")}


def test_they_list_the_same_models(channels):
    python, go = (LLMProviderStub(channel).ListModels(ListModelsRequest(), timeout=SECONDS) for channel in channels)
    assert go == python
    assert [model.id for model in python.models] == ["echo", "reader", "script"]


def test_they_answer_many_at_once(channels):
    requests = [cases.asked("echo", prompt=f"number {n}") for n in range(MANY)]
    for channel in channels:
        stub = LLMProviderStub(channel)
        calls = [stub.GenerateText.future(request, timeout=SECONDS) for request in requests]
        texts = [call.result().text for call in calls]
        assert texts == [request.prompt for request in requests]


def test_they_let_go_of_a_stream_that_is_cancelled(twin: Twin, sockets: Path):
    with twin.listening(f"unix:{sockets}/s") as served:
        stream = LLMProviderStub(served.channel).StreamText(StreamTextRequest(prompt=LONG), timeout=SECONDS)
        assert next(stream).text == "word "
        stream.cancel()
        assert outcome(stream).code is grpc.StatusCode.CANCELLED
        still_ready(served.channel)


def test_they_let_go_of_a_reply_that_nobody_waits_for(twin: Twin, sockets: Path):
    with twin.listening(f"unix:{sockets}/s") as served:
        configure(served.channel, {"replies": [{"text": "late", "delay": 3600}]})
        late = LLMProviderStub(served.channel).StreamText(StreamTextRequest(model="script"), timeout=0.2)
        assert outcome(late).code is grpc.StatusCode.DEADLINE_EXCEEDED
        still_ready(served.channel)


def still_ready(channel: grpc.Channel) -> None:
    """Other options are taken, which waits for every call that runs, and the plugin answers."""
    configure(channel, {"tool_calling": False})
    answer = LLMProviderStub(channel).GenerateText(GenerateTextRequest(prompt="and now"), timeout=SECONDS)
    assert answer.text == "and now"
