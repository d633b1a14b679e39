"""From a provider to gRPC handlers: each RPC of its service is the coroutine of the same name in snake case.

Here exceptions become statuses, metadata becomes `current_call`, and calls are held back until the plugin is ready.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message_factory import GetMessageClass

from hector_sdk import call
from hector_sdk.errors import Failure, as_status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

    from hector_sdk.gate import Gate
    from hector_sdk.providers import Provider

    Context = grpc.aio.ServicerContext[Any, Any]

log = logging.getLogger("hector_sdk")

Handlers = dict[str, "grpc.RpcMethodHandler[Any, Any]"]


def of_provider(provider: Provider[Any], gate: Gate | None) -> tuple[str, Handlers]:
    """The full name of a provider's service, and its handlers."""
    file = importlib.import_module(provider.module).DESCRIPTOR
    service = file.services_by_name[provider.service]
    return service.full_name, handlers(service, provider, gate, provider.readers())


def handlers(
    service: ServiceDescriptor,
    target: object,
    gate: Gate | None = None,
    readers: Mapping[str, Callable[[bytes], object]] | None = None,
) -> Handlers:
    """Handlers for all RPCs of a service.

    Args:
        service: From the contract.
        target: Has a coroutine per RPC, or an asynchronous generator where the RPC streams.
        gate: Lets calls in. None: always open.
        readers: What reads the requests of an RPC, where not the contract's own message.
    """
    made: Handlers = {}
    for method in service.methods:
        function = getattr(target, _snake(method.name))
        reads = (readers or {}).get(method.name) or GetMessageClass(method.input_type).FromString
        kind = grpc.unary_stream_rpc_method_handler if method.server_streaming else grpc.unary_unary_rpc_method_handler
        wrapped = _stream(function, gate) if method.server_streaming else _unary(function, gate, method)
        made[method.name] = kind(
            wrapped,
            request_deserializer=reads,
            response_serializer=partial(_written, method.name),
        )
    return made


def of_servicer(servicer: object) -> tuple[str, Handlers]:
    """The same of an instance of a generated servicer class, whose methods take `(request, context)`.

    Raises:
        TypeError: It derives from no generated servicer.
    """
    for cls in type(servicer).__mro__:
        add = getattr(sys.modules[cls.__module__], f"add_{cls.__name__}_to_server", None)
        if add is not None:
            tap = Tap()
            add(servicer, tap)
            return tap.service, tap.handlers
    raise TypeError(f"{type(servicer).__name__} is neither a provider of hector_sdk nor a generated servicer")


class Tap:
    """Stands in for a server, to see what a generated function would add to it."""

    def __init__(self) -> None:
        self.service = ""
        self.handlers: Handlers = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Say nothing: the registered ones are the same."""

    def add_registered_method_handlers(self, service: str, handlers: Handlers) -> None:
        """Keep them."""
        self.service, self.handlers = service, handlers


def _written(rpc: str, response: Any) -> bytes:
    """The bytes of a response: a message of the contract, or one of `hector_sdk.vectors`."""
    wire = getattr(response, "wire", None)
    written: bytes = response.SerializeToString() if wire is None else wire(rpc)
    return written


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _unary(function: Callable[..., Any], gate: Gate | None, method: MethodDescriptor) -> Callable[..., Any]:
    says_no = "success" in method.output_type.fields_by_name
    response_class = GetMessageClass(method.output_type)

    async def handle(request: Any, context: Context) -> Any:
        try:
            with _inside(gate):
                call.enter(context.invocation_metadata() or ())
                return await function(request)
        except Failure as failure:
            if says_no:
                return response_class(success=False, error=str(failure))
            await _abort(context, failure)
        except Exception as error:  # noqa: BLE001 - every error becomes a status
            await _abort(context, error)

    return handle


def _stream(function: Callable[..., AsyncIterator[Any]], gate: Gate | None) -> Callable[..., Any]:
    async def handle(request: Any, context: Context) -> AsyncIterator[Any]:
        try:
            with _inside(gate):
                call.enter(context.invocation_metadata() or ())
                async for message in function(request):
                    yield message
        except Exception as error:  # noqa: BLE001 - every error becomes a status
            await _abort(context, error)

    return handle


@contextlib.contextmanager
def _inside(gate: Gate | None) -> Iterator[None]:
    if gate is None:
        yield
        return
    gate.enter()
    try:
        yield
    finally:
        gate.leave()


async def _abort(context: Context, error: Exception) -> None:
    status = as_status(error)
    if status is not error and not isinstance(error, Failure):
        log.error("a call failed unexpectedly", exc_info=error)
    await context.abort(status.code, status.message, status.trailers())
