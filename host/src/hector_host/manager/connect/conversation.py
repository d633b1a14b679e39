"""What host and plugin say to each other around the calls: Describe, Configure, health, Shutdown.

All of it is optional for the plugin, since a bare server answers UNIMPLEMENTED.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from google.protobuf import json_format
from grpc import StatusCode
from grpc.aio import AioRpcError

from hector.plugin.v1 import plugin_pb2, plugin_pb2_grpc
from hector_host.errors import quoted
from hector_host.manager.connect.rejection import Rejected, violations
from hector_host.manager.failure import Failure, Waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from grpc.aio import Channel

    Metadata = tuple[tuple[str, str], ...]

PATIENCE = 0.02
"""Seconds between two attempts at a plugin that does not answer yet; doubled up to the limit."""
PATIENCE_LIMIT = 0.25


SECRET_LENGTH = 4
"""Characters from which on a value of metadata is taken for a secret: shorter ones are in every text."""

_NOT_GRPC = "Received http2 header with status"
"""What gRPC says, with the code that the status maps to, of an HTTP/2 server that does not speak it."""


class Unreachable(Exception):  # noqa: N818 (what it means, whoever dials knows)
    """Nobody answered: gRPC's words for it."""


class Refusal(Failure):
    """A plugin answered with an error.

    Attributes:
        code: Which.
    """

    def __init__(self, what: str, code: StatusCode) -> None:
        super().__init__("connection" if code is StatusCode.UNAVAILABLE else "protocol", what, show_log=True)
        self.code = code


_FOREIGN = "Failed parsing HTTP/2"
"""In gRPC's words when somebody answers in another protocol."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a plugin says that it is.

    Attributes:
        services: Full names of the services it serves; None when nobody can say.
        serves_plugin: It serves `hector.plugin.v1.Plugin`.
    """

    services: frozenset[str] | None
    serves_plugin: bool
    version: str = ""


@dataclass(slots=True)
class Conversation:
    """Talks to one plugin.

    Attributes:
        where: Its address, for messages.
        waiting: What is waited for and why, for the message when it takes too long.
        hopeless: What is wrong for good, of gRPC's words for why nobody answers; None if that may pass.
    """

    channel: Channel
    metadata: Metadata
    where: str
    waiting: Waiting = field(default_factory=lambda: Waiting("did nothing"))
    hopeless: Callable[[str], Failure | None] = lambda _: None

    async def describe(self) -> Description:
        """Waits until the plugin answers at all, and asks what it is.

        Raises:
            Refusal: It answers with an error.
            Failure: It never will.
        """
        pause = PATIENCE
        while True:
            try:
                return await self.describe_once()
            except Unreachable as error:
                if (failure := self.hopeless(str(error))) is not None:
                    raise failure from None
                reason = "protocol" if _FOREIGN in str(error) else "start_timeout"
                self.waiting = Waiting(f"did not answer at {self.where}", quoted(str(error), 200), reason)
                await asyncio.sleep(pause)
                pause = min(2 * pause, PATIENCE_LIMIT)

    async def describe_once(self) -> Description:
        """Asks the plugin what it is.

        Raises:
            Unreachable: Nobody answers.
            Refusal: It answers with an error.
        """
        self.waiting = Waiting(f"did not answer at {self.where}", self.waiting.why, self.waiting.reason)
        stub = plugin_pb2_grpc.PluginStub(self.channel)
        try:
            answer = await stub.Describe(plugin_pb2.DescribeRequest(), metadata=self.metadata)
        except AioRpcError as error:
            if error.code() is StatusCode.UNAVAILABLE:
                raise Unreachable(self._words(error)) from None
            if _NOT_GRPC in (error.details() or ""):
                words = f"{self.where} speaks HTTP and not gRPC: {quoted(self._words(error), 200)}"
                raise Refusal(words, error.code()) from None
            if error.code() is not StatusCode.UNIMPLEMENTED:
                raise self._failed("Describe", error) from None
            return Description(await self._reflect(), serves_plugin=False)
        return Description(frozenset(answer.services) or None, serves_plugin=True, version=quoted(answer.version))

    async def configure(self, name: str, options: str, data: str) -> None:
        """Hands over the options.

        Args:
            options: A JSON object.

        Raises:
            Rejected: The plugin does not take the options.
            Failure: It cannot work with them here, or answers with another error.
        """
        request = plugin_pb2.ConfigureRequest(name=name, data_dir=data)
        json_format.Parse(options, request.config)
        try:
            await plugin_pb2_grpc.PluginStub(self.channel).Configure(request, metadata=self.metadata)
        except AioRpcError as error:
            if error.code() is StatusCode.INVALID_ARGUMENT:
                raise Rejected(violations(error), quoted(self._words(error) or "the options are not valid")) from None
            if error.code() is StatusCode.FAILED_PRECONDITION:
                raise Failure(
                    "options", quoted(self._words(error) or "its options need something that is absent")
                ) from None
            if error.code() is not StatusCode.UNIMPLEMENTED:
                raise self._failed("Configure", error) from None

    async def healthy(self) -> bool:
        """Whether the plugin says at once that it is healthy; what else it may do, `serving` knows the meaning of."""
        from grpc_health.v1 import health_pb2, health_pb2_grpc

        stub: Any = health_pb2_grpc.HealthStub(self.channel)
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), metadata=self.metadata)
        except AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def serving(self) -> None:
        """Waits until the plugin is healthy, or serves no health.

        Raises:
            Failure: It answers with an error.
        """
        from grpc_health.v1 import health_pb2, health_pb2_grpc

        stub: Any = health_pb2_grpc.HealthStub(self.channel)
        service, pause = "", PATIENCE
        while True:
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), metadata=self.metadata)
            except AioRpcError as error:
                if error.code() is StatusCode.UNIMPLEMENTED:
                    return
                if error.code() is not StatusCode.NOT_FOUND:
                    raise self._failed("its health check", error) from None
                if service:
                    return
                service = "plugin"  # go-plugin's own; a server may know it alone
                continue
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
            name = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
            self.waiting = Waiting("did not become healthy", f"it says {name}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, PATIENCE_LIMIT)

    async def shut_down(self, within: float) -> bool:
        """Asks the plugin to end by go-plugin's own RPC; False when it does not serve it or does not answer.

        A go-plugin server closes the connection inside the call, so that its end is an answer.
        """
        shut_down: Any = self.channel.unary_unary("/plugin.GRPCController/Shutdown")
        try:
            await shut_down(b"", timeout=within, metadata=self.metadata)
        except AioRpcError as error:
            return error.code() is StatusCode.UNAVAILABLE
        return True

    async def _reflect(self) -> frozenset[str] | None:
        from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

        messages: Any = reflection_pb2
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(cast("Any", self.channel))

        async def ask() -> AsyncIterator[Any]:
            yield messages.ServerReflectionRequest(list_services="")

        try:
            async for answer in stub.ServerReflectionInfo(ask(), metadata=self.metadata):
                return frozenset(service.name for service in answer.list_services_response.service)
        except AioRpcError:
            pass
        return None

    def _failed(self, what: str, error: AioRpcError) -> Refusal:
        words = quoted(self._words(error))
        return Refusal(f"{what} failed: {error.code().name}" + (f": {words}" if words else ""), error.code())

    def _words(self, error: AioRpcError) -> str:
        """What the plugin says, without the metadata that it was sent: servers like to repeat what they refuse."""
        secrets = {part: name for name, value in self.metadata for part in (value, value.split(" ")[-1])}
        words = error.details() or ""
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= SECRET_LENGTH:
                words = words.replace(secret, f"<{secrets[secret]}>")
        return words
