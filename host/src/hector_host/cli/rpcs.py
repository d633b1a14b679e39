"""The RPCs of the contract for people who call them by hand: their names, an example of each request, and the call.

Everything comes from the descriptors, so an RPC that the contract gains is there by itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc.aio import AioRpcError

from hector.plugin.v1 import database_pb2, embedder_pb2, llm_pb2, plugin_pb2, reasoning_pb2, tool_pb2
from hector_host.config.problems import meant
from hector_host.errors import CallError, HectorError, quoted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from google.protobuf.descriptor import Descriptor, MethodDescriptor
    from google.protobuf.message import Message

    from hector_host.manager import Plugin

CONTRACT = (llm_pb2, embedder_pb2, database_pb2, tool_pb2, reasoning_pb2, plugin_pb2)

_KNOWN: dict[str, Any] = {
    "google.protobuf.Struct": {},
    "google.protobuf.Value": "text",
    "google.protobuf.ListValue": [],
    "google.protobuf.Duration": "1s",
    "google.protobuf.Timestamp": "2026-01-31T12:00:00Z",
}
"""Messages that JSON writes in another way than as objects of their fields."""

_NUMBERS = {
    FieldDescriptor.CPPTYPE_FLOAT: 0.5,
    FieldDescriptor.CPPTYPE_DOUBLE: 0.5,
    FieldDescriptor.CPPTYPE_BOOL: True,
    FieldDescriptor.CPPTYPE_STRING: "text",
}


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC.

    Attributes:
        service: Its full name.
        streams: It answers with any number of messages.
    """

    name: str
    service: str
    streams: bool
    method: MethodDescriptor

    @property
    def example(self) -> str:
        """A request, as JSON on one line. It shows the form; what can be left out mostly is."""
        return json.dumps(_example(self.method.input_type, 2))

    def request(self, text: str) -> Message:
        """The request that a text of JSON means; the quotes that a shell would have taken may be around it.

        Raises:
            HectorError: It is none.
        """
        request: Message = GetMessageClass(self.method.input_type)()
        if len(text) > 1 and text[0] == text[-1] == "'":
            text = text[1:-1]
        try:
            return json_format.Parse(text or "{}", request)
        except (json_format.ParseError, RecursionError, UnicodeError) as error:
            words = quoted(str(error), 300)
            raise HectorError(f"{self.name}: no {self.method.input_type.name}: {words}", f"Write {self}.") from None

    async def answers(self, plugin: Plugin, request: Message) -> AsyncIterator[Message]:
        """Makes the call; one message, or those of the stream.

        Raises:
            CallError: It failed.
        """
        make = plugin.channel.unary_stream if self.streams else plugin.channel.unary_unary
        rpc: Any = make(
            f"/{self.service}/{self.name}",
            request_serializer=GetMessageClass(self.method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(self.method.output_type).FromString,
        )
        call = rpc(request, metadata=plugin.metadata)
        try:
            if self.streams:
                async for message in call:
                    yield message
            else:
                yield await call
        except AioRpcError as error:
            words = quoted(error.details() or "")
            what = f"{self.name}: {error.code().name}" + (f": {words}" if words else "")
            failure = plugin.failure
            raise CallError(what, "" if failure is None else failure.what, code=error.code()) from None
        finally:
            call.cancel()

    def __str__(self) -> str:
        return f"{self.name} '{self.example}'"


def catalogue(services: Iterable[str]) -> dict[str, Rpc]:
    """The RPCs of these services, by their names: those of the kinds first, those that every plugin may have last."""
    offered = set(services)
    return {
        method.name: Rpc(method.name, service.full_name, bool(method.server_streaming), method)
        for module in CONTRACT
        for service in module.DESCRIPTOR.services_by_name.values()
        if service.full_name in offered
        for method in service.methods
    }


def chosen(known: dict[str, Rpc], name: str) -> Rpc:
    """The RPC of that name, however its capitals are written.

    Raises:
        HectorError: There is none.
    """
    small = {each.lower(): rpc for each, rpc in known.items()}
    found = small.get(name.lower())
    if found is None:
        near = meant(name.lower(), small)
        step = f"Did you mean {small[near[13:-1]].name}?" if near.startswith("Did") else meant(name, known, "It serves")
        raise HectorError(f"{quoted(name, 100)}: the plugin serves no such RPC", step)
    return found


def text_of(message: Message, *, indent: int | None) -> str:
    """A message as JSON. Fields that are empty are left out."""
    return json_format.MessageToJson(message, indent=indent, preserving_proto_field_name=True, ensure_ascii=False)


def _example(message: Descriptor, depth: int) -> dict[str, Any]:
    """The fields that say most: no optional ones, one of several alternatives, and messages where nothing else is."""
    plain = [field for field in message.fields if not (field.has_presence and field.message_type is None)]
    simple = [field for field in plain if _is_list(field) or field.message_type is None or _known(field)]
    return {field.name: _value(field, depth) for field in simple or plain[:1]}


def _value(field: FieldDescriptor, depth: int) -> Any:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        return {}
    if message is None:
        value: Any = field.enum_type.values[-1].name if field.enum_type else _NUMBERS.get(field.cpp_type, 1)
        value = "" if field.type == FieldDescriptor.TYPE_BYTES else value
    elif _known(field):
        value = _KNOWN[message.full_name]
    else:
        value = _example(message, depth - 1) if depth else {}
    return [value] if _is_list(field) else value


def _known(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name in _KNOWN


def _is_list(field: FieldDescriptor) -> bool:
    return bool(field.is_repeated)
