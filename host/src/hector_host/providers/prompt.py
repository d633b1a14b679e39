"""Messages as plain text, for plugins that read nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_SYSTEM, ROLE_TOOL, ROLE_USER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector.plugin.v1.message_pb2 import Message, Part

SPEAKERS = {ROLE_SYSTEM: "System", ROLE_USER: "User", ROLE_ASSISTANT: "Assistant", ROLE_TOOL: "Tool"}


def text_of(message: Message) -> str:
    """The text parts of a message, joined."""
    return "".join(part.text for part in message.parts if part.HasField("text"))


def transcript(messages: Sequence[Message]) -> str:
    """The whole conversation as text. One message alone is its own transcript."""
    if len(messages) == 1:
        return _spoken(messages[0])
    return "\n\n".join(f"{SPEAKERS.get(message.role, 'User')}: {_spoken(message)}" for message in messages)


def _spoken(message: Message) -> str:
    return "".join(_line(part) for part in message.parts)


def _line(part: Part) -> str:
    kind = part.WhichOneof("part")
    if kind == "text":
        return part.text
    if kind == "tool_call":
        return f"\n[calls {part.tool_call.tool} with {part.tool_call.arguments}]"
    if kind == "tool_result":
        outcome = "failed" if part.tool_result.failed else "answered"
        return f"[{part.tool_result.tool} {outcome}] " + "".join(_line(inner) for inner in part.tool_result.parts)
    return ""
