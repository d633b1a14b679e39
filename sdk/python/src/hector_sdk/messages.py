"""Reading messages: what a message says, and which tools it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hector.plugin.v1.message_pb2 import Message, ToolCall, ToolResult


def text(message: Message | ToolResult) -> str:
    """The text parts, joined as they are: no separator, no reasoning, no media."""
    return "".join(part.text for part in message.parts)


def calls(message: Message) -> list[ToolCall]:
    """The tool calls, in order."""
    return [part.tool_call for part in message.parts if part.WhichOneof("part") == "tool_call"]
