"""Whatever must not be is a violation, in words; and nothing else is."""

import pytest

from chaos.oracle import Oracle

DIED = "llm_provider/echo: its process ended (signal 9), during StreamText\n  Its log: echo.log"


def rested(**other):
    figures = {"megabytes": 40.0, "descriptors": {"pipe": 3}, "threads": ["MainThread"], "tasks": {"serve": 1}}
    return figures | {"system_threads": 9} | other


@pytest.fixture
def oracle():
    return Oracle()


def test_answers_and_named_errors_are_right(oracle):
    for _ in range(9):
        oracle.called("clerk", "", "")
    oracle.called("clerk", "CallError", DIED)
    oracle.judge()
    assert oracle.violations == []
    assert (oracle.answered, oracle.failed) == (9, {"CallError": 1})


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("CancelledError", "CancelledError()"),
        ("AioRpcError", "<AioRpcError of RPC that terminated with …>"),
        ("HectorError", "internal error: KeyError\n  This is a bug of Hector."),
        ("WrongAnswerError", "WrongAnswerError(\"the answer is 'a', not 'b'\")"),
        ("ConfigError", "hector.yaml:3: plugins.echo: is wrong"),
        ("CallError", "its process ended"),
    ],
)
def test_no_caller_gets_anything_else(oracle, kind, text):
    oracle.called("clerk", kind, text)
    assert oracle.violations == [f"clerk got {kind}: {text}"]


def test_nine_of_ten_calls_are_answered(oracle):
    for number in range(9):
        oracle.called("clerk", *(("CallError", DIED) if number == 8 else ("", "")))
    oracle.judge()
    assert oracle.violations == ["8 of 9 calls were answered"]


def test_a_plugin_dies_of_what_is_done_to_it(oracle):
    oracle.expect("echo", "kill")
    oracle.changed("echo", "backoff", "signal:9")
    oracle.expect("echo", "stop")
    oracle.changed("echo", "backoff", "health")
    assert oracle.violations == []
    assert oracle.deaths == {("echo", "signal:9"): 1, ("echo", "health"): 1}


def test_a_plugin_dies_of_nothing_else(oracle):
    oracle.changed("echo", "backoff", "signal:9")
    oracle.expect("echo", "garbage")
    oracle.changed("echo", "backoff", "protocol")
    oracle.expect("echo", "kill")
    oracle.changed("echo", "backoff", "signal:9")
    oracle.changed("echo", "backoff", "signal:9")
    oracle.expect("echo", "kill")
    oracle.changed("echo", "failed", "signal:9")
    assert oracle.violations == [
        "echo is in backoff because of signal:9, which nothing was done for",
        "echo is in backoff because of protocol, which nothing was done for",
        "echo is in backoff because of signal:9, which nothing was done for",
        "echo is in failed because of signal:9, which nothing was done for",
    ]


def test_a_host_at_rest_has_what_it_had(oracle):
    oracle.compare(rested(), rested(megabytes=59.9))
    oracle.compare(rested(tasks={"serve": 1, "Event.wait": 7}), rested(tasks={"serve": 1, "Event.wait": 6}))
    assert oracle.violations == []


@pytest.mark.parametrize(
    ("other", "violation"),
    [
        ({"megabytes": 60.0}, "the host grew from 40.0 MB to 60.0 MB"),
        (
            {"descriptors": {"pipe": 5}},
            "the host had descriptors {'pipe': 3}, and has {'pipe': 5} in the end",
        ),
        (
            {"threads": ["MainThread", "grpc"]},
            "the host had threads ['MainThread'], and has ['MainThread', 'grpc'] in the end",
        ),
        ({"system_threads": 14}, "the host had 9 threads, and has 14"),
        ({"tasks": {"serve": 1, "Event.wait": 8}}, "the host has 8 tasks of health checks, for 7 plugins"),
        ({"tasks": {"serve": 2}}, "the host had tasks {'serve': 1}, and has {'serve': 2} in the end"),
    ],
)
def test_a_host_at_rest_that_has_more(oracle, other, violation):
    oracle.compare(rested(), rested(**other))
    assert oracle.violations == [violation]


def test_a_host_that_has_ended_holds_nothing(oracle):
    oracle.closed([], [])
    assert oracle.violations == []
    oracle.closed(["pipe:[7]"], ["grpc"])
    assert oracle.violations == ["the host ended with ['pipe:[7]'] still open and threads ['grpc']"]
