"""Conversations drawn at random, from words and results that lie where the models of echo-llm decide.

They are held under the options of `cases`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import ParseDict

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.message_pb2 import Message, Part, ToolCall, ToolResult

if TYPE_CHECKING:
    import random

TEXTS = ("", " ", "hello", " lead ing\t x\n", "Observation: rain", "Observation", "é\u00a0x y", "\r\n", "best one ")
MODELS = ("", "echo", "reader", "reader", "script", "script", "unknown")


def request(dice: random.Random) -> llm.GenerateTextRequest:
    """One request."""
    drawn = llm.GenerateTextRequest(prompt=dice.choice(TEXTS), model=dice.choice(MODELS))
    drawn.input.messages.extend(message(dice) for _ in range(dice.randrange(6)))
    for name in dice.sample(("search", "run"), dice.randrange(3)):
        drawn.input.tools.add(name=name)
    drawn.input.tool_choice = dice.choice(llm.ToolChoice.values())
    return drawn


def message(dice: random.Random) -> Message:
    """A message of any role, of up to two parts."""
    return Message(role=dice.choice((0, 1, 2, 2, 3, 3, 4)), parts=[part(dice) for _ in range(dice.randrange(3))])


def part(dice: random.Random) -> Part:
    """Text, more often than not."""
    made = dice.choice(
        (
            lambda: Part(text=dice.choice(TEXTS)),
            lambda: Part(text=dice.choice(TEXTS)),
            lambda: Part(reasoning="hm"),
            lambda: Part(tool_call=ToolCall(id="c", tool="run")),
            lambda: Part(tool_result=result(dice)),
            lambda: Part(tool_result=result(dice)),
        )
    )
    return made()


def result(dice: random.Random) -> ToolResult:
    """What a tool gave: texts, and sometimes a structure."""
    made = ToolResult(tool=dice.choice(("search", "search", "run")), failed=dice.random() < 0.3)
    made.parts.extend(Part(text=dice.choice(TEXTS)) for _ in range(dice.randrange(3)))
    passages = {"passages": [passage(dice) for _ in range(dice.randrange(4))]}
    structured = dice.choice((None, passages, passages, {"other": 1}, {"passages": "no list"}, [1]))
    if structured is not None:
        ParseDict(structured, made.structured)
    return made


def passage(dice: random.Random) -> dict[str, Any]:
    """An entry of `passages`, any of its fields absent."""
    fields = {
        "text": dice.choice(TEXTS),
        "source": dice.choice(("", "a.md:1", "b")),
        "score": dice.choice((0, 0.5, -1, 2, "no number")),
    }
    return {name: value for name, value in fields.items() if dice.random() < 0.75}
