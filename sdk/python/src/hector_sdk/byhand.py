"""A plugin started by a person or a container: it explains itself, listens where it is told, or asks another."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hector_sdk import binding, logs, serving
from hector_sdk.errors import StartFailed, Status
from hector_sdk.identity import command
from hector_sdk.lifecycle import Settings
from hector_sdk.providers import Provider
from hector_sdk.values import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector_sdk.identity import Identity

GRACE = 8.0
"""Seconds that calls in flight get: containers are killed ten seconds after SIGTERM."""
HEALTH_TIMEOUT = 5.0


def main(providers: Sequence[object], identity: Identity, arguments: Sequence[str]) -> int:
    """Do what the arguments say.

    Returns:
        The exit code: 0 when it served or is healthy, 1 else, 2 for arguments that nobody knows.
    """
    identity = identity.completed()
    parser = argparse.ArgumentParser(prog=command(), description=_what(providers, identity))
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--listen", metavar="ADDRESS", help="serve at HOST:PORT, :PORT or unix:PATH")
    parser.add_argument("--data-dir", metavar="DIR", default="", help="where it may keep data")
    parser.add_argument("--config", metavar="JSON or FILE", help="its options, as a JSON object or a file with one")
    parser.add_argument("--health", metavar="ADDRESS", help="ask a running one: exit code 0 when it is ready, else 1")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.health:
            return asyncio.run(_health(chosen.health))
        if chosen.listen:
            settings = _settings(chosen.config, chosen.data_dir)
            return asyncio.run(_listen(providers, identity, settings, chosen.listen))
    except (StartFailed, Status) as error:
        print(f"{identity.name}: {error}", file=sys.stderr)  # noqa: T201 - the terminal is its user interface
        return 1
    parser.print_help(sys.stderr)
    return 1


def _what(providers: Sequence[object], identity: Identity) -> str:
    services = [_service(each) for each in providers]
    return (
        f"{identity.name} {identity.version}: {identity.description}\n\n"
        f"A Hector plugin, to be started by a host. It serves {', '.join(services)}.\n"
        "Name it in a configuration (plugins: ... path, package or command), or serve it by hand with --listen."
    )


def _service(provider: object) -> str:
    if isinstance(provider, Provider):
        return binding.of_provider(provider, None)[0]
    return binding.of_servicer(provider)[0]


def _settings(config: str | None, data_dir: str) -> Settings:
    settings = serving.configured(os.environ) or Settings()
    if config is not None:
        settings = replace(settings, config=_config(config))
    return replace(settings, data_dir=data_dir or settings.data_dir)


def _config(given: str) -> dict[str, Any]:
    if given.lstrip().startswith("{"):
        text, where = given, "--config"
    else:
        where = f"--config {given}"
        try:
            text = Path(given).read_text(encoding="utf-8")
        except OSError as error:
            raise StartFailed(f"{where}: {error.strerror}") from None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise StartFailed(f"{where}: no JSON: {error}") from None
    if not isinstance(value, dict):
        raise StartFailed(f"{where}: not a JSON object")
    made: dict[str, Any] = whole(value)
    return made


async def _listen(providers: Sequence[object], identity: Identity, settings: Settings, address: str) -> int:
    from hector_sdk.server import Server

    logs.to_stderr()
    async with Server(providers, identity, settings, grace=GRACE) as server:
        serving.stop_on_signals(server.stopping, signal.SIGTERM, signal.SIGINT)
        listening = await server.listen(address)
        print(f"{identity.name} listens on {listening}", flush=True)  # noqa: T201 - port 0 is known only now
        server.lifecycle.begin()
        stopped = asyncio.create_task(server.stopping.wait())
        started = asyncio.create_task(server.lifecycle.started())
        try:
            await asyncio.wait((stopped, started), return_when=asyncio.FIRST_COMPLETED)
            if started.done():
                started.result()
            await stopped
        finally:
            stopped.cancel()
            started.cancel()
            await asyncio.gather(stopped, started, return_exceptions=True)
    serving.end_soon(0)
    return 0


async def _health(address: str) -> int:
    import grpc
    from grpc_health.v1 import health_pb2

    target = f"localhost{address}" if address.startswith(":") else address
    async with grpc.aio.insecure_channel(target) as channel:
        try:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            answer = await check(health_pb2.HealthCheckRequest(), timeout=HEALTH_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            print(f"{address}: {error.code().name}: {error.details()}", file=sys.stderr)  # noqa: T201 - user interface
            return 1
    name = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    print(name)  # noqa: T201 - the answer
    return 0 if answer.status == health_pb2.HealthCheckResponse.SERVING else 1
