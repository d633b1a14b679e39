"""An error of the host on its way through gRPC: a status with one google.rpc.ErrorInfo, and the same error again.

Headers are small: 8 KiB for all of them is what every client takes. A text that is too long for that is cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]  # ships no types
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # same

from hector_host import errors
from hector_host.errors import (
    CallError,
    ConfigError,
    HectorError,
    NotFoundError,
    PluginError,
    QuestionError,
    RunError,
    class_named,
)

if TYPE_CHECKING:
    from grpc.aio import AioRpcError

DOMAIN = "hector"
DETAILS = "grpc-status-details-bin"
STEP = "step"
WHAT_LIMIT = 3000
"""Bytes of what happened, in the details."""
STEP_LIMIT = 1000
MESSAGE_LIMIT = 500
"""Bytes of what happened, in the status's own message, where each may take three."""

_CODES = {
    NotFoundError: grpc.StatusCode.NOT_FOUND,
    ConfigError: grpc.StatusCode.FAILED_PRECONDITION,
    QuestionError: grpc.StatusCode.INVALID_ARGUMENT,
    PluginError: grpc.StatusCode.UNAVAILABLE,
    RunError: grpc.StatusCode.ABORTED,
}


def code_of(error: HectorError) -> grpc.StatusCode:
    """The status code that tells of an error."""
    if isinstance(error, CallError):
        return error.code if error.code not in (None, grpc.StatusCode.OK) else grpc.StatusCode.ABORTED
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), grpc.StatusCode.INTERNAL)


def class_of(error: HectorError) -> str:
    """The class of an error among those of `errors`."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)


def message_of(error: HectorError) -> str:
    """The message of the status: what happened."""
    return _cut(error.what, MESSAGE_LIMIT)


def trailers_of(error: HectorError, code: grpc.StatusCode) -> tuple[tuple[str, bytes], ...]:
    """The trailing metadata that carries an error beside its code."""
    info = ErrorInfo(domain=DOMAIN, reason=class_of(error))
    if error.step:
        info.metadata[STEP] = _cut(error.step, STEP_LIMIT)
    status = Status(code=code.value[0], message=_cut(error.what, WHAT_LIMIT))
    status.details.add().Pack(info)
    return ((DETAILS, status.SerializeToString()),)


def rebuilt(error: AioRpcError) -> HectorError | None:
    """The error that the host raised; None when a status is not from a host."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS and isinstance(value, bytes):
            try:
                return _error(Status.FromString(value), error.code())
            except DecodeError:
                return None
    return None


def _error(status: Status, code: grpc.StatusCode) -> HectorError | None:
    info = ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info) and info.domain == DOMAIN:
            step = info.metadata.get(STEP, "")
            if info.reason == CallError.__name__:
                return CallError(status.message, step, code=code)
            return class_named(info.reason)(status.message, step)
    return None


def _cut(text: str, limit: int) -> str:
    """The text in at most `limit` bytes of UTF-8 and a mark that there is more."""
    whole = text.encode()
    return text if len(whole) <= limit else whole[:limit].decode(errors="ignore") + " …"
