"""How a call ended, against how it has to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from grpc import StatusCode
from grpc.aio import AioRpcError

from hector_conformance.case import Failed
from hector_host.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")
WORDS = 300


async def refused(what: str, call: Awaitable[object], *codes: StatusCode) -> AioRpcError:
    """The error with which a call was refused.

    Args:
        what: The call, as it begins a sentence: `SearchVectors with limit 0`.
        codes: Those that the contract names for it.

    Raises:
        Failed: It was answered, or refused with another code.
    """
    wanted = " or ".join(code.name for code in codes)
    try:
        await call
    except AioRpcError as error:
        if error.code() in codes:
            return error
        raise Failed(f"{what} is {wanted}; it answered {told(error)}") from None
    raise Failed(f"{what} is {wanted}; it answered OK")


async def answered(what: str, call: Awaitable[T]) -> T:
    """The answer of a call that has to succeed.

    Raises:
        Failed: It ended with an error.
    """
    try:
        return await call
    except AioRpcError as error:
        raise Failed(f"{what} is answered; it ended with {told(error)}") from None


async def answered_or_refused(what: str, call: Awaitable[T], *codes: StatusCode) -> T | None:
    """The answer of a call that may also be refused; None when it was, with one of the codes.

    Raises:
        Failed: It ended with another code.
    """
    try:
        return await call
    except AioRpcError as error:
        if error.code() in codes:
            return None
        wanted = " or ".join(code.name for code in codes)
        raise Failed(f"{what} is answered, or refused with {wanted}; it ended with {told(error)}") from None


def told(error: AioRpcError) -> str:
    """A status, safe to print."""
    words = quoted(error.details() or "", WORDS)
    return error.code().name + (f": {words}" if words else "")


__all__ = ["StatusCode", "answered", "answered_or_refused", "refused", "told"]
