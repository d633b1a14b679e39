"""A live host as other programs see it: the command `hector serve`, and a client of its API."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from commandline import Command, Hector, until

from hector.host.v1.hector_pb2 import (
    CallRequest,
    GetRunRequest,
    GetRunResponse,
    ListPluginsRequest,
    ListRunsRequest,
    RunStatus,
)
from hector.host.v1.hector_pb2_grpc import HectorStub
from hector.host.v1.run_pb2 import RunEvent
from hector.host.v1.supervision_pb2 import PluginState, PluginStatus

READY = re.compile(r"Serving \d+ agents? on (.+)\n")
SECONDS = 30


@dataclass
class Live:
    """A live host.

    Attributes:
        err: What it has printed on stderr as far as it was read.
    """

    command: Command
    address: str
    channel: grpc.Channel
    err: str = ""
    stub: HectorStub = field(init=False)

    def __post_init__(self) -> None:
        self.stub = HectorStub(self.channel)

    def call(self, message: str, agent: str = "a", **more: Any) -> list[RunEvent]:
        return list(self.begin(message, agent, **more))

    def begin(self, message: str, agent: str = "a", **more: Any) -> Any:
        """The stream of a call."""
        return self.stub.Call(CallRequest(agent=agent, message=message, **more), timeout=SECONDS)

    def answer(self, message: str, agent: str = "a", **more: Any) -> str:
        last = self.call(message, agent, **more)[-1]
        assert last.WhichOneof("event") == "run_finished", last
        return last.run_finished.answer

    def plugin(self, name: str) -> PluginStatus:
        (found,) = [each for each in self.stub.ListPlugins(ListPluginsRequest()).plugins if each.name == name]
        return found

    def until_ready(self, name: str) -> PluginStatus:
        until(lambda: self.plugin(name).state == PluginState.PLUGIN_STATE_READY)
        return self.plugin(name)

    def runs(self) -> list[str]:
        """How each run is, the newest first."""
        runs = self.stub.ListRuns(ListRunsRequest()).runs
        return [RunStatus.Name(run.status).removeprefix("RUN_STATUS_").lower() for run in runs]

    def run(self, run_id: str) -> GetRunResponse:
        return self.stub.GetRun(GetRunRequest(run_id=run_id))

    def read_error_until(self, text: str) -> str:
        while text not in self.err:
            self.err += self.command.read_error_until("\n")
        return self.err


@contextmanager
def serving(hector: Hector, *arguments: str, port: str | None = "0") -> Iterator[Live]:
    """`hector serve` that listens, on any free port unless the test says otherwise; ended as a service manager does."""
    chosen = () if port is None else ("--port", port)
    with hector.running("serve", *chosen, *arguments) as command:
        found = READY.fullmatch(command.read_until("\n"))
        assert found is not None
        with grpc.insecure_channel(found[1]) as channel:
            yield Live(command, found[1], channel)
        if command.running():
            command.send(signal.SIGTERM)
            assert command.end().code == 0
