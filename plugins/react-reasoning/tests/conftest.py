"""A host in a few lines: it holds the messages, performs the effects and takes the state through JSON between steps."""

import json
from dataclasses import dataclass, field

import pytest
from google.protobuf.json_format import MessageToJson, Parse
from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1.llm_pb2 import FINISH_REASON_STOP, Model
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_TOOL, ROLE_USER, Message, Part, ToolCall, ToolResult
from hector.plugin.v1.reasoning_pb2 import (
    RUN_END_BUDGET,
    RUN_END_DONE,
    Failure,
    FinalizeRequest,
    InitializeRequest,
    Outcome,
    ProcessIterationRequest,
)
from hector.plugin.v1.tool_pb2 import Tool
from hector_react_reasoning.strategy import React


def tool(name, description="", **parameters):
    made = Tool(name=name, description=description)
    required = [key for key, kind in parameters.items() if not kind.endswith("?")]
    properties = {key: {"type": kind.rstrip("?")} for key, kind in parameters.items()}
    made.parameters.update({"type": "object", "properties": properties, "required": required})
    return made


@dataclass
class Host:
    """Runs a strategy over a model and tools that a test writes down.

    Attributes:
        replies: What the model says, one after the other: text, tool calls as (id, tool, arguments), or an Outcome.
        results: What each tool answers: text, or a Failure.
        asked: What the model was asked, with all messages whole.
        called: The tool calls that were performed.
    """

    replies: list = field(default_factory=list)
    results: dict = field(default_factory=dict)
    tools: tuple = (tool("run", "Runs a command.", command="string"), tool("add", a="number", b="number"))
    tool_calling: bool = False
    options: dict = field(default_factory=dict)
    system: str = "Be brief."
    max_iterations: int = 20
    strategies: tuple = field(default_factory=lambda: (React(),))
    said: dict = field(default_factory=dict)
    messages: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    called: list = field(default_factory=list)
    thoughts: list = field(default_factory=list)
    states: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    end: int = 0

    def hold(self, role, *parts):
        message = Message(id=f"m{len(self.messages) + 1}", role=role, parts=parts)
        self.messages[message.id] = message
        return message

    async def initialize(self):
        request = InitializeRequest(
            max_iterations=self.max_iterations,
            system_prompt=self.system,
            messages=[self.hold(ROLE_USER, Part(text="What is there?"))],
            tools=self.tools,
            model=Model(id="m", tool_calling=self.tool_calling),
        )
        request.options.update(self.options)
        return await self.strategies[0].initialize(request)

    async def run(self):
        """The answer: a FinalizeResponse."""
        response = await self.initialize()
        outcomes = []
        self.end = RUN_END_BUDGET
        for number in range(1, self.max_iterations + 2):
            self.states.append(response.state)
            request = ProcessIterationRequest(
                state=Parse(MessageToJson(response.state), Struct()),
                state_version=response.state_version,
                iteration=number,
            )
            request.input.outcomes.extend(reversed(outcomes))  # matched by id
            request.input.left.iterations = self.max_iterations + 1 - number
            if number in self.said:
                request.input.messages.append(self.hold(ROLE_USER, Part(text=self.said[number])))
            self.requests.append(request)
            response = await self.strategies[number % len(self.strategies)].process_iteration(request)
            self.thoughts.append(response.result.thought)
            if response.done:
                self.end = RUN_END_DONE
                break
            outcomes = [self.perform(effect) for effect in response.result.effects]
        request = FinalizeRequest(state=response.state, state_version=response.state_version, end=self.end)
        return await self.strategies[0].finalize(request)

    def perform(self, effect):
        if effect.HasField("generate"):
            self.asked.append(effect.generate)
            for message in effect.generate.input.messages:
                assert bool(message.id) != bool(message.parts)
                if message.id:
                    message.CopyFrom(self.messages[message.id])
            return self.reply(effect.id, self.replies.pop(0))
        self.called.append((effect.id, effect.tool_call.tool, json.loads(effect.tool_call.arguments)))
        return self.result(effect.id, effect.tool_call)

    def reply(self, effect, said):
        if isinstance(said, Outcome):
            said.id = effect
            return said
        parts = [
            Part(text=each)
            if isinstance(each, str)
            else Part(tool_call=ToolCall(id=each[0], tool=each[1], arguments=each[2]))
            for each in ([said] if isinstance(said, str) else said)
        ]
        return Outcome(id=effect, message=self.hold(ROLE_ASSISTANT, *parts), finish_reason=FINISH_REASON_STOP)

    def result(self, effect, call):
        came = self.results[call.tool]
        failed = isinstance(came, Failure)
        words = came.message if failed else came
        result = ToolResult(call_id=call.id, tool=call.tool, failed=failed, parts=[Part(text=words)] if words else [])
        return Outcome(
            id=effect, message=self.hold(ROLE_TOOL, Part(tool_result=result)), failure=came if failed else None
        )


@pytest.fixture
def host():
    return Host


@pytest.fixture
def make_tool():
    return tool


def conversation(generate):
    """What a generation was asked, as (role, text) pairs; results and calls in brackets."""
    names = {1: "system", 2: "user", 3: "assistant", 4: "tool"}
    return [(names[message.role], "".join(map(_words, message.parts))) for message in generate.input.messages]


def _words(part):
    kind = part.WhichOneof("part")
    if kind == "text":
        return part.text
    if kind == "tool_call":
        return f"[{part.tool_call.id}: {part.tool_call.tool} {part.tool_call.arguments}]"
    result = part.tool_result
    return f"[{result.call_id}: {'!' if result.failed else ''}{''.join(each.text for each in result.parts)}]"


@pytest.fixture(name="conversation")
def conversation_fixture():
    return conversation
