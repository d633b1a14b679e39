"""Which options a plugin rejects: the `google.rpc.BadRequest` in the details of its status.

The three messages are described here, in a pool of their own: they are three fields, and the package that carries them
would be one more dependency of every host.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from hector_host.errors import quoted

if TYPE_CHECKING:
    from grpc.aio import AioRpcError

_DETAILS = "grpc-status-details-bin"
_Field = descriptor_pb2.FieldDescriptorProto


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
    status = _message("google.rpc.Status").FromString(details)
    found = []
    for detail in status.details:
        if detail.type_url.endswith("/google.rpc.BadRequest"):
            request = _message("google.rpc.BadRequest").FromString(detail.value)
            found += [Violation(path(each.field), quoted(each.description)) for each in request.field_violations]
    return found


@functools.cache
def _message(name: str) -> Any:
    pool = descriptor_pool.DescriptorPool()
    any_file = descriptor_pb2.FileDescriptorProto()
    any_pb2.DESCRIPTOR.CopyToProto(any_file)
    pool.AddSerializedFile(any_file.SerializeToString())
    file = descriptor_pb2.FileDescriptorProto(
        name="hector_host/status.proto", package="google.rpc", syntax="proto3", dependency=[any_file.name]
    )
    text, message = _Field.TYPE_STRING, _Field.TYPE_MESSAGE
    one, many = _Field.LABEL_OPTIONAL, _Field.LABEL_REPEATED
    status = file.message_type.add(name="Status")
    status.field.add(name="message", number=2, type=text, label=one)
    status.field.add(name="details", number=3, type=message, label=many, type_name=".google.protobuf.Any")
    request = file.message_type.add(name="BadRequest")
    request.field.add(
        name="field_violations", number=1, type=message, label=many, type_name=".google.rpc.BadRequest.FieldViolation"
    )
    violation = request.nested_type.add(name="FieldViolation")
    violation.field.add(name="field", number=1, type=text, label=one)
    violation.field.add(name="description", number=2, type=text, label=one)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
