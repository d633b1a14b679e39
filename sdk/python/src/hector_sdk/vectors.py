"""Vectors as buffers: the contract's messages with each `repeated float` read and written as bytes, little-endian.

A message of a thousand vectors costs Python a list per vector; as bytes, `numpy.frombuffer(vector, "<f4")` reads it
in place. The bytes on the wire are the same. One limit: floats that are not packed, or packed in several chunks, are
legal and read wrong; check that `len(vector) == 4 * dimension`, else parse the contract's own type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor


class Views:
    """Twins of the message types of one file of the contract."""

    def __init__(self, file: FileDescriptor) -> None:
        """Retype a file.

        Args:
            file: As in `database_pb2.DESCRIPTOR`.
        """
        self._package = file.package
        self._pool = DescriptorPool()
        self._add(file)

    def __getattr__(self, name: str) -> Any:
        """Look up the message class with that name in the contract."""
        try:
            return GetMessageClass(self._pool.FindMessageTypeByName(f"{self._package}.{name}"))
        except KeyError:
            raise AttributeError(name) from None

    def _add(self, file: FileDescriptor) -> None:
        for dependency in file.dependencies:
            self._add(dependency)
        copy = FileDescriptorProto()
        file.CopyToProto(copy)
        for message in copy.message_type:
            for field in message.field:
                if (field.type, field.label) == (FieldDescriptorProto.TYPE_FLOAT, FieldDescriptorProto.LABEL_REPEATED):
                    field.type, field.label = FieldDescriptorProto.TYPE_BYTES, FieldDescriptorProto.LABEL_OPTIONAL
        self._pool.AddSerializedFile(copy.SerializeToString())
