"""What can go wrong at an endpoint, as the contract says it: a gRPC status, or an answer that is only a finish reason.

The endpoint's words are shown, but capped, and never with a key in them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import grpc

from hector.plugin.v1 import llm_pb2 as llm
from hector_openai_llm.options import seconds
from hector_openai_llm.reply import BrokenReplyError
from hector_sdk import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai import APIError

    from hector_openai_llm.options import Options

WORDS_LIMIT = 500
"""Characters of an endpoint's own words."""

STATUSES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.UNAVAILABLE,
    409: grpc.StatusCode.ABORTED,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
}

OVERFLOWS = ("context_length_exceeded", "exceed_context_size_error", "maximum context length", "context window")
FILTERS = ("content_filter", "content_policy_violation")


class FinishedError(Exception):
    """The endpoint refused with what the contract counts as an answer.

    Attributes:
        reason: Why there is no more than that.
    """

    def __init__(self, reason: llm.FinishReason) -> None:
        super().__init__(reason)
        self.reason = reason


@contextlib.contextmanager
def named(options: Options) -> Iterator[None]:
    """Around everything that talks to the endpoint: its failures come out as `Status` or `FinishedError`."""
    import openai

    endpoint = options.base_url
    try:
        yield
    except openai.APITimeoutError:
        raise _unavailable(f"{endpoint} was silent for {seconds(options):g} s") from None
    except openai.APIConnectionError as error:
        raise _unavailable(f"the connection to {endpoint} failed: {_cause(error, options)}") from None
    except openai.APIError as error:
        raise _refused(error, options) from None
    except (BrokenReplyError, ValueError) as error:
        raise _unavailable(f"{endpoint} does not answer as the protocol says: {_shown(str(error), options)}") from None


def _refused(error: APIError, options: Options) -> Exception:
    """An answer of the endpoint that is an error: by HTTP status, or in the middle of a stream."""
    status = getattr(error, "status_code", None) or _number(error.code) or 500
    words = _message(error)
    judged = f"{error.code} {error.type} {words}".lower()
    if status in (400, 413, 422, 500) and any(sign in judged for sign in OVERFLOWS):
        return FinishedError(llm.FINISH_REASON_CONTEXT_OVERFLOW)
    if status == HTTPStatus.BAD_REQUEST and any(sign in judged for sign in FILTERS):
        return FinishedError(llm.FINISH_REASON_CONTENT_FILTER)
    if status == HTTPStatus.UNAUTHORIZED:
        # Its words may hold the key.
        return Status(STATUSES[401], f'{options.base_url} refuses the key: set the option "api_key"')
    fallback = grpc.StatusCode.UNAVAILABLE if status >= HTTPStatus.INTERNAL_SERVER_ERROR else STATUSES[400]
    return Status(STATUSES.get(status, fallback), f"{options.base_url} answered {status}: {_shown(words, options)}")


def _number(code: str | None) -> int:
    return int(code) if code and code.isdigit() and 400 <= int(code) < 600 else 0


def _message(error: APIError) -> str:
    body: Any = error.body
    if isinstance(body, Mapping):
        inner = body.get("error")
        body = body.get("message") or (inner.get("message") if isinstance(inner, Mapping) else inner)
    return body if isinstance(body, str) and body else error.message


def _cause(error: BaseException, options: Options) -> str:
    cause = error.__cause__ or error
    return _shown(str(cause) or type(cause).__name__, options)


def _shown(words: str, options: Options) -> str:
    for secret in options.secrets:
        words = words.replace(secret, "…")
    line = " ".join(words.split())
    return line if len(line) <= WORDS_LIMIT else line[:WORDS_LIMIT] + " …"


def _unavailable(words: str) -> Status:
    return Status(grpc.StatusCode.UNAVAILABLE, words)
