"""However a command ends, and whenever: no process and no socket is left, for which `hector` looks afterwards."""

import signal

import leftovers
import psutil
import pytest
from commandline import until

from .conftest import FAULTY, echo, gated

INTERRUPT = "Ctrl-C"
ENDS = [(INTERRUPT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def family(hector):
    """A configuration whose tool plugin has a child and a grandchild that daemonised, all deaf to SIGTERM."""
    document = gated()
    document["plugins"]["tool_providers"] = {"family": {"path": str(FAULTY / "family.py"), "config": {}}}
    document["tools"] = {"family": {"type": "plugin:family"}}
    hector.write(document)
    return hector.folder / ".hector/plugins/family/family"


def stop(command, how):
    if how == INTERRUPT:
        command.interrupt()
    else:
        command.send(how)


@pytest.mark.parametrize(("how", "code"), ENDS)
def test_stopped_while_plugins_start(hector, how, code):
    numbers = family(hector)  # which never becomes ready
    with hector.running("call", "a", "Hello") as command:
        until(numbers.exists)
        processes = [psutil.Process(int(number)) for number in numbers.read_text().split()]
        assert len(processes) == 3
        stop(command, how)
        ended = command.end()
        assert [process for process in processes if process.is_running()] == []
    assert (ended.code, ended.out, ended.err) == (code, "", "")
    assert leftovers.living(hector.folder) == []


@pytest.mark.parametrize(("how", "code"), ENDS)
def test_stopped_in_the_middle_of_an_answer(hector, how, code):
    hector.write(gated())
    with hector.running("call", "a", "Count") as command:
        command.read_until("one ")
        assert len(leftovers.living(hector.folder)) == 1
        stop(command, how)
        ended = command.end()
    assert (ended.code, ended.out, ended.err) == (code, "", "")
    assert leftovers.living(hector.folder) == []


def test_stopped_before_anything_is_ready_and_again(hector):
    family(hector)
    with hector.running("call", "a", "Hello") as command:
        until(lambda: leftovers.living(hector.folder))
        command.interrupt()
        command.interrupt()
        ended = command.end()
    assert (ended.code, ended.out) == (130, ""), ended.err
    until(lambda: leftovers.living(hector.folder) == [], 1)


def test_after_an_answer_and_after_an_error(hector):
    hector.write(echo())
    assert hector("call", "a", "Hello").code == 0
    assert leftovers.living(hector.folder) == []
    hector.write(echo({"text": "half an ", "error": "out of order"}))
    ended = hector("call", "a", "Hello")
    assert (ended.code, ended.out) == (3, "half an \n"), ended.err
    assert ended.err == "hector: llm_provider/echo: StreamText: INTERNAL: out of order\n"
    assert leftovers.living(hector.folder) == []


def test_the_hosts_death_is_its_plugins_death(hector):
    hector.write(gated())
    with hector.running("call", "a", "Count") as command:
        command.read_until("one ")
        command.send(signal.SIGKILL)
        command.end()
        until(lambda: leftovers.living(hector.folder) == [] and not any(hector.sockets.iterdir()), 1)
