"""The twins of echo-llm as processes: built, started by hand or as by a host, and asked."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from hector.plugin.v1.plugin_pb2 import ConfigureRequest
from hector.plugin.v1.plugin_pb2_grpc import PluginStub

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from google.protobuf.message import Message

SOURCES = Path(__file__).parents[2] / "plugins/echo-llm-go"
SECONDS = 60.0
"""Longest wait for anything: never reached, but by a failure."""


@dataclass(frozen=True)
class Twin:
    """One of the two programs."""

    name: str
    command: tuple[str, ...]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs it by hand to its end."""
        command = [*self.command, *arguments]
        return subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=SECONDS)

    @contextmanager
    def listening(self, address: str, *arguments: str) -> Iterator[Served]:
        """Serves by hand, until the block ends."""
        with self._started("--listen", address, *arguments) as process:
            prefix, _, said = line(process).partition(" listens on ")
            assert prefix == self.name
            with connected(said) as channel:
                yield Served(process, channel, said)

    @contextmanager
    def launched(self, sockets: Path) -> Iterator[Served]:
        """Serves as a host launches it, without options: Configure is to follow. The address is the handshake line."""
        launch = {
            "HECTOR_PLUGIN": "hector_plugin_v1",
            "PLUGIN_PROTOCOL_VERSIONS": "1",
            "PLUGIN_UNIX_SOCKET_DIR": str(sockets),
        }
        with self._started(**launch) as process:
            said = line(process)
            network, address = said.split("|")[2:4]
            with connected(f"{network}:{address}") as channel:
                yield Served(process, channel, said)

    @contextmanager
    def _started(self, *arguments: str, **launch: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [*self.command, *arguments],
            env=environment() | launch,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=SECONDS)


@dataclass(frozen=True)
class Served:
    """A program that listens.

    Attributes:
        process: Its process.
        channel: To it, connected.
        said: What it said of its address.
    """

    process: subprocess.Popen[str]
    channel: grpc.Channel
    said: str


def both(folder: Path) -> tuple[Twin, Twin]:
    """The Python program, and the Go program, built into a folder."""
    executable = folder / "echo-llm-go"
    subprocess.run(["go", "build", "-o", executable, "."], cwd=SOURCES, check=True)
    python = Twin("echo-llm", (sys.executable, "-m", "hector_echo_llm"))
    return python, Twin("echo-llm-go", (str(executable),))


def environment() -> dict[str, str]:
    """The caller's, without what a host or a developer may have set for plugins."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("HECTOR_", "PLUGIN_"))}


def line(process: subprocess.Popen[str]) -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    said = process.stdout.readline()
    assert said.endswith("\n"), f"it ended, or said {said!r}"
    return said.removesuffix("\n")


@contextmanager
def connected(address: str) -> Iterator[grpc.Channel]:
    """A channel that is ready."""
    with grpc.insecure_channel(address) as channel:
        grpc.channel_ready_future(channel).result(SECONDS)
        yield channel


@dataclass(frozen=True)
class Outcome:
    """All that comes of a call.

    Attributes:
        messages: As bytes, which equal messages share.
        code: The status that it ended with.
        details: The words of the status.
    """

    messages: tuple[bytes, ...]
    code: grpc.StatusCode = grpc.StatusCode.OK
    details: str = ""


def outcome(answers: Iterable[Message]) -> Outcome:
    """Of a stream, or of a unary call by `awaited`."""
    messages: list[bytes] = []
    try:
        for message in answers:
            messages.append(message.SerializeToString(deterministic=True))  # noqa: PERF401 - those before an error count
    except grpc.RpcError as error:
        return Outcome(tuple(messages), error.code(), error.details() or "")
    return Outcome(tuple(messages))


def awaited(call: grpc.Future[Message]) -> Iterator[Message]:
    """The one answer of a unary call that was begun by `future`."""
    yield call.result()


def configure(channel: grpc.Channel, options: Mapping[str, Any]) -> None:
    """Configures, and waits until the plugin is ready."""
    request = ConfigureRequest()
    request.config.update(options)
    PluginStub(channel).Configure(request, timeout=SECONDS)


def health(channel: grpc.Channel) -> str:
    """What it says of itself."""
    answer = HealthStub(channel).Check(HealthCheckRequest(), timeout=SECONDS)
    name: str = HealthCheckResponse.ServingStatus.Name(answer.status)
    return name


def violations(error: grpc.RpcError) -> dict[str, str]:
    """The fields that a refusal names, with what it says of each."""
    packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
    (detail,) = Status.FromString(packed).details
    request = BadRequest()
    assert detail.Unpack(request)
    return {each.field: each.description for each in request.field_violations}
