"""From the methods of a service to what gRPC calls: the host's errors, and bugs, become statuses on the way."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message_factory import GetMessageClass

from hector_host.api import errors
from hector_host.errors import HectorError
from hector_host.server.call import TooSlowError
from hector_host.server.calls import RequestError, StoppingError, TooManyCallsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
    from grpc.aio import ServicerContext

    Context = ServicerContext[Any, Any]
    Report = Callable[[Exception], HectorError]

_CODES = {
    RequestError: grpc.StatusCode.INVALID_ARGUMENT,
    StoppingError: grpc.StatusCode.UNAVAILABLE,
    TooManyCallsError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    TooSlowError: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
"""Of the server's own errors."""


def handlers(description: ServiceDescriptor, service: object, report: Report) -> grpc.GenericRpcHandler:
    """The handlers of all RPCs.

    Args:
        service: Has a method for each, named as Python names methods, which takes the request and, for a stream, a
            function that writes one response.
        report: Takes note of a bug; what its caller is told.
    """
    return grpc.method_handlers_generic_handler(
        description.full_name,
        {
            method.name: _handler(method, getattr(service, _snake(method.name)), report)
            for method in description.methods
        },
    )


def _handler(method: MethodDescriptor, answer: Callable[..., Any], report: Report) -> grpc.RpcMethodHandler[Any, Any]:
    read, write = GetMessageClass(method.input_type).FromString, GetMessageClass(method.output_type).SerializeToString

    async def unary(request: Any, context: Context) -> Any:
        async with _told(context, report):
            return await answer(request)

    async def stream(request: Any, context: Context) -> None:
        # Not a generator: gRPC would leave one that is cancelled for the garbage collector to end.
        async with _told(context, report):
            # Else the first write does it, and where that one is cancelled, gRPC never sends the call's status.
            await context.send_initial_metadata(())
            await answer(request, context.write)

    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(stream, read, write)
    return grpc.unary_unary_rpc_method_handler(unary, read, write)


@asynccontextmanager
async def _told(context: Context, report: Report) -> AsyncIterator[None]:
    try:
        yield
    except HectorError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - the last place that can tell
        failure = report(error)
    else:
        return
    code = _CODES.get(type(failure)) or errors.code_of(failure)
    await context.abort(code, errors.message_of(failure), errors.trailers_of(failure, code))


def _snake(name: str) -> str:
    """`get_host` for `GetHost`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
