"""The three models. Each maps a conversation to a reply and remembers nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import grpc
from annotated_types import Ge

from hector.plugin.v1.llm_pb2 import TOOL_CHOICE_NONE
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT
from hector_echo_llm.conversation import WHITESPACE
from hector_sdk import Status, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from hector.plugin.v1.message_pb2 import ToolResult
    from hector_echo_llm.conversation import Conversation

SEARCH = "search"
Seconds = Annotated[float, Ge(0)]
Finish = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "context_overflow", "other"]
Code = Literal[
    "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
]  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One tool call of a reply."""

    tool: str
    arguments: dict[str, Any] | str | None = None
    """An object, or text that is sent as it is. Default: an empty object."""

    @property
    def json(self) -> str:
        """The arguments as the model writes them."""
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments or {}, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@dataclass(frozen=True)
class Reply:
    """What a model answers."""

    text: str = ""
    tool_calls: list[Call] = field(default_factory=list)
    delay: Seconds = 0
    """Seconds before it says anything."""
    finish: Finish | None = None
    """Why it ended. Default: tool_calls when there are any, else stop."""
    error: str = ""
    """When set, the call fails with these words after the text."""
    code: Code = "INTERNAL"
    """The gRPC code of that failure."""


@dataclass(frozen=True)
class Options:
    """Options of the model `script`; the others have none."""

    replies: list[str | Reply] = field(default_factory=list)
    """What `script` replies, from the first again with every question; the last one is repeated."""
    tool_calling: bool = True
    """Whether `script` says that it can call tools."""


def echo(asked: Conversation, _: Options) -> Reply:
    """Say the question back."""
    return Reply(asked.question)


def script(asked: Conversation, options: Options) -> Reply:
    """Give the reply whose index is the number of answers in this turn."""
    if not options.replies:
        words = 'the model "script" has no replies: list them in the option "replies"'
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, words)
    answers = sum(message.role == ROLE_ASSISTANT for message in asked.turn)
    reply = options.replies[min(answers, len(options.replies) - 1)]
    return Reply(reply) if isinstance(reply, str) else reply


def reader(asked: Conversation, _: Options) -> Reply:
    """Search, then answer with the best passage and its source."""
    results = asked.results(SEARCH)
    found = [result for result in results if not result.failed]
    if found:
        return Reply(_best(found))
    if results:
        return Reply(f"The search failed: {text(results[-1])}")
    offered = any(tool.name == SEARCH for tool in asked.input.tools)
    if offered and asked.input.tool_choice != TOOL_CHOICE_NONE:
        return Reply(tool_calls=[Call(SEARCH, {"query": asked.question})])
    return Reply(f"I cannot look that up: no tool named {SEARCH} was offered.")


def _best(results: list[ToolResult]) -> str:
    passages = [passage for result in results for passage in _passages(result)]
    _, words, source = max(passages, key=lambda passage: passage[0], default=(0.0, "", ""))
    words = words.strip(WHITESPACE)
    if not words:
        return "I searched and found nothing."
    return f"{words}\n\nSource: {source}" if source else words


def _passages(result: ToolResult) -> list[tuple[float, str, str]]:
    fields = result.structured.struct_value.fields
    if "passages" not in fields:
        return [(0.0, text(result), "")]
    entries = [entry.struct_value.fields for entry in fields["passages"].list_value.values]
    return [(each["score"].number_value, each["text"].string_value, each["source"].string_value) for each in entries]


MODELS: dict[str, Callable[[Conversation, Options], Reply]] = {"echo": echo, "reader": reader, "script": script}
