"""A stand-in for an OpenAI-compatible service: says back what it hears, whole or as a stream of events."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "parrot"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer({"object": "list", "data": [{"id": MODEL, "object": "model", "created": 1, "owned_by": "nobody"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["model"] != MODEL:
            self.answer({"error": {"message": "no such model", "code": "model_not_found"}}, 404)
        elif asked.get("stream"):
            self.stream(asked)
        else:
            message, reason = reply(asked)
            choice = {"index": 0, "message": message, "finish_reason": reason}
            self.answer({**head("chat.completion"), "choices": [choice], "usage": USAGE})

    def stream(self, asked: dict[str, Any]) -> None:
        message, reason = reply(asked)
        deltas = [{"content": word} for word in (message["content"] or "").split(" ")[:1]]
        rest = (message["content"] or "")[len(deltas[0]["content"]) if deltas else 0 :]
        calls = [{**call, "index": index} for index, call in enumerate(message.get("tool_calls", []))]
        deltas += [{"content": rest}, *({"tool_calls": [call]} for call in calls)]
        choices = [[{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas]
        choices.append([{"index": 0, "delta": {}, "finish_reason": reason}])
        events = [{**head("chat.completion.chunk"), "choices": each} for each in choices]
        events.append({**head("chat.completion.chunk"), "choices": [], "usage": USAGE})
        data = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
        self.answer(data.encode(), kind="text/event-stream")

    def answer(self, body: Any, status: int = 200, kind: str = "application/json") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # who asked has left


USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def head(kind: str) -> dict[str, Any]:
    return {"id": "1", "object": kind, "created": 1, "model": MODEL}


def reply(asked: dict[str, Any]) -> tuple[dict[str, Any], str]:
    if asked.get("tools") and asked.get("tool_choice") != "none":
        function = {"name": asked["tools"][0]["function"]["name"], "arguments": "{}"}
        call = {"id": "1", "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
    content = asked["messages"][-1].get("content") or ""
    said = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    return {"role": "assistant", "content": f"You said: {said[:1000]}"}, "stop"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: a plugin that is killed leaves its connections."""


@contextmanager
def serving() -> Iterator[str]:
    """The URL of its API."""
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
