"""Questions to a language model, put so that bare servers understand them too, and what an answer says as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_USER, Message, Part
from hector_conformance.case import NotOffered
from hector_conformance.statuses import answered
from hector_host.providers.prompt import text_of, transcript

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hector_conformance.instance import Instance
    from hector_conformance.subject import Subject

R = TypeVar("R", llm.GenerateTextRequest, llm.StreamTextRequest, llm.CallToolRequest)

VARIES = "its answers to one question differ, also at temperature 0"
QUESTION = "Which is the first letter of the word Hector?"
STREAM_LIMIT = 64 << 20
"""Bytes that all messages of a stream may have, as the host counts them."""


def user(text: str) -> Message:
    """What a user says."""
    return Message(role=ROLE_USER, parts=[Part(text=text)])


def assistant(text: str) -> Message:
    """What a model said."""
    return Message(role=ROLE_ASSISTANT, parts=[Part(text=text)])


async def question(subject: Subject, kind: type[R], *messages: Message, **more: Any) -> R:
    """A request with a conversation, likeliest answer wanted.

    Args:
        more: Further fields of `ModelInput`.
    """
    model_input = llm.ModelInput(messages=messages, sampling=llm.Sampling(temperature=0, seed=1), **more)
    last = next((text_of(message) for message in reversed(messages) if message.role == ROLE_USER), "")
    prompt = last if await subject.offers("Describe") else transcript(messages)
    return kind(prompt=prompt, model=subject.settings.model, input=model_input)


async def ask(subject: Subject, instance: Instance, *messages: Message) -> str:
    """The text of the model's answer."""
    request = await question(subject, llm.GenerateTextRequest, *messages)
    return said(await answered("GenerateText", instance.stubs.llm.GenerateText(request)))


def said(response: llm.GenerateTextResponse | llm.CallToolResponse) -> str:
    """The text of an answer."""
    return text_of(response.output.message) if response.output.HasField("message") else response.text


async def streamed(call: Any) -> list[llm.StreamTextResponse]:
    """All messages of a stream, within the bounds of a host.

    Raises:
        Failed: It ended with an error.
        NotOffered: It is longer than a host reads.
    """

    async def read() -> list[llm.StreamTextResponse]:
        messages, size = [], 0
        async for message in call:
            messages.append(message)
            size += message.ByteSize() + 64
            if size > STREAM_LIMIT:
                call.cancel()
                raise NotOffered("its stream is longer than a host reads")
        return messages

    return await answered("StreamText", read())


def spoken(messages: Sequence[llm.StreamTextResponse]) -> str:
    """The text of a stream's pieces."""
    return "".join(message.text for message in messages)


async def same_everywhere(subject: Subject) -> None:
    """Returns when two new processes answer a question alike, so that answers can be compared at all.

    Raises:
        NotOffered: They do not, or there are no two processes.
    """
    answers = await subject.once("same answers", lambda: _twice(subject))
    if len(answers) != 1:
        raise NotOffered(VARIES)


async def _twice(subject: Subject) -> set[str]:
    answers = set()
    for _ in range(2):
        async with subject.running(fresh=True) as instance:
            answers.add(await ask(subject, instance, user(QUESTION)))
    return answers


def called(parts: Iterable[Part]) -> list[str]:
    """Names of the tools that a message calls."""
    return [part.tool_call.tool for part in parts if part.HasField("tool_call")]
