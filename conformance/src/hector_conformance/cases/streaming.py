"""What language models promise of streams: one end, the same text, and no harm by who leaves."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from grpc.aio import AioRpcError

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.message_pb2 import ROLE_USER, Message
from hector_conformance.asking import QUESTION, VARIES, ask, question, spoken, streamed, user
from hector_conformance.case import Failed, NotOffered, case
from hector_conformance.cases.llm import AT_ONCE, BUSY, LATE, QUESTIONS, SHOWN
from hector_conformance.offered import NOBODY
from hector_conformance.statuses import StatusCode, answered_or_refused
from hector_host.config import Kind
from hector_host.errors import quoted
from hector_host.providers.prompt import text_of

if TYPE_CHECKING:
    from hector_conformance.instance import Instance
    from hector_conformance.subject import Subject


@case(Kind.LLM, "contract", requires=("StreamText",))
async def stream_ends_with_done(subject: Subject) -> None:
    """The last message of a stream, and no other, has done."""
    messages = await _one(subject)
    done = [index for index, message in enumerate(messages) if message.done]
    if done != [len(messages) - 1]:
        raise Failed(f"of {len(messages)} messages the last has done; {len(done) or 'none'} have: {done[:5]}")


@case(Kind.LLM, "contract", requires=("StreamText",))
async def pieces_make_the_output(subject: Subject) -> None:
    """The pieces of a stream, joined, are the text of its output."""
    messages = await _one(subject)
    outputs = [message.output for message in messages if message.output.HasField("message")]
    if not outputs:
        raise NotOffered("its streams carry no output: the host joins the pieces")
    whole, joined = text_of(outputs[-1].message), spoken(messages)
    if whole != joined:
        raise Failed(f'the pieces make "{quoted(whole, SHOWN)}"; joined they are "{quoted(joined, SHOWN)}"')


@case(Kind.LLM, "contract", requires=("GenerateText", "StreamText"))
async def stream_equals_unary(subject: Subject) -> None:
    """A stream says what GenerateText says, where the model is deterministic."""
    async with subject.running() as instance:
        whole = {await ask(subject, instance, user(QUESTION)) for _ in range(2)}
        if len(whole) != 1:
            raise NotOffered(VARIES)
        pieces = spoken(await streamed(await _call(subject, instance, QUESTION)))
    if pieces not in whole:
        (text,) = whole
        raise Failed(f'GenerateText says "{quoted(text, SHOWN)}"; the stream says "{quoted(pieces, SHOWN)}"')


@case(Kind.LLM, "statuses", requires=("StreamText",))
async def stream_of_unknown_model_is_not_found(subject: Subject) -> None:
    """A stream of a model that does not exist is NOT_FOUND, unless any name will do."""
    async with subject.running() as instance:
        call = instance.stubs.llm.StreamText(llm.StreamTextRequest(prompt="Hello.", model=NOBODY))
        what = "StreamText with a model that does not exist"
        if await answered_or_refused(what, _read(call), StatusCode.NOT_FOUND) is not None:
            raise NotOffered("it takes any name for a model")


@case(Kind.LLM, "empty input", requires=("StreamText",))
async def stream_of_nothing(subject: Subject) -> None:
    """A stream about an empty message ends with done, or is INVALID_ARGUMENT."""
    async with subject.running() as instance:
        request = await question(subject, llm.StreamTextRequest, Message(role=ROLE_USER))
        call = instance.stubs.llm.StreamText(request)
        what = "StreamText with a message without parts"
        messages = await answered_or_refused(what, _read(call), StatusCode.INVALID_ARGUMENT)
    if messages is not None and not (messages and messages[-1].done):
        raise Failed("the last message of a stream about nothing has done; it has not")


@case(Kind.LLM, "concurrency", requires=("StreamText",))
async def streams_are_not_mixed_up(subject: Subject) -> None:
    """32 streams at once say what each says alone."""
    async with subject.running() as instance:
        alone = [spoken(await streamed(await _call(subject, instance, text))) for text in QUESTIONS]
        if spoken(await streamed(await _call(subject, instance, QUESTIONS[0]))) != alone[0]:
            raise NotOffered(VARIES)
        many = QUESTIONS * (AT_ONCE // len(QUESTIONS))
        calls = [await _call(subject, instance, text) for text in many]
        what = "StreamText, 32 at once,"
        answers = await asyncio.gather(*(answered_or_refused(what, _read(call), *BUSY) for call in calls))
    if not any(answers):
        raise Failed("of 32 streams at once some are answered; all were refused")
    for number, messages in enumerate(answers):
        wanted = alone[number % len(alone)]
        if messages is not None and spoken(messages) != wanted:
            got = quoted(spoken(messages), SHOWN)
            raise Failed(f'"{many[number]}" is answered "{quoted(wanted, SHOWN)}"; among others the pieces are "{got}"')


@case(Kind.LLM, "cancellation", requires=("StreamText",))
async def left_streams_are_forgotten(subject: Subject) -> None:
    """After 32 streams were left at their first piece, the next one is whole."""
    async with subject.running() as instance:
        for _ in range(AT_ONCE):
            call = await _call(subject, instance, QUESTION)
            with suppress(AioRpcError):
                async for _piece in call:
                    break
            call.cancel()
        messages = await streamed(await _call(subject, instance, QUESTION))
    if not messages or not messages[-1].done:
        raise Failed("the stream after them ends with done; it does not")


@case(Kind.LLM, "deadlines", requires=("StreamText",))
async def late_streams_end_in_time(subject: Subject) -> None:
    """Streams with 2 to 64 ms end, and the next one is whole."""
    async with subject.running() as instance:
        request = await question(subject, llm.StreamTextRequest, user(QUESTION))
        calls = [instance.stubs.llm.StreamText(request, timeout=each / 500) for each in range(1, AT_ONCE + 1)]
        what = "StreamText with a deadline of some ms"
        await asyncio.gather(*(answered_or_refused(what, _read(call), *LATE) for call in calls))
        messages = await streamed(await _call(subject, instance, QUESTION))
    if not messages or not messages[-1].done:
        raise Failed("the stream after them ends with done; it does not")


async def _one(subject: Subject) -> list[llm.StreamTextResponse]:
    async with subject.running() as instance:
        return await streamed(await _call(subject, instance, QUESTION))


async def _call(subject: Subject, instance: Instance, text: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    return instance.stubs.llm.StreamText(await question(subject, llm.StreamTextRequest, user(text)))


async def _read(call) -> list[llm.StreamTextResponse]:  # type: ignore[no-untyped-def]  # noqa: ANN001
    return [message async for message in call]
