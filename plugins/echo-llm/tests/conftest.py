"""Short words for what a host sends."""

from collections.abc import Callable
from typing import Any

import pytest

from hector.plugin.v1.llm_pb2 import ModelInput
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_TOOL, ROLE_USER, Message, Part, ToolCall, ToolResult
from hector.plugin.v1.tool_pb2 import Tool
from hector_sdk.values import struct

Conversation = Callable[..., ModelInput]


class Words:
    """Messages by who says them."""

    @staticmethod
    def user(*texts: str) -> Message:
        return Message(role=ROLE_USER, parts=[Part(text=text) for text in texts])

    @staticmethod
    def assistant(text: str = "", *tools: str) -> Message:
        calls = [Part(tool_call=ToolCall(tool=tool)) for tool in tools]
        return Message(role=ROLE_ASSISTANT, parts=[Part(text=text), *calls])

    @staticmethod
    def result(*texts: str, tool: str = "search", failed: bool = False, passages: list[Any] | None = None) -> Message:
        result = ToolResult(tool=tool, failed=failed, parts=[Part(text=text) for text in texts])
        if passages is not None:
            result.structured.struct_value.CopyFrom(struct({"passages": passages}))
        return Message(role=ROLE_TOOL, parts=[Part(tool_result=result)])

    @staticmethod
    def asked(*messages: Message, tools: tuple[str, ...] = (), **more: Any) -> ModelInput:
        return ModelInput(messages=messages, tools=[Tool(name=name) for name in tools], **more)


@pytest.fixture
def says() -> type[Words]:
    return Words
