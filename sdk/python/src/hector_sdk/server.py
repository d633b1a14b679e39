"""The gRPC server of a plugin process: its providers, Plugin, health, reflection and go-plugin's own services.

Everything but the providers' own work happens on the event loop, health too: however many calls hang, in threads or
awaiting something, health is answered at once. A coroutine that blocks the loop hangs the whole plugin, and no answer
to a health check is how a host finds that out.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Self

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from hector.plugin.v1 import plugin_pb2
from hector_sdk import binding, options
from hector_sdk.controller import Controller
from hector_sdk.errors import StartFailed
from hector_sdk.lifecycle import Lifecycle, Settings
from hector_sdk.providers import Provider
from hector_sdk.threads import Threads
from hector_sdk.values import plain, struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector_sdk.identity import Identity

CONTRACT_REVISION: Final = 1
LARGEST_MESSAGE: Final = 64 << 20
"""Bytes, both ways. gRPC's own limit of 4 MiB is below one batch of vectors."""

HEALTH_NAMES: Final = ("", "plugin")
"""The whole server, and the name that go-plugin's hosts ask for."""


class Server:
    """Serves providers until somebody asks it to stop. Leaving the context stops it and them.

    Attributes:
        lifecycle: Configures and starts the providers.
        stopping: Set when this process should end.
    """

    def __init__(
        self, providers: Sequence[object], identity: Identity, settings: Settings | None = None, *, grace: float = 1
    ) -> None:
        """Bind everything; nothing listens yet.

        Args:
            providers: Of `hector_sdk` or instances of generated servicer classes.
            identity: For Describe.
            settings: What the environment configures.
            grace: Seconds that calls in flight get when the server stops.
        """
        self.stopping = asyncio.Event()
        own = [each for each in providers if isinstance(each, Provider)]
        raw = len(own) < len(providers)
        self.lifecycle = Lifecycle(own, settings, self._ready, shared=raw)
        self._grace = grace
        self._health = health.aio.HealthServicer()
        limits = [(f"grpc.max_{way}_message_length", LARGEST_MESSAGE) for way in ("send", "receive")]
        limits.append(("grpc.so_reuseport", 0))  # a port in use is an error
        self._server = grpc.aio.server(Threads(), options=limits)
        bound = [
            binding.of_provider(each, self.lifecycle.gate) if isinstance(each, Provider) else binding.of_servicer(each)
            for each in providers
        ]
        services = [service for service, _ in bound]
        if not services or len(services) > len(set(services)):
            raise ValueError(f"a plugin serves at least one provider, and each service once; here: {services}")
        classes = None if raw else [each.options_class for each in own]
        plugin = _Plugin(identity, services, classes, self.lifecycle)
        service = plugin_pb2.DESCRIPTOR.services_by_name["Plugin"]
        bound.append((service.full_name, binding.handlers(service, plugin)))
        for name, handlers in bound:
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._server.add_generic_rpc_handlers((Controller(self.stopping), _Reflection([name for name, _ in bound])))

    async def __aenter__(self) -> Self:
        await self._ready(ready=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._health.enter_graceful_shutdown()
        await self._server.stop(self._grace)
        await self.lifecycle.close()

    async def listen(self, address: str, credentials: grpc.ServerCredentials | None = None) -> str:
        """Answer calls at `unix:PATH` or `HOST:PORT`; `:PORT` is all interfaces.

        Args:
            credentials: For TLS; None: in plain text.

        Returns:
            The address, with the port that was chosen where it was 0.

        Raises:
            StartFailed: It is taken, or no address.
        """
        try:
            where = f"[::]{address}" if address.startswith(":") else address
            if credentials is None:
                port = self._server.add_insecure_port(where)
            else:
                port = self._server.add_secure_port(where, credentials)
        except RuntimeError:
            raise StartFailed(f"cannot listen on {address}: it is in use, or no address of this machine") from None
        await self._server.start()
        return address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"

    async def _ready(self, ready: bool) -> None:
        status = health_pb2.HealthCheckResponse
        for name in HEALTH_NAMES:
            await self._health.set(name, status.SERVING if ready else status.NOT_SERVING)


class _Plugin:
    """The service Plugin: Describe and Configure."""

    def __init__(
        self, identity: Identity, services: Sequence[str], classes: Sequence[type] | None, lifecycle: Lifecycle
    ) -> None:
        """Take what Describe tells.

        Args:
            identity: Name, version, description.
            services: Full names.
            classes: Of the options. None where a generated servicer is served: it reads its options from the
                environment, and nobody knows which they are.
            lifecycle: Is configured.
        """
        self._identity = identity
        self._services = services
        self._classes = classes
        self._lifecycle = lifecycle

    async def describe(self, request: plugin_pb2.DescribeRequest) -> plugin_pb2.DescribeResponse:  # noqa: ARG002
        """Who this is and what it serves."""
        identity = self._identity.completed()
        return plugin_pb2.DescribeResponse(
            name=identity.name,
            version=identity.version,
            description=identity.description,
            services=self._services,
            config_schema=None if self._classes is None else struct(options.schema(self._classes)),
            contract_revision=CONTRACT_REVISION,
        )

    async def configure(self, request: plugin_pb2.ConfigureRequest) -> plugin_pb2.ConfigureResponse:
        """Start with these options; answers when the providers are ready."""
        await self._lifecycle.configure(Settings(plain(request.config), request.data_dir, request.name))
        return plugin_pb2.ConfigureResponse()


class _Reflection(grpc.GenericRpcHandler):
    """Server reflection, imported when somebody asks."""

    SERVICE = "grpc.reflection.v1alpha.ServerReflection"

    def __init__(self, services: Sequence[str]) -> None:
        self._services = services

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        if not handler_call_details.method.startswith(f"/{self.SERVICE}/"):
            return None
        from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

        servicer = reflection.aio.ReflectionServicer([*self._services, "grpc.health.v1.Health", self.SERVICE])
        tap = binding.Tap()
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, tap)
        return tap.handlers[handler_call_details.method.rpartition("/")[2]]
