"""Conversations with the models of echo-llm, by what each is about, and the options under which they are held."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import ParseDict

from hector.plugin.v1.llm_pb2 import TOOL_CHOICE_NONE, TOOL_CHOICE_REQUIRED, GenerateTextRequest, ModelInput
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_TOOL, ROLE_USER, Message, Part, ToolCall, ToolResult
from hector.plugin.v1.tool_pb2 import Tool

NUMBERS = [1, 2.5, -0.0, 1e-4, 1e-5, 1e-7, 0.1 + 0.2, 1e15, 1e16, 1e21, -1.5e300, 5e-324]
TEXTS = 'é <&>\u2028\u2029\x01\x7f\b\f\n\t\\"/'

OPTIONS: dict[str, Any] = {
    "replies": [
        "first  one",
        {
            "text": "two",
            "tool_calls": [
                {"tool": "x", "arguments": {"b": NUMBERS, "a": TEXTS, "ü": {"z": {}, "a": [[], True, None]}}},
                {"tool": "y", "arguments": "{no"},
                {"tool": "z"},
                {"tool": "z", "arguments": None},
            ],
            "finish": "length",
        },
        {"text": "part ial", "error": "boom", "code": "UNAVAILABLE"},
        {"error": "x"},
    ]
}


def user(*texts: str) -> Message:
    return Message(role=ROLE_USER, parts=[Part(text=text) for text in texts])


def assistant(text: str = "", *tools: str) -> Message:
    return Message(role=ROLE_ASSISTANT, parts=[Part(text=text), *(Part(tool_call=ToolCall(tool=t)) for t in tools)])


def result(*texts: str, failed: bool = False, structured: Any = None) -> Message:
    """What `search` gave."""
    given = ToolResult(tool="search", failed=failed, parts=[Part(text=text) for text in texts])
    if structured is not None:
        ParseDict(structured, given.structured)
    return Message(role=ROLE_TOOL, parts=[Part(tool_result=given)])


def passages(*entries: Any) -> Message:
    return result("in words", structured={"passages": list(entries)})


def asked(
    model: str, *messages: Message, prompt: str = "", tools: tuple[str, ...] = (), **more: Any
) -> GenerateTextRequest:
    """A request; without messages, tools and more it has a prompt alone."""
    given = ModelInput(messages=messages, tools=[Tool(name=name) for name in tools], **more)
    return GenerateTextRequest(model=model, prompt=prompt, input=given if given.ByteSize() else None)


def turn(*followed: Message) -> tuple[Message, ...]:
    return (user("q"), *followed)


CASES: dict[str, GenerateTextRequest] = {
    "echo: nothing": asked("echo"),
    "echo: a prompt": asked("echo", prompt="hello  you\n"),
    "echo: whitespace of other kinds": asked("echo", prompt="\u00a0a b\u2003c\x1fd  "),
    "echo: whitespace before and alone": asked("echo", prompt=" \t x"),
    "echo: a prompt that is an observation": asked("echo", prompt="Observation: hi"),
    "echo: no user message": asked("echo", assistant("x"), prompt="pp"),
    "echo: the last user message of several": asked(
        "echo", user("a", "b"), assistant("x y"), result("r r"), prompt="pp"
    ),
    "echo: a tool that is offered": asked("echo", user("a"), tools=("search",)),
    "model: none": asked("", prompt="x"),
    "model: unknown": asked("gpt", prompt="x"),
    **{
        f"script: {n} answers": asked("script", *turn(*[assistant("a", "t") for _ in range(n)]))
        for n in range(len(OPTIONS["replies"]) + 2)
    },
    "script: an observation": asked("script", *turn(assistant("x"), user("Observation: y"))),
    "script: a new question": asked("script", *turn(assistant("x"), user("again"))),
    "reader: search offered": asked("reader", prompt='who "is" <é>\u2028?', tools=("search",)),
    "reader: characters to escape": asked("reader", user(f'q "1" {TEXTS}'), tools=("search",)),
    "reader: search required": asked("reader", user("q"), tools=("search",), tool_choice=TOOL_CHOICE_REQUIRED),
    "reader: search forbidden": asked("reader", user("q"), tools=("search",), tool_choice=TOOL_CHOICE_NONE),
    "reader: search not offered": asked("reader", user("q"), tools=("run",)),
    "reader: a result in words": asked("reader", *turn(result("plain ", "words"), result("f", failed=True))),
    "reader: an empty result, then another": asked("reader", *turn(result(""), result("second"))),
    "reader: only failures": asked("reader", *turn(result("f", failed=True), result("g", failed=True))),
    "reader: no passages": asked("reader", *turn(passages())),
    "reader: the first of equal passages": asked(
        "reader",
        *turn(passages({"text": " a ", "source": "s", "score": 1}, {"text": "b", "source": "t", "score": 1})),
    ),
    "reader: scores below zero": asked(
        "reader", *turn(passages({"text": "n", "score": -5}, {"text": "m", "source": "q", "score": -3}))
    ),
    "reader: a passage that is no object": asked("reader", *turn(passages("junk"))),
    "reader: a passage without text": asked("reader", *turn(passages({"source": "only"}))),
    "reader: a score that is no number": asked("reader", *turn(passages({"text": "x", "score": "high"}))),
    "reader: passages of two results": asked(
        "reader", *turn(passages({"text": "low", "score": 0.1}), passages({"text": "high", "score": 0.9}))
    ),
    "reader: passages that are no list": asked("reader", *turn(result("a", structured={"passages": "no list"}))),
    "reader: a structure of something else": asked("reader", *turn(result("a", structured={"other": 1}))),
    "reader: results of an earlier turn": asked("reader", *turn(result("old"), user("new")), tools=("search",)),
}
