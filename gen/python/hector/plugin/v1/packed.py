"""The messages that carry vectors, with vectors and metadata as bytes: the same wire, and no list per vector.

A vector is its float32 components, little-endian: `numpy.frombuffer(vector, "<f4")` reads it in place. Metadata and
filters are serialised `google.protobuf.Struct`s, empty where there is none. Floats may legally arrive one by one, or in
several packed pieces, though no common library sends them so: then a vector here is empty or only its last piece.
Whoever reads messages of strangers compares lengths, or asks `whole`, and reads what is not whole with the contract's
own type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from hector.plugin.v1 import database_pb2, embedder_pb2

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor
    from google.protobuf.message import Message

_pool = DescriptorPool()


def _retyped(file: FileDescriptor) -> FileDescriptorProto:
    copy = FileDescriptorProto()
    file.CopyToProto(copy)
    for field in (field for message in copy.message_type for field in message.field):
        floats = (field.type, field.label) == (FieldDescriptorProto.TYPE_FLOAT, FieldDescriptorProto.LABEL_REPEATED)
        if floats or field.type_name == ".google.protobuf.Struct":
            field.type, field.label = FieldDescriptorProto.TYPE_BYTES, FieldDescriptorProto.LABEL_OPTIONAL
            field.ClearField("type_name")
    return copy


def _add(file: FileDescriptor) -> None:
    for dependency in file.dependencies:
        _add(dependency)
    _pool.AddSerializedFile(_retyped(file).SerializeToString())  # a file that comes twice is harmless


def _message(name: str) -> Any:
    return GetMessageClass(_pool.FindMessageTypeByName(f"hector.plugin.v1.{name}"))


_add(database_pb2.DESCRIPTOR)
_add(embedder_pb2.DESCRIPTOR)

UpsertVectorsRequest = _message("UpsertVectorsRequest")
SearchVectorsRequest = _message("SearchVectorsRequest")
SearchVectorsResponse = _message("SearchVectorsResponse")
ListVectorsResponse = _message("ListVectorsResponse")
EmbedTextResponse = _message("EmbedTextResponse")
EmbedBatchResponse = _message("EmbedBatchResponse")


def whole(message: Message, wire: bytes) -> bool:
    """Whether a message of this module holds all that `wire`, which it was read from, says.

    False also where the wire has fields that this release does not know, or is merely longer than it need be.
    """
    message.DiscardUnknownFields()  # floats one by one are such fields here
    return message.ByteSize() == len(wire)
