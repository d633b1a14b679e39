"""`python -m compose`: all of it, with its figures. It needs an engine, or root on a Debian machine to make one.

Killing a container takes root on the engine's machine.
"""

import json
import signal
import sys
from collections import Counter
from types import FrameType

from compose import confinement
from compose.engine import engine
from compose.kills import VICTIMS, Calls, Kill, calling, kill
from compose.stack import Stack, docker, stack

QUESTION = "How does the host stop a plugin?"
SOURCE = "docs/protocol.md"
"""Where the answer is written."""
NAMED = {"CallError", "StartError", "PluginError", "RunError", "FailedTool"}
"""What a call may fail with: errors of `hector_host.errors` that tell of a plugin, and a tool that failed."""
RECOVERY = 10.0
"""Seconds, at most, from a kill to an answer."""


def main() -> int:
    """Every check is an assert: what fails ends it, after the stack and the engine have been stopped."""
    signal.signal(signal.SIGTERM, _stopped)
    with engine() as seconds:
        print(f"engine {docker('version', '--format', '{{.Server.Version}}').strip()}: {_had(seconds)}", flush=True)
        with stack() as demo:
            try:
                _try(demo)
            except BaseException:
                print(demo.logs(), flush=True)
                raise
    print("the stack is removed" + (", and the engine stopped" if seconds else ""))
    return 0


def _try(demo: Stack) -> None:
    cold = docker("builder", "du").split()[-1] == "0B"
    print(f"build, {'cold' if cold else 'with a cache'}: {demo.build():.1f} s", flush=True)
    print(f"build, warm: {demo.build():.1f} s", flush=True)
    print(f"up until all are healthy and the documents are indexed: {demo.up():.1f} s", flush=True)
    _look(demo)
    _ask(demo)
    _kill_each(demo)


def _look(demo: Stack) -> None:
    containers = [each for service in demo.services() for each in demo.containers(service)]
    assert [flaw for each in containers for flaw in confinement.flaws(each)] == []
    print(
        f"{len(containers)} containers: nobody is root, nothing can be written or gained, no port is open", flush=True
    )


def _ask(demo: Stack) -> None:
    asked = demo.hector("call", "librarian", QUESTION)
    assert asked.returncode == 0, asked.stderr
    assert SOURCE in asked.stderr, f"the sources are not {SOURCE}: {asked.stderr}"
    told = json.loads(demo.hector("call", "clerk", "How long is the architecture?", "--json").stdout)
    counted = [step for step in told["steps"] if step["plugin"] == "shell"]
    assert counted, f"no command was run: {told}"
    assert all(step["ok"] for step in counted), f"the command failed: {told}"
    print(f"\n$ hector call librarian {QUESTION!r}\n{asked.stdout}{asked.stderr}", flush=True)


def _kill_each(demo: Stack) -> None:
    kills = []
    print(f"{'killed':<32}{'answers after':>14}{'healthy after':>14}{'calls':>7}  failed", flush=True)
    with calling(demo) as calls:
        calls.calm()
        for victim in VICTIMS:
            kills.append(kill(demo, calls, victim))
            print(_row(kills[-1]), flush=True)
    errors = Counter(call["error"] for call in calls.told if call["error"])
    print(f"calls: {len(calls.told)}, failed: {errors.total()} ({_counted(errors)}), longest: {_longest(calls):.1f} s")
    for name, words in {call["error"]: call["words"] for call in calls.told if call["error"]}.items():
        print(f"  {name}: {words}")
    assert errors.keys() <= NAMED, f"calls failed with {errors.keys() - NAMED}"
    for each in kills:
        strange = [call["words"] for call in each.failed if each.victim.name not in call["words"]]
        assert strange == [], f"{each.victim.name} was killed, and calls failed without naming it"
        assert each.answers < RECOVERY, f"{each.victim.service}: no answer for {each.answers:.1f} s"


def _row(each: Kill) -> str:
    times = f"{each.answers:>12.1f} s{each.healthy:>12.1f} s"
    return f"{each.victim.service:<32}{times}{each.calls:>7}  {_counted(each.names)}"


def _counted(errors: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in errors.items()) or "none"


def _longest(calls: Calls) -> float:
    return max(call["ended"] - call["began"] for call in calls.told)


def _had(seconds: float) -> str:
    return f"got in {seconds:.1f} s" if seconds else "answers already"


def _stopped(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
