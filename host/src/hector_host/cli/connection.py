"""The connection to a live host: who answers is asked first, and which version it is."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

import grpc
from grpc.aio import AioRpcError

from hector.host.v1.hector_pb2 import GetHostRequest, GetHostResponse
from hector.host.v1.hector_pb2_grpc import HectorStub
from hector_host.cli.remote import RemoteClient
from hector_host.errors import HectorError, quoted
from hector_host.manager.connect.channel import connect
from hector_host.manager.terminations import Terminations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hector_host.cli.address import Address

TIMEOUT = 5.0
"""Seconds within which a host says who it is."""

OTHER_PROTOCOL = ("http1", "parsing HTTP/2")
"""What gRPC says of somebody who answers in another protocol."""


class NobodyThereError(HectorError):
    """No host answers at an address."""


@asynccontextmanager
async def opened(address: Address, *, looking: bool, verbose: bool) -> AsyncIterator[RemoteClient]:
    """The host at an address. SIGTERM and SIGHUP end the calls to it before they end the process.

    Args:
        looking: Nothing is to be changed, so a host of another version may answer as well as it can.
        verbose: Say where its plugins log.

    Raises:
        NobodyThereError: Nobody answers.
        HectorError: Who answers is no host, or one of another version.
    """
    terminations = Terminations()
    terminations.watch()
    try:
        async with connect(address.target) as channel:
            host = await _greeted(channel, address)
            _compare(host, address, looking=looking)
            if verbose:
                print(f"hector: its plugins log into {quoted(host.storage_path)}/logs", file=sys.stderr)
            yield RemoteClient(channel, host, address.label)
    except asyncio.CancelledError:
        if terminations.received:
            raise SystemExit(128 + terminations.received) from None
        raise
    finally:
        terminations.forget()


async def _greeted(channel: grpc.aio.Channel, address: Address) -> GetHostResponse:
    try:
        host = await HectorStub(channel).GetHost(GetHostRequest(), timeout=TIMEOUT)
    except AioRpcError as error:
        code, words = error.code(), error.details() or ""
    else:
        if address.config_file in ("", host.config_file):
            return host
        raise NobodyThereError(f"{address.label}: another host answers there")
    start = f"Start a host there with hector serve, or {address.otherwise}."
    if code is grpc.StatusCode.UNIMPLEMENTED or any(sign in words for sign in OTHER_PROTOCOL):
        raise HectorError(f"{address.label}: who answers there is no Hector host", start)
    if code is grpc.StatusCode.UNAVAILABLE:
        raise NobodyThereError(f"{address.label}: nobody answers there", start)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        raise NobodyThereError(f"{address.label}: no answer within {TIMEOUT:g} s", start)
    raise HectorError(f"{address.label}: {code.name}: {quoted(words)}", start)


def _compare(host: GetHostResponse, address: Address, *, looking: bool) -> None:
    """A host of another version is not asked to change anything: what it would make of it, nobody has tried."""
    own = version("hector-host")
    if host.version.split(".")[:2] == own.split(".")[:2]:
        return
    what = f"{address.label}: that host is Hector {quoted(host.version, 30)}, this command is Hector {own}"
    if looking:
        print(f"hector: {what}; it may not show everything", file=sys.stderr)
        return
    raise HectorError(
        what,
        f"Start it again with this version: hector serve --config {quoted(host.config_file)}; or {address.otherwise}.",
    )
