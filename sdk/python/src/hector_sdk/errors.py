"""How a plugin says that something went wrong.

    Failure         the domain's final no: `success = false`, or FAILED_PRECONDITION where a response has no `success`
    Status          any gRPC status; worth a retry or not as its code says
    └── InvalidOptions   INVALID_ARGUMENT with the bad fields as google.rpc.BadRequest
    StartFailed     this process cannot serve at all; it ends with this message

Whatever else a provider raises is a bug: INTERNAL with the name of its type alone, and the traceback in the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import grpc

DETAILS_KEY = "grpc-status-details-bin"


class Failure(Exception):  # noqa: N818 - the word for it, as in the contract
    """The domain says no, finally: a retry would be answered alike."""


class Status(Exception):  # noqa: N818 - gRPC's name for it
    """A call fails with this gRPC status.

    Attributes:
        code: Any but OK.
        message: One sentence for people.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message

    def trailers(self) -> tuple[tuple[str, str | bytes], ...]:
        """Metadata that travels with the status."""
        return ()


class InvalidOptions(Status):
    """Options that the plugin refuses.

    Attributes:
        violations: Pairs of a field's path, like `replies[0].delay`, and what is wrong with it. No path: the whole.
    """

    def __init__(self, field: str, message: str, *more: tuple[str, str]) -> None:
        import grpc

        self.violations = ((field, message), *more)
        words = "; ".join(f"{path}: {what}" if path else what for path, what in self.violations)
        super().__init__(grpc.StatusCode.INVALID_ARGUMENT, words)

    @classmethod
    def of(cls, violations: Iterable[tuple[str, str]]) -> InvalidOptions:
        """All of them in one error; there must be one at least."""
        (field, message), *more = violations
        return cls(field, message, *more)

    def trailers(self) -> tuple[tuple[str, str | bytes], ...]:
        """A google.rpc.Status with one BadRequest."""
        from google.protobuf.any_pb2 import Any
        from google.rpc.error_details_pb2 import BadRequest  # type: ignore[import-untyped]  # ships no types
        from google.rpc.status_pb2 import Status as RichStatus  # type: ignore[import-untyped]  # same

        request = BadRequest()
        for field, what in self.violations:
            request.field_violations.add(field=field, description=what)
        packed = Any()
        packed.Pack(request)
        rich = RichStatus(code=self.code.value[0], message=self.message, details=[packed])
        return ((DETAILS_KEY, rich.SerializeToString()),)


def as_status(error: Exception) -> Status:
    """The status that an error becomes: itself if it is one already."""
    import grpc

    if isinstance(error, Status):
        return error
    if isinstance(error, Failure):
        return Status(grpc.StatusCode.FAILED_PRECONDITION, str(error))
    return Status(grpc.StatusCode.INTERNAL, type(error).__name__)


class StartFailed(Exception):  # noqa: N818 - what happened, not a type of mistake
    """This process cannot serve; it says why on stderr and exits with 1."""
