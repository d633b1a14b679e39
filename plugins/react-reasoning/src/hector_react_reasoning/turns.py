"""The messages of a run as the state keeps them: the host's by id, the strategy's own by what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hector.plugin.v1.message_pb2 import (
    ROLE_ASSISTANT,
    ROLE_SYSTEM,
    ROLE_TOOL,
    ROLE_USER,
    Message,
    Part,
    Role,
    ToolResult,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROLES: dict[str, Role] = {"system": ROLE_SYSTEM, "user": ROLE_USER, "assistant": ROLE_ASSISTANT, "tool": ROLE_TOOL}


@dataclass(frozen=True)
class Turn:
    """One message.

    Attributes:
        id: The host's name of it; everything else is then empty.
        role: Of an own one: system, user, assistant or tool.
        text: What it says.
        tool: Of a tool's result: the tool that failed.
        call: Of a tool's result: the model's id of the call.
    """

    id: str = ""
    role: str = ""
    text: str = ""
    tool: str = ""
    call: str = ""

    def message(self) -> Message:
        """As a generation lists it."""
        if self.id:
            return Message(id=self.id)
        part = Part(text=self.text)
        if self.role == "tool":
            part = Part(tool_result=ToolResult(call_id=self.call, tool=self.tool, failed=True, parts=[part]))
        return Message(role=_ROLES[self.role], parts=[part])

    def json(self) -> Any:
        """As the state writes it: the id alone, or `{"user": "text"}`."""
        if self.id:
            return self.id
        told = {self.role: self.text}
        return {**told, "of": self.tool, "call": self.call} if self.role == "tool" else told

    @classmethod
    def read(cls, value: Any) -> Turn:
        """What `json` wrote.

        Raises:
            ValueError: Nothing that it writes.
        """
        if isinstance(value, str):
            return cls(id=value)
        (role,) = (key for key in value if key in _ROLES)
        return cls(role=role, text=value[role], tool=value.get("of", ""), call=value.get("call", ""))


def observation(words: str) -> Turn:
    """What the strategy says in the user's place. The label shows everybody that it is not the user who speaks."""
    return Turn(role="user", text=f"Observation: {words}")


Step = tuple[Turn, ...]
"""What belongs together: what the model said and what came of it, or what the user put in."""

AUTHORED = 512 * 1024
"""Bytes of own messages that the state keeps; the contract's bound is 1 MiB for all of it."""

_LEFT_OUT = {"user": "Observation: (left out, as it is long ago)", "assistant": "(left out, as it is long ago)"}


def bounded(steps: Sequence[Step], limit: int = AUTHORED) -> tuple[Step, ...]:
    """The steps, and once their own messages have more than `limit` bytes, the oldest of these shortened.

    They are shortened to half the limit at once: what changes is said anew, and so that happens rarely.
    """
    over = sum(_size(turn) for step in steps for turn in step) - limit
    over += limit // 2 if over > 0 else 0
    kept: list[Step] = []
    for step in steps:
        turns = []
        for turn in step:
            shorter = _shorter(turn) if over > 0 else turn
            over -= _size(turn) - _size(shorter)
            turns.append(shorter)
        kept.append(tuple(turns))
    return tuple(kept)


def _shorter(turn: Turn) -> Turn:
    words = _LEFT_OUT.get(turn.role, turn.text)
    return Turn(role=turn.role, text=words) if len(words) < len(turn.text) else turn


def _size(turn: Turn) -> int:
    return len(turn.text.encode())
