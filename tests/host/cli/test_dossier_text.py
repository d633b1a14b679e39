"""A crash dossier as people and programs read it."""

import re

from hector.host.v1.supervision_pb2 import CallInFlight, CrashDossier
from hector_host.cli import dossier_text

NEWS = "\x1b[2Jnews"
"""What would clear a terminal."""


def lines(told):
    return dossier_text.text(told).splitlines()


def test_all_that_can_be_known():
    told = CrashDossier(
        plugin="echo",
        replica=3,
        reason="signal:11",
        detail=f"llm_provider/echo: {NEWS}",
        signal=11,
        out_of_memory=True,
        pid=42,
        version="1.0",
        restarts=2,
        deaths=1,
        log=["one", NEWS],
        log_dropped=5,
        calls=[
            CallInFlight(rpc="StreamText", run_id="r1", agent="a", seconds=1.25),
            CallInFlight(rpc="GenerateText", seconds=0.5),
        ],
        command="python -m echo",
        host_pid=7,
        host_version="0.1.0",
    )
    told.time.FromSeconds(1_000_000_000)
    told.started.FromSeconds(999_999_990)
    first, *others = lines(told)
    assert re.fullmatch(r"echo crashed 2001-09-0\d \d\d:46:40", first)
    assert others == [
        "  reason     signal:11, SIGSEGV, out of memory",
        "  what       llm_provider/echo: \\x1b[2Jnews",
        "  process    42, replica 3, version 1.0, lived 10.0 s",
        "  command    python -m echo",
        "  restarts   2 before this crash",
        "  in flight  StreamText for 1.2 s, agent a, run r1",
        "  in flight  GenerateText for 0.5 s",
        "  host       process 7, Hector 0.1.0",
        "The last lines that it logged (2; 5 came too fast to be kept):",
        "  one",
        "  \\x1b[2Jnews",
    ]


def test_next_to_nothing():
    told = CrashDossier(plugin="far", reason="connection")
    told.time.FromSeconds(1_000_000_000)
    assert lines(told)[1:] == [
        "  reason    connection",
        "  process   none",
        "  restarts  0 before this crash",
        "It logged nothing.",
    ]


def test_an_exit_code_of_nought_and_a_signal_without_a_name():
    told = CrashDossier(plugin="p", reason="exit:0", exit_code=0)
    assert lines(told)[1] == "  reason    exit:0"
    assert lines(CrashDossier(plugin="p", reason="handshake", exit_code=2))[1] == "  reason    handshake, exit code 2"
    assert lines(CrashDossier(plugin="p", reason="oom", signal=9, out_of_memory=True))[1] == "  reason    oom, SIGKILL"
    assert lines(CrashDossier(plugin="p", reason="signal:250", signal=250))[1] == ("  reason    signal:250, signal 250")


def test_the_record_tells_what_is_absent():
    told = dossier_text.record(CrashDossier(plugin="far", reason="connection"))
    assert {key for key, value in told.items() if value is None} == {
        *("started", "exit_code", "signal", "pid", "host_pid")
    }
    assert dossier_text.record(CrashDossier(exit_code=0))["exit_code"] == 0
