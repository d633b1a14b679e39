"""A model behind an OpenAI-compatible endpoint, in this process: it says one sentence, whatever it is asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

ANSWER = "It was a dark and stormy night."


@asynccontextmanager
async def endpoint() -> AsyncIterator[str]:
    """Its address."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request of one connection. Who asks may be killed at any moment."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next((int(line[15:]) for line in head.splitlines() if line.startswith("content-length:")), 0)
        asked = json.loads(await reader.readexactly(length) or b"{}")
        kind, body = _answer(head.split()[1], asked)
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def _answer(path: str, asked: dict[str, Any]) -> tuple[str, bytes]:
    """Content type and body."""
    if path.endswith("/models"):
        model = {"id": "m", "object": "model", "created": 1, "owned_by": "nobody"}
        return "application/json", json.dumps({"object": "list", "data": [model]}).encode()
    common = {"id": "c", "created": 1, "model": "m"}
    if not asked.get("stream"):
        message = {"role": "assistant", "content": ANSWER}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        return "application/json", json.dumps(common | {"object": "chat.completion", "choices": choices}).encode()
    deltas: list[tuple[dict[str, str], str | None]] = [({"content": f"{word} "}, None) for word in ANSWER.split()]
    deltas[-1] = ({"content": ANSWER.rpartition(" ")[2]}, "stop")
    chunks = [
        common | {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        for delta, finish in deltas
    ]
    lines = [*map(json.dumps, chunks), "[DONE]"]
    return "text/event-stream", "".join(f"data: {line}\n\n" for line in lines).encode()
