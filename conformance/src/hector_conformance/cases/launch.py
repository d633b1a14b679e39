"""What every plugin promises about its process: the handshake, its end, and its ways by hand."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import grpc
from grpc.aio import AioRpcError
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hector_conformance.case import RESTART, Failed, NotOffered, case
from hector_conformance.launched import BARE, STOP, Launched, launched, options
from hector_host.manager.connect.channel import connect
from hector_host.manager.launch import ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hector_conformance.subject import Subject
    from hector_host.manager.launch.handshake import Endpoint

PAUSE = 0.1
"""Seconds between two questions for health."""


@case(None, "contract", requires=(RESTART,))
async def handshake_comes_first(subject: Subject) -> None:
    """The handshake is the first line of standard output, and its address listens."""
    async with _shaken(subject) as (_, endpoint), contextlib.AsyncExitStack() as closing:
        connection = (
            asyncio.open_unix_connection(endpoint.address)
            if endpoint.network == "unix"
            else asyncio.open_connection(*endpoint.address.rsplit(":", 1))
        )
        try:
            _, writer = await connection
        except OSError as error:
            raise Failed(f"the address of its handshake listens; connecting to it: {error.strerror}") from None
        closing.callback(writer.close)


@case(None, "contract", requires=(RESTART,))
async def sigterm_ends_it(subject: Subject) -> None:
    """SIGTERM ends it within 2 s."""
    if await subject.once("sigterm", lambda: _terminated(subject)) is None:
        raise Failed(f"SIGTERM ends it within {STOP:g} s; it goes on")


@case(None, "contract", requires=(RESTART,))
async def nothing_is_left_of_it(subject: Subject) -> None:
    """Once it has ended after SIGTERM, no process that it started is left."""
    if sys.platform != "linux":
        raise NotOffered("on this system nobody can look")
    left = await subject.once("sigterm", lambda: _terminated(subject))
    if left is None:
        raise NotOffered("SIGTERM does not end it")
    if left:
        raise Failed(f"nothing is left of it; {len(left)} of its processes are")


@case(None, "contract", requires=(RESTART,))
async def shutdown_ends_it(subject: Subject) -> None:
    """plugin.GRPCController/Shutdown ends it within 2 s."""
    async with _shaken(subject) as (process, endpoint), _channel(endpoint) as channel:
        shut_down: Any = channel.unary_unary("/plugin.GRPCController/Shutdown")
        try:
            await shut_down(b"", timeout=STOP, wait_for_ready=True)
        except AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                raise NotOffered("it serves no Shutdown: SIGTERM ends it") from None
        if not await process.ends(STOP):
            raise Failed(f"Shutdown ends it within {STOP:g} s; it goes on")


@case(None, "contract", requires=(RESTART,))
async def it_ends_with_its_host(subject: Subject) -> None:
    """It ends when nobody reads its standard output any more."""
    async with _shaken(subject) as (process, _):
        process.leave()
        if not await process.ends(STOP):
            raise NotOffered(f"it goes on for more than {STOP:g} s: Hector ends it, other hosts may not")


@case(None, "contract", requires=(RESTART,))
async def by_hand_it_says_what_it_is(subject: Subject) -> None:
    """Started without a host it ends, and prints no handshake."""
    async with _shaken(subject):
        pass
    async with launched(subject, by_host=False) as process:
        if not await process.ends(subject.limit / 2):
            raise Failed(f"without a host it ends; it goes on for more than {subject.limit / 2:g} s")


@case(None, "contract", requires=(RESTART,))
async def by_hand_it_listens_where_told(subject: Subject) -> None:
    """--listen ADDRESS serves there, and --health ADDRESS exits with 0 then."""
    if subject.bare:
        raise NotOffered(BARE)
    with tempfile.TemporaryDirectory(prefix="hc-") as sockets:
        address = f"unix:{sockets}/s"
        arguments = ("--listen", address, "--data-dir", str(subject.folder()), "--config", options(subject))
        async with launched(subject, arguments, by_host=False) as process, _dialled(address) as channel:
            try:
                async with asyncio.timeout(subject.limit / 2):
                    if not await _listens(process, channel):
                        raise NotOffered("--listen is a custom of the SDKs, and no duty")
                    await _healthy(channel)
            except TimeoutError:
                raise NotOffered("it does not listen where --listen tells it to") from None
            async with launched(subject, ("--health", address), by_host=False) as health:
                if not await health.ends(subject.limit / 2) or health.process.returncode != 0:
                    code = health.process.returncode
                    raise Failed(f"--health of one that listens exits with 0; it exits with {code}")


async def _terminated(subject: Subject) -> list[int] | None:
    """What is left after SIGTERM; None when it goes on."""
    async with _shaken(subject) as (process, _):
        process.process.terminate()
        return process.left() if await process.ends(STOP) else None


@contextlib.asynccontextmanager
async def _shaken(subject: Subject) -> AsyncIterator[tuple[Launched, Endpoint]]:
    """A process that has printed its handshake."""
    if subject.bare:
        raise NotOffered(BARE)
    if subject.bare is None:
        async with subject.running() as instance:
            takes_a_port = bool(ports.listening(instance.running.pid))
        if takes_a_port:
            await subject.rest()  # two cannot share a port
    async with launched(subject) as process:
        try:
            endpoint = await process.handshake()
        except NotOffered:
            subject.bare = True
            raise
        subject.bare = False
        yield process, endpoint


@contextlib.asynccontextmanager
async def _channel(endpoint: Endpoint) -> AsyncIterator[grpc.aio.Channel]:
    prefix = "unix:" if endpoint.network == "unix" else ""
    async with _dialled(f"{prefix}{endpoint.address}") as channel:
        yield channel


@contextlib.asynccontextmanager
async def _dialled(address: str) -> AsyncIterator[grpc.aio.Channel]:
    channel = connect(address)
    try:
        yield channel
    finally:
        await channel.close()


async def _healthy(channel: grpc.aio.Channel) -> None:
    """Waits until its health, where it serves that, is SERVING."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    while True:
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest())
        except AioRpcError:
            return
        if answer.status == health_pb2.HealthCheckResponse.SERVING:
            return
        await asyncio.sleep(PAUSE)


async def _listens(process: Launched, channel: grpc.aio.Channel) -> bool:
    """Waits until somebody listens there; False when the process ends first."""
    ready = asyncio.ensure_future(channel.channel_ready())
    ended = asyncio.ensure_future(process.process.wait())
    try:
        await asyncio.wait((ready, ended), return_when=asyncio.FIRST_COMPLETED)
        return ready.done()
    finally:
        for each in (ready, ended):
            each.cancel()
        await asyncio.gather(ready, ended, return_exceptions=True)
