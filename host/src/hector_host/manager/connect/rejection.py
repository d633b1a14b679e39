"""Which options a plugin rejects: the `google.rpc.BadRequest` in the details of its status."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from hector_host.errors import quoted

if TYPE_CHECKING:
    from grpc.aio import AioRpcError

_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Violation:
    """One option that is wrong.

    Attributes:
        field: The path to it inside the options, e.g. ("replies", 0, "text").
        words: What the plugin says of it, safe to print.
    """

    field: tuple[str | int, ...]
    words: str


class Rejected(Exception):  # noqa: N818 (it becomes a ConfigError where the file is known)
    """A plugin does not take its options.

    Attributes:
        violations: What is wrong, option by option; empty when the plugin does not say which.
        words: The status's own message, safe to print.
    """

    def __init__(self, violations: tuple[Violation, ...], words: str) -> None:
        super().__init__(words)
        self.violations = violations
        self.words = words


def violations(error: AioRpcError) -> tuple[Violation, ...]:
    """The violations in a status, in the plugin's order."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            try:
                return tuple(_read(value))
            except DecodeError:
                return ()
    return ()


def path(field: str) -> tuple[str | int, ...]:
    """`replies[0].text` as ("replies", 0, "text"); so are `replies.0.text` and `config.replies[0].text`."""
    parts = [part for part in re.split(r"[.\[\]]+", field) if part]
    if parts[:1] == ["config"] and len(parts) > 1:
        parts = parts[1:]
    return tuple(int(part) if part.isdigit() else part for part in parts)


def _read(details: bytes) -> list[Violation]:
    from google.rpc.error_details_pb2 import BadRequest  # type: ignore[import-untyped]  # ships no types
    from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # same

    found, request = [], BadRequest()
    for detail in Status.FromString(details).details:
        if detail.Is(BadRequest.DESCRIPTOR):
            detail.Unpack(request)
            found += [Violation(path(each.field), quoted(each.description)) for each in request.field_violations]
    return found
