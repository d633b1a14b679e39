"""What an endpoint says, whole or in pieces, as the contract's output. Pure.

Endpoints that call themselves compatible differ, so every value is looked at before it is used. What the contract has
no word for is kept: extras of a tool call as its signature, extras of the message as a native part; `chat` sends both
back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, Message, Part, ToolCall

FINISHES = {
    "stop": llm.FINISH_REASON_STOP,
    "length": llm.FINISH_REASON_LENGTH,
    "tool_calls": llm.FINISH_REASON_TOOL_CALLS,
    "function_call": llm.FINISH_REASON_TOOL_CALLS,
    "content_filter": llm.FINISH_REASON_CONTENT_FILTER,
}

REASONING = ("reasoning_content", "reasoning")
KNOWN = frozenset({"role", "content", "refusal", "tool_calls", "function_call", "audio", "annotations", *REASONING})
KNOWN_OF_CALLS = frozenset({"index", "id", "type", "function"})


class BrokenReplyError(Exception):
    """The endpoint said what the protocol does not allow."""


@dataclass
class _Call:
    """A tool call, as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    extras: dict[str, Any] = field(default_factory=dict)


class Reply:
    """One answer of a model.

    Attributes:
        finish: The endpoint's own word. None: it has not said that the answer is complete.
        usage: None: it has not told.
    """

    def __init__(self) -> None:
        self.finish: str | None = None
        self.usage: llm.TokenUsage | None = None
        self._model = ""
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refused = False
        self._calls: list[_Call] = []
        self._by_index: dict[Any, _Call] = {}
        self._extras: dict[str, Any] = {}

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self._text)

    def add(self, said: Mapping[str, Any]) -> tuple[str, str]:
        """Takes a chat.completion or one chat.completion.chunk.

        Returns:
            The text and the visible reasoning in it.

        Raises:
            BrokenReplyError: It is neither.
        """
        self._model = said.get("model") or self._model
        if isinstance(said.get("usage"), Mapping):
            self.usage = _usage(said["usage"])
        choices = said.get("choices") or []
        if not isinstance(choices, list) or not all(isinstance(choice, Mapping) for choice in choices):
            raise BrokenReplyError("its choices are no list of objects")
        pieces = [self._choice(choice) for choice in choices if not choice.get("index")]
        return "".join(text for text, _ in pieces), "".join(reasoning for _, reasoning in pieces)

    def _choice(self, choice: Mapping[str, Any]) -> tuple[str, str]:
        self.finish = choice.get("finish_reason") or self.finish
        said = choice.get("message") or choice.get("delta") or {}
        if not isinstance(said, Mapping):
            raise BrokenReplyError("its message is no object")
        refusal = _words(said.get("refusal"))
        self._refused = self._refused or bool(refusal)
        text = _words(said.get("content")) + refusal
        reasoning = next((words for key in REASONING if (words := _words(said.get(key)))), "")
        self._text.append(text)
        self._reasoning.append(reasoning)
        for call in said.get("tool_calls") or ():
            self._tool_call(call)
        _join(self._extras, {key: value for key, value in said.items() if key not in KNOWN})
        return text, reasoning

    def _tool_call(self, piece: Any) -> None:
        if not isinstance(piece, Mapping) or not isinstance(piece.get("function") or {}, Mapping):
            raise BrokenReplyError("a tool call is no object")
        function = piece.get("function") or {}
        call = self._call(piece.get("index"), piece.get("id") or "")
        call.id = call.id or piece.get("id") or ""
        call.name += function.get("name") or ""
        call.arguments.append(_words(function.get("arguments")))
        _join(call.extras, {key: value for key, value in piece.items() if key not in KNOWN_OF_CALLS})

    def _call(self, index: Any, id_: str) -> _Call:
        """The call that a piece belongs to. Some endpoints give no index, or the same one to all."""
        known = self._by_index.get(index)
        if known is None or (id_ and known.id and id_ != known.id):
            known = _Call()
            self._calls.append(known)
            self._by_index[index] = known
        return known

    def output(self) -> llm.ModelOutput:
        """The whole answer.

        Raises:
            BrokenReplyError: A tool call has no name.
        """
        message = Message(role=ROLE_ASSISTANT)
        if reasoning := "".join(self._reasoning):
            message.parts.add(reasoning=reasoning)
        if self._extras:
            message.parts.add(native=_json(self._extras))
        if self.text:
            message.parts.add(text=self.text)
        message.parts.extend(_part(call) for call in self._calls)
        return llm.ModelOutput(message=message, finish_reason=self._finish_reason(), model=self._model)

    def _finish_reason(self) -> llm.FinishReason:
        if self._refused:
            return llm.FINISH_REASON_REFUSAL
        if self._calls and self.finish == "stop":
            return llm.FINISH_REASON_TOOL_CALLS
        if self.finish is None:
            return llm.FINISH_REASON_UNSPECIFIED
        return FINISHES.get(self.finish, llm.FINISH_REASON_OTHER)


def _part(call: _Call) -> Part:
    if not call.name:
        raise BrokenReplyError("it calls a tool without a name")
    made = ToolCall(id=call.id, tool=call.name, arguments="".join(call.arguments))
    return Part(tool_call=made, signature=_json(call.extras).encode() if call.extras else b"")


def _words(value: Any) -> str:
    """A text, or the texts of a list of parts."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, Mapping) for part in value):
        return "".join(_words(part.get("text")) for part in value)
    raise BrokenReplyError(f"a text is of type {type(value).__name__}")


def _join(whole: dict[str, Any], piece: Mapping[str, Any]) -> None:
    """Adds the pieces of values that the contract does not know: texts and lists grow, others are replaced."""
    for key, value in piece.items():
        before = whole.get(key)
        grows = (isinstance(value, str) and isinstance(before, str)) or (
            isinstance(value, list) and isinstance(before, list)
        )
        if value is not None:
            whole[key] = before + value if grows else value


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _usage(said: Mapping[str, Any]) -> llm.TokenUsage:
    read, written = said.get("prompt_tokens_details"), said.get("completion_tokens_details")
    return llm.TokenUsage(
        prompt_tokens=_count(said, "prompt_tokens"),
        completion_tokens=_count(said, "completion_tokens"),
        total_tokens=_count(said, "total_tokens"),
        cached_tokens=_count(read, "cached_tokens"),
        reasoning_tokens=_count(written, "reasoning_tokens"),
    )


def _count(said: Any, key: str) -> int:
    value = said.get(key) if isinstance(said, Mapping) else None
    return min(int(value), 2**31 - 1) if isinstance(value, (int, float)) and value > 0 else 0
