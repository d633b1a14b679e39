"""What came of a call whose response has `success`: an answer that says yes, or a status with the right code."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import grpc

from hector_conformance.case import Failed, NotOffered
from hector_conformance.statuses import told
from hector_host.errors import quoted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from hector_conformance.subject import Subject

T = TypeVar("T")

SHOWN = 200
"""Characters of a plugin's words that a verdict repeats."""


async def answer(call: Awaitable[T], what: str) -> T:
    """The answer of a call that has to succeed.

    Args:
        what: The call, as a verdict begins: `UpsertVectors with no vectors`.

    Raises:
        Failed: It ended with a status, or with success = false.
        NotOffered: The plugin has no such RPC.
    """
    try:
        response = await call
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            raise NotOffered(f"{what}: answered with UNIMPLEMENTED") from None
        raise Failed(f"{what}: should succeed, failed with {told(error)}") from None
    if not getattr(response, "success", True):
        words = quoted(getattr(response, "error", ""), SHOWN)
        raise Failed(f'{what}: should succeed, answered success = false, "{words}"')
    return response


async def refusal(subject: Subject, call: Awaitable[object], code: grpc.StatusCode, what: str) -> None:
    """Judges a call that has to fail with this code.

    Raises:
        Failed: It succeeded, or failed otherwise.
        NotOffered: A bare server said no in the guide's own way, which has no codes.
    """
    try:
        response = await call
    except grpc.aio.AioRpcError as error:
        if error.code() is code:
            return
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            raise NotOffered(f"{what}: answered with UNIMPLEMENTED") from None
        raise Failed(f"{what}: should be {code.name}, was {told(error)}") from None
    if getattr(response, "success", True):
        raise Failed(f"{what}: should be {code.name}, was a success")
    if await bare(subject):
        raise NotOffered("it says no by success = false alone, without a code")
    words = quoted(getattr(response, "error", ""), SHOWN)
    raise Failed(f'{what}: should be {code.name}, was success = false, "{words}"')


async def bare(subject: Subject) -> bool:
    """Whether it is a bare server, which serves its provider and no `Plugin`."""
    return not await subject.offers("Describe")


@asynccontextmanager
async def beyond_bare(subject: Subject, field: str) -> AsyncIterator[None]:
    """Judges what a field promises that bare servers need not know: what one of them breaks is not offered."""
    try:
        yield
    except Failed:
        if not await bare(subject):
            raise
        raise NotOffered(f"a bare server that does not know {field}") from None
