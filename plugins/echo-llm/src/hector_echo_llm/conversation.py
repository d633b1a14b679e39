"""What a model is asked, read once: the question, the turn that it opened, and what `search` found in it.

The README's section Behaviour is the specification that this module and `models` keep.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hector.plugin.v1.message_pb2 import ROLE_USER, Message, Part
from hector_sdk import calls, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector.plugin.v1.llm_pb2 import CallToolRequest, GenerateTextRequest, ModelInput, StreamTextRequest
    from hector.plugin.v1.message_pb2 import ToolResult

    Request = CallToolRequest | GenerateTextRequest | StreamTextRequest

WHITESPACE = " \t\n\r"
WORDS = re.compile(r"[^ \t\n\r]+")
PIECES = re.compile(r"[^ \t\n\r]+[ \t\n\r]*|[ \t\n\r]+")
OBSERVATION = "Observation:"


class Conversation:
    """One request, whichever RPC it came by.

    Attributes:
        input: Of the request.
        messages: The conversation, oldest first.
        question: The text of the last user message.
        turn: What followed it.
    """

    def __init__(self, request: Request) -> None:
        self.input: ModelInput = request.input
        given = list(request.input.messages)
        self.messages: Sequence[Message] = given or [Message(role=ROLE_USER, parts=[Part(text=request.prompt)])]
        asked = [i for i, each in enumerate(self.messages) if each.role == ROLE_USER and not _observes(each)]
        self.question = text(self.messages[asked[-1]]) if asked else request.prompt
        self.turn = self.messages[asked[-1] + 1 :] if asked else self.messages

    @property
    def words(self) -> int:
        """How many words the model reads."""
        texts = [text(each) for each in self.messages] + [text(each) for each in _results(self.messages)]
        return sum(count(each) for each in texts)

    @property
    def calls(self) -> int:
        """How many tool calls it holds."""
        return sum(len(calls(each)) for each in self.messages)

    def results(self, tool: str) -> list[ToolResult]:
        """What a tool answered in this turn."""
        return [each for each in _results(self.turn) if each.tool == tool]


def count(words: str) -> int:
    """The number of words in a text."""
    return len(WORDS.findall(words))


def _observes(message: Message) -> bool:
    return text(message).startswith(OBSERVATION)


def _results(messages: Sequence[Message]) -> list[ToolResult]:
    parts = [part for message in messages for part in message.parts]
    return [part.tool_result for part in parts if part.WhichOneof("part") == "tool_result"]
