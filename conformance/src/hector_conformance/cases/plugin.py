"""What every plugin promises, whatever its kind: Describe, Configure, health, and the end of its calls."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from grpc import StatusCode
from grpc.aio import AioRpcError
from grpc_health.v1 import health_pb2, health_pb2_grpc
from jsonschema import Draft202012Validator, SchemaError

from hector.plugin.v1.plugin_pb2 import ConfigureRequest, DescribeRequest
from hector_conformance.case import RESTART, Failed, NotOffered, case
from hector_conformance.offered import NOBODY, questions
from hector_conformance.statuses import answered, refused, told
from hector_host.config import Kind
from hector_host.errors import quoted
from hector_host.manager.connect.rejection import violations

if TYPE_CHECKING:
    from hector_conformance.instance import Instance
    from hector_conformance.subject import Subject

AT_ONCE = 32


@case(None, "contract", requires=("Describe",))
async def describe_names_its_services(subject: Subject) -> None:
    """Describe names services that the process serves."""
    async with subject.running() as instance:
        described = await answered("Describe", instance.stubs.plugin.Describe(DescribeRequest()))
    if not described.services:
        raise NotOffered("Describe names no services: the host believes its configuration")
    for kind in (kind for kind in Kind if kind.service in described.services):
        rpcs = [
            rpc for rpc, (service, _) in questions(subject.settings).items() if kind.service.endswith(f".{service}")
        ]
        if not any([await subject.offers(rpc) for rpc in rpcs]):
            raise Failed(f"Describe names {kind.service}; each of its RPCs is UNIMPLEMENTED")


@case(None, "contract", requires=("Describe",))
async def config_schema_is_a_json_schema(subject: Subject) -> None:
    """The config_schema of Describe is a JSON Schema of an object."""
    schema = await _schema(subject)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise Failed(f"config_schema is a JSON Schema; {quoted(error.message, 200)}") from None
    if schema.get("type", "object") != "object":
        raise Failed(f'config_schema is the schema of an object; its type is "{quoted(str(schema["type"]), 100)}"')


@case(None, "contract", requires=(RESTART, "Configure"))
async def configure_again_is_harmless(subject: Subject) -> None:
    """Configure with equal options, once more, changes nothing."""
    async with subject.running() as instance:
        for _ in range(2):
            await answered("Configure with equal options", instance.stubs.plugin.Configure(_equal(instance)))
        await answered("Describe after it", instance.stubs.plugin.Describe(DescribeRequest()))


@case(None, "contract", requires=(RESTART, "Describe", "Configure"))
async def unknown_option_is_refused(subject: Subject) -> None:
    """Configure with an option that its schema does not know is INVALID_ARGUMENT."""
    error = await subject.once("unknown option", lambda: _unknown_option(subject))
    if error is None or error.code() is not StatusCode.INVALID_ARGUMENT:
        answer = "OK" if error is None else told(error)
        raise Failed(f"Configure with an unknown option is INVALID_ARGUMENT; it answered {answer}")


@case(None, "contract", requires=(RESTART, "Describe", "Configure"))
async def refused_option_is_named(subject: Subject) -> None:
    """What Configure refuses is named in google.rpc.BadRequest details."""
    error = await subject.once("unknown option", lambda: _unknown_option(subject))
    if error is None or error.code() is not StatusCode.INVALID_ARGUMENT:
        raise NotOffered("it refuses no option with INVALID_ARGUMENT")
    found = [".".join(map(str, each.field)) for each in violations(error)]
    if found != [NOBODY]:
        named = quoted(", ".join(found), 200) or "nothing"
        raise Failed(f"the details name the field {NOBODY}; they name {named}")


@case(None, "contract")
async def health_is_serving(subject: Subject) -> None:
    """grpc.health.v1 says SERVING."""
    async with subject.running() as instance:
        status = await _health(instance, "")
        if status is None:
            raise NotOffered("its health knows the service plugin alone")
    if status != health_pb2.HealthCheckResponse.SERVING:
        raise Failed(f"its health is SERVING; it says {_name(status)}")


@case(None, "contract")
async def health_knows_the_service_plugin(subject: Subject) -> None:
    """Health knows the service "plugin", which stock go-plugin hosts ask for."""
    async with subject.running() as instance:
        status = await _health(instance, "plugin")
    if status is None:
        raise NotOffered("NOT_FOUND: hosts written with go-plugin would not take it")
    if status != health_pb2.HealthCheckResponse.SERVING:
        raise Failed(f'the health of "plugin" is SERVING; it says {_name(status)}')


@case(None, "contract")
async def reflection_names_its_services(subject: Subject) -> None:
    """Server reflection names the services that the process serves."""
    async with subject.running() as instance:
        names = await _reflected(instance)
    missing = [kind.service for kind in subject.kinds if kind.service not in names]
    if missing:
        raise Failed(f"it serves {missing[0]}; reflection names {quoted(', '.join(names), 300)}")


@case(None, "statuses")
async def unknown_rpc_is_unimplemented(subject: Subject) -> None:
    """An RPC that the contract does not have is UNIMPLEMENTED."""
    async with subject.running() as instance:
        for kind in subject.kinds:
            nothing: Any = instance.channel.unary_unary(f"/{kind.service}/Nothing")
            call = nothing(b"")
            await refused(f"{kind.service.rpartition('.')[2]}.Nothing", call, StatusCode.UNIMPLEMENTED)


@case(None, "statuses")
async def bytes_that_are_no_message_are_refused(subject: Subject) -> None:
    """Bytes that are no message of protobuf end the call, and not the process."""
    chosen = {kind.service: "" for kind in subject.kinds}
    async with subject.running() as instance:
        for rpc, (service, _) in questions(subject.settings).items():
            full = f"hector.plugin.v1.{service}"
            if chosen.get(full) == "" and rpc != "StreamText" and await subject.offers(rpc):
                chosen[full] = rpc
        for service, rpc in chosen.items():
            if rpc:
                method: Any = instance.channel.unary_unary(f"/{service}/{rpc}")
                try:
                    await method(b"\xff\xff\xff\xff")
                except AioRpcError as error:
                    if error.code() in {StatusCode.UNAVAILABLE, StatusCode.CANCELLED, StatusCode.UNIMPLEMENTED}:
                        raise Failed(f"{rpc} with bytes that are no message is refused; {told(error)}") from None
                else:
                    raise Failed(f"{rpc} with bytes that are no message is refused; it answered OK")


@case(None, "concurrency", requires=("Describe",))
async def describe_many_times_at_once(subject: Subject) -> None:
    """32 Describe at once have one answer."""
    async with subject.running() as instance:
        calls = (instance.stubs.plugin.Describe(DescribeRequest()) for _ in range(AT_ONCE))
        answers = await asyncio.gather(*(answered("Describe", call) for call in calls))
    distinct = {answer.SerializeToString(deterministic=True) for answer in answers}
    if len(distinct) != 1:
        raise Failed(f"{AT_ONCE} Describe at once have one answer; they had {len(distinct)}")


@case(None, "restart", requires=(RESTART,))
async def starts_again_after_kill(subject: Subject) -> None:
    """After SIGKILL it starts again with the same data directory."""
    folder = subject.folder()
    for _ in range(2):
        async with subject.running(data=folder) as instance:
            instance.kill()


async def _schema(subject: Subject) -> dict[str, Any]:
    async with subject.running() as instance:
        described = await answered("Describe", instance.stubs.plugin.Describe(DescribeRequest()))
    if not described.HasField("config_schema"):
        raise NotOffered("it has no config_schema: any options may be given")
    schema: dict[str, Any] = json_format.MessageToDict(described.config_schema)
    return schema


async def _unknown_option(subject: Subject) -> AioRpcError | None:
    """How Configure refuses an option that is in no schema; None when it takes it."""
    if (await _schema(subject)).get("additionalProperties") is not False:
        raise NotOffered("its config_schema allows additional properties")
    async with subject.running(fresh=True) as instance:
        request = _equal(instance)
        request.config[NOBODY] = True
        try:
            await instance.stubs.plugin.Configure(request)
        except AioRpcError as error:
            return error
    return None


def _equal(instance: Instance) -> ConfigureRequest:
    """What the host sent when it started."""
    plugin = instance.running.config
    request = ConfigureRequest(name=plugin.name, data_dir=str(instance.data / "plugins" / plugin.name))
    json_format.Parse(json.dumps(plugin.config), request.config)
    return request


async def _health(instance: Instance, service: str) -> int | None:
    stub: Any = health_pb2_grpc.HealthStub(instance.channel)
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    except AioRpcError as error:
        if error.code() is StatusCode.UNIMPLEMENTED:
            raise NotOffered("it serves no grpc.health.v1") from None
        if error.code() is StatusCode.NOT_FOUND:
            return None
        raise
    status: int = answer.status
    return status


def _name(status: int) -> str:
    names: Any = health_pb2.HealthCheckResponse.ServingStatus
    return names.Name(status) if status in names.values() else str(status)


async def _reflected(instance: Instance) -> list[str]:
    from grpc_reflection.v1alpha import reflection_pb2

    messages: Any = reflection_pb2
    request = messages.ServerReflectionRequest(list_services="")
    # As a call with one question: on the wire it is the same, and a server that refuses cannot do so too early.
    ask: Any = instance.channel.unary_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        request_serializer=messages.ServerReflectionRequest.SerializeToString,
        response_deserializer=messages.ServerReflectionResponse.FromString,
    )
    try:
        async for answer in ask(request):
            return [service.name for service in answer.list_services_response.service]
    except AioRpcError as error:
        if error.code() is not StatusCode.UNIMPLEMENTED:
            raise
    raise NotOffered("it serves no reflection")
