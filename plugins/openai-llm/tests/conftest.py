"""A real server that speaks the protocol as each test tells it to, and the plugin that talks to it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from hector_openai_llm.provider import OpenAILLM
from hector_sdk.testing import running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

KEY = "sk-very-secret"


@dataclass
class Asked:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: Any


@dataclass
class Endpoint:
    """Answers requests with `answers` in their order; the last one again when there are no more."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def json(self, body: Any, status: int = 200, **headers: str) -> None:
        """Adds an answer in one piece."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", *(f"{k}: {v}" for k, v in given.items())]
        self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    def raw(self, *pieces: bytes) -> None:
        """Adds an answer of these bytes; each piece is sent on its own, and then the connection closed."""

        async def answer(writer: asyncio.StreamWriter) -> None:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)

        self.answers.append(answer)

    def sse(self, *events: Any, end: str = "\n\n") -> None:
        """Adds a stream of these chunks and its end."""
        self.raw(stream_head(), stream_body(*events, end=end))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in rest)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.asked.append(Asked(line, headers, json.loads(body) if body else None))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        finally:
            writer.close()


def stream_head() -> bytes:
    """Of an answer whose end is the end of the connection: nobody but the protocol tells whether it is whole."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def stream_body(*events: Any, end: str = "\n\n") -> bytes:
    lines = [f"data: {json.dumps(event, ensure_ascii=False)}" for event in events]
    return "".join(line + end for line in [*lines, "data: [DONE]"]).encode()


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": choices} | more


def completion(message: dict[str, Any], finish: str = "stop", **more: Any) -> dict[str, Any]:
    choices = [{"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}]
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m-1", "choices": choices} | more


@pytest.fixture(name="chunk")
def chunk_fixture():
    return chunk


@pytest.fixture(name="completion")
def completion_fixture():
    return completion


@pytest.fixture(name="stream_head")
def stream_head_fixture():
    return stream_head


@pytest.fixture(name="stream_body")
def stream_body_fixture():
    return stream_body


@pytest.fixture
def broken_off():
    """A stream of these chunks that goes on."""
    return lambda *events: stream_head() + stream_body(*events).removesuffix(b"data: [DONE]\n\n")


@pytest.fixture
async def endpoint():
    endpoint = Endpoint()
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        endpoint.url = f"http://127.0.0.1:{port}/v1"
        yield endpoint


@pytest.fixture
def plugin(endpoint):
    """The plugin before that server: `async with plugin(option=...) as llm`."""

    @asynccontextmanager
    async def served(**options):
        config = {"base_url": endpoint.url, "api_key": KEY, "model": "m", "max_retries": 0} | options
        async with running(OpenAILLM(), config=config) as stubs:
            yield stubs.llm

    return served
