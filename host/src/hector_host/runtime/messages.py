"""The messages that the host holds for a run: each under one id, whole, and written once.

Strategies name messages by id. What a strategy writes itself (a system prompt, an observation) it sends with parts and
no id, again in every generation that needs it; the same content is then the same message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector.plugin.v1.message_pb2 import Message
from hector_host.errors import RunError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Messages:
    """The messages of one run, those of its session's earlier runs included.

    Attributes:
        given: The ids of the conversation that the run began with.
    """

    def __init__(self, run: str, conversation: Iterable[Message]) -> None:
        self._run = run
        self._held = {message.id: message for message in conversation}
        self._written: dict[bytes, str] = {}
        self._count = 0
        self.given = list(self._held)

    def add(self, message: Message) -> Message:
        """Holds a new message under a new id."""
        self._count += 1
        message.id = f"{self._run}/{self._count}"
        self._held[message.id] = message
        return message

    def resolve(self, named: Sequence[Message], who: str) -> tuple[list[Message], list[Message]]:
        """Whole messages for named ones, and those among them that nobody held before.

        Raises:
            RunError: An id that the host does not hold.
        """
        whole: list[Message] = []
        new: list[Message] = []
        for message in named:
            if message.id and message.id not in self._held:
                name = quoted(message.id, 100)
                raise RunError(f"{who}: names a message {name!r} that this run does not have")
            if message.id:
                whole.append(self._held[message.id])
                continue
            content = message.SerializeToString(deterministic=True)
            if content not in self._written:
                copy = Message()
                copy.CopyFrom(message)
                new.append(self.add(copy))
                self._written[content] = copy.id
            whole.append(self._held[self._written[content]])
        return whole, new

    def answer(self, message: Message) -> Message:
        """The message of this run that says exactly this, or this one, held from now on."""
        for name, held in reversed(self._held.items()):
            ours = name.startswith(f"{self._run}/")
            if ours and held.role == message.role and list(held.parts) == list(message.parts):
                return held
        return self.add(message)


def readable_by(model: str, message: Message) -> Message:
    """A message as another model may see it: without thoughts, signatures and blocks that only its author reads."""
    if message.model in ("", model):
        return message
    kept = Message(id=message.id, role=message.role, model=message.model)
    for part in message.parts:
        if part.WhichOneof("part") in ("reasoning", "native"):
            continue
        copy = kept.parts.add()
        copy.CopyFrom(part)
        copy.ClearField("signature")
    return kept
