"""Errors of the host on their way through gRPC: what arrives is what was raised, within what headers carry."""

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from hector_host.api.errors import DETAILS, code_of, message_of, rebuilt, trailers_of
from hector_host.errors import (
    CallError,
    ConfigError,
    HectorError,
    NotFoundError,
    PluginError,
    QuestionError,
    RunError,
    StartError,
)

CODE = grpc.StatusCode


class OwnError(StartError):
    """Of a class that the other side does not know."""


def arrived(error: HectorError) -> HectorError | None:
    code = code_of(error)
    metadata = grpc.aio.Metadata(*trailers_of(error, code))
    return rebuilt(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), metadata, message_of(error)))


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (HectorError("who: what", "do this"), CODE.INTERNAL, HectorError),
        (ConfigError("hector.yaml:3: key: what\nmore", "do this\nand that"), CODE.FAILED_PRECONDITION, ConfigError),
        (PluginError("llm_provider/x: what"), CODE.UNAVAILABLE, PluginError),
        (StartError("llm_provider/x: what", "Größe"), CODE.UNAVAILABLE, StartError),
        (OwnError("llm_provider/x: what", "do this"), CODE.UNAVAILABLE, StartError),
        (NotFoundError("'x': no agent is named so", "There is: y"), CODE.NOT_FOUND, NotFoundError),
        (QuestionError("the question is empty", "do this"), CODE.INVALID_ARGUMENT, QuestionError),
        (RunError("engine default: gave up", "do this"), CODE.ABORTED, RunError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, HectorError) else "",
)
def test_an_error_arrives_as_it_was_raised(error, code, kind):
    told = arrived(error)
    assert told is not None
    assert (code_of(error), type(told), told.what, told.step) == (code, kind, error.what, error.step)
    assert (told.exit_code, str(told)) == (error.exit_code, str(error))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (CODE.RESOURCE_EXHAUSTED, CODE.RESOURCE_EXHAUSTED),
        (CODE.OK, CODE.ABORTED),
        (None, CODE.ABORTED),
    ],
)
def test_the_error_of_a_call_keeps_the_code_of_its_plugin(given, code):
    error = CallError("llm_provider/x: GenerateText: no", code=given)
    told = arrived(error)
    assert isinstance(told, CallError)
    assert (code_of(error), told.code, told.what) == (code, code, error.what)


@pytest.mark.parametrize("character", ["x", "ü", "語", "\n", "\U0001f600"])
def test_headers_stay_within_what_every_client_takes(character):
    error = StartError(character * 10_000, character * 10_000)
    code = code_of(error)
    trailers = dict(trailers_of(error, code))
    encoded = len(trailers[DETAILS]) * 4 / 3 + 3 * len(message_of(error).encode())
    assert encoded < 8000
    told = arrived(error)
    assert told is not None
    assert told.what.endswith(f"{character} …")
    assert told.step.endswith(f"{character} …")


@pytest.mark.parametrize(
    "details",
    [
        None,
        b"\xff\xff",
        Status(code=5, message="another program's").SerializeToString(),
        ErrorInfo(domain="hector").SerializeToString(),
    ],
    ids=["none", "garbage", "without details", "no status"],
)
def test_a_status_of_somebody_else_is_no_error_of_a_host(details):
    metadata = grpc.aio.Metadata() if details is None else grpc.aio.Metadata((DETAILS, details))
    assert rebuilt(grpc.aio.AioRpcError(CODE.NOT_FOUND, grpc.aio.Metadata(), metadata, "no")) is None


def test_an_error_of_another_domain_is_not_the_hosts():
    status = Status(message="no")
    status.details.add().Pack(ErrorInfo(domain="example.org", reason="NotFoundError"))
    metadata = grpc.aio.Metadata((DETAILS, status.SerializeToString()))
    assert rebuilt(grpc.aio.AioRpcError(CODE.NOT_FOUND, grpc.aio.Metadata(), metadata, "no")) is None
