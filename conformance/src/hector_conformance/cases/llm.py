"""What every language model promises of whole answers: their form, their statuses, and that calls are independent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hector.plugin.v1 import llm_pb2 as llm
from hector.plugin.v1.message_pb2 import ROLE_ASSISTANT, ROLE_USER, Message
from hector_conformance.asking import QUESTION, VARIES, ask, assistant, called, question, said, same_everywhere, user
from hector_conformance.case import RESTART, Failed, NotOffered, case
from hector_conformance.offered import NOBODY
from hector_conformance.statuses import StatusCode, answered, answered_or_refused
from hector_host.config import Kind
from hector_host.errors import quoted

if TYPE_CHECKING:
    from hector_conformance.instance import Instance
    from hector_conformance.subject import Subject

AT_ONCE = 32
QUESTIONS = [f"What comes after {number}?" for number in (3, 14, 159, 2653)]
UNDERWAY = 0.02
"""Seconds until calls that were begun are at work in the plugin."""
SHOWN = 100
LARGE = 5 << 20
"""Bytes; more than gRPC libraries receive unless they are told to."""
LARGEST = (64 << 20) - (1 << 10)
TOO_MUCH = (StatusCode.INVALID_ARGUMENT, StatusCode.RESOURCE_EXHAUSTED)
BUSY = (StatusCode.RESOURCE_EXHAUSTED, StatusCode.UNAVAILABLE)
LATE = (*BUSY, StatusCode.DEADLINE_EXCEEDED, StatusCode.CANCELLED)


@case(Kind.LLM, "contract")
async def generates_text(subject: Subject) -> None:
    """GenerateText, without which nothing is a language model, is served."""
    if not await subject.offers("GenerateText"):
        raise Failed("GenerateText is served; it is UNIMPLEMENTED")


@case(Kind.LLM, "contract", requires=("GenerateText",))
async def text_is_that_of_the_output(subject: Subject) -> None:
    """The text of an answer is that of its output's message, whose role is assistant."""
    response = await _answer(subject)
    if not response.output.HasField("message"):
        raise NotOffered("its answers are their text alone")
    if response.output.message.role != ROLE_ASSISTANT:
        raise Failed(f"the message of an answer has role ROLE_ASSISTANT; it has {response.output.message.role}")
    if response.text != said(response):
        text, message = quoted(response.text, SHOWN), quoted(said(response), SHOWN)
        raise Failed(f'text is the message\'s; it is "{text}", and the message says "{message}"')


@case(Kind.LLM, "contract", requires=("GenerateText",))
async def finish_reason_fits_the_answer(subject: Subject) -> None:
    """Where no tools are offered, none is called, and the finish reason says so."""
    response = await _answer(subject)
    calls = called(response.output.message.parts)
    if calls:
        raise Failed(f"no tools were offered; the answer calls {quoted(', '.join(calls), SHOWN)}")
    reason = response.output.finish_reason
    if reason == llm.FINISH_REASON_TOOL_CALLS:
        raise Failed("an answer without tool calls does not end by them; its finish_reason is TOOL_CALLS")
    if reason not in llm.FinishReason.values():
        raise Failed(f"finish_reason is one of the contract's; it is {reason}")


@case(Kind.LLM, "contract", requires=("GenerateText",))
async def usage_is_plausible(subject: Subject) -> None:
    """Tokens are not negative, parts are not larger than the whole."""
    response = await _answer(subject)
    if not response.HasField("usage"):
        raise NotOffered("it does not know what an answer cost")
    usage = response.usage
    counts = {field.name: getattr(usage, field.name) for field in usage.DESCRIPTOR.fields}
    if min(counts.values()) < 0:
        raise Failed(f"no count of tokens is negative; they are {counts}")
    if usage.cached_tokens > usage.prompt_tokens or usage.reasoning_tokens > usage.completion_tokens:
        raise Failed(f"cached tokens are part of the prompt's, reasoning of the completion's; they are {counts}")
    if 0 < usage.total_tokens < max(usage.prompt_tokens, usage.completion_tokens):
        raise Failed(f"the total is no less than a part of it; they are {counts}")


@case(Kind.LLM, "contract", requires=("ListModels",))
async def models_have_names_of_their_own(subject: Subject) -> None:
    """ListModels names each model once, and no model is nameless."""
    async with subject.running() as instance:
        listed = await answered("ListModels", instance.stubs.llm.ListModels(llm.ListModelsRequest()))
    names = [model.id for model in listed.models]
    if "" in names or len(set(names)) != len(names):
        raise Failed(f"each model has a name of its own; they are {quoted(str(names), 300)}")


@case(Kind.LLM, "statuses", requires=("GenerateText",))
async def unknown_model_is_not_found(subject: Subject) -> None:
    """A model that does not exist is NOT_FOUND, unless any name will do."""
    async with subject.running() as instance:
        request = llm.GenerateTextRequest(prompt="Hello.", model=NOBODY)
        call = instance.stubs.llm.GenerateText(request)
        what = "GenerateText with a model that does not exist"
        if await answered_or_refused(what, call, StatusCode.NOT_FOUND) is not None:
            raise NotOffered("it takes any name for a model")


@case(Kind.LLM, "empty input", requires=("GenerateText",))
async def empty_prompt_is_a_prompt(subject: Subject) -> None:
    """An empty prompt, and a message without parts, are answered or INVALID_ARGUMENT."""
    async with subject.running() as instance:
        empty = await question(subject, llm.GenerateTextRequest, Message(role=ROLE_USER))
        for what, request in (
            ("GenerateText with an empty prompt", llm.GenerateTextRequest(model=subject.settings.model)),
            ("GenerateText with a message without parts", empty),
        ):
            call = instance.stubs.llm.GenerateText(request)
            await answered_or_refused(what, call, StatusCode.INVALID_ARGUMENT)


@case(Kind.LLM, "empty input", requires=("GenerateText",))
async def any_text_is_text(subject: Subject) -> None:
    """Control characters, right-to-left marks and rare scripts are answered."""
    async with subject.running() as instance:
        await ask(subject, instance, user('\0\x1b[31m \u202e\u2028 "\\ 𒀀 👩\u200d🚀 \ufffd'))


@case(Kind.LLM, "huge input", requires=("GenerateText",))
async def large_prompt(subject: Subject) -> None:
    """A prompt of 5 MiB is answered, or refused by name."""
    await _huge(subject, LARGE)


@case(Kind.LLM, "huge input", requires=("GenerateText",))
async def largest_prompt(subject: Subject) -> None:
    """A prompt of nearly 64 MiB is answered, or refused by name."""
    await _huge(subject, LARGEST)


@case(Kind.LLM, "concurrency", requires=("GenerateText",))
async def answers_are_not_mixed_up(subject: Subject) -> None:
    """32 questions at once have the answers that each has alone."""
    async with subject.running() as instance:
        alone = [await ask(subject, instance, user(text)) for text in QUESTIONS]
        if await ask(subject, instance, user(QUESTIONS[0])) != alone[0]:
            raise NotOffered(VARIES)
        many = QUESTIONS * (AT_ONCE // len(QUESTIONS))
        requests = [await question(subject, llm.GenerateTextRequest, user(text)) for text in many]
        calls = (instance.stubs.llm.GenerateText(request) for request in requests)
        what = "GenerateText, 32 at once,"
        answers = await asyncio.gather(*(answered_or_refused(what, call, *BUSY) for call in calls))
    if not any(answers):
        raise Failed("of 32 calls at once some are answered; all were refused")
    for number, response in enumerate(answers):
        wanted = alone[number % len(alone)]
        if response is not None and said(response) != wanted:
            asked, got = many[number], quoted(said(response), SHOWN)
            raise Failed(f'"{asked}" is answered "{quoted(wanted, SHOWN)}"; among others it is answered "{got}"')


@case(Kind.LLM, "cancellation", requires=("GenerateText",))
async def cancelled_calls_are_forgotten(subject: Subject) -> None:
    """After 32 cancelled calls the next one is answered."""
    async with subject.running() as instance:
        request = await question(subject, llm.GenerateTextRequest, user(QUESTION))
        calls = [instance.stubs.llm.GenerateText(request) for _ in range(AT_ONCE)]
        await asyncio.sleep(UNDERWAY)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await ask(subject, instance, user(QUESTION))


@case(Kind.LLM, "deadlines", requires=("GenerateText",))
async def late_calls_end_in_time(subject: Subject) -> None:
    """Calls with 2 to 64 ms are answered or DEADLINE_EXCEEDED, and the next one is answered."""
    async with subject.running() as instance:
        request = await question(subject, llm.GenerateTextRequest, user(QUESTION))
        calls = (instance.stubs.llm.GenerateText(request, timeout=each / 500) for each in range(1, AT_ONCE + 1))
        what = "GenerateText with a deadline of some ms"
        await asyncio.gather(*(answered_or_refused(what, call, *LATE) for call in calls))
        await ask(subject, instance, user(QUESTION))


@case(Kind.LLM, "statelessness", requires=(RESTART, "GenerateText"))
async def earlier_calls_change_nothing(subject: Subject) -> None:
    """What was asked before does not change an answer."""
    await same_everywhere(subject)
    async with subject.running(fresh=True) as instance:
        first = await ask(subject, instance, user(QUESTION))
        for text in QUESTIONS:
            await ask(subject, instance, user(text))
        again = await ask(subject, instance, user(QUESTION))
    if again != first:
        raise Failed(f'the answer stays "{quoted(first, SHOWN)}"; after others it is "{quoted(again, SHOWN)}"')


@case(Kind.LLM, "statelessness", requires=(RESTART, "GenerateText"))
async def any_replica_goes_on(subject: Subject) -> None:
    """A conversation that goes on in a second process has the answers that it has in the first."""
    if subject.bare:
        raise NotOffered("two of it would share a port")
    await same_everywhere(subject)
    async with subject.running(fresh=True) as one, subject.running(fresh=True) as other:
        begun = [user(QUESTIONS[0]), assistant(await ask(subject, one, user(QUESTIONS[0]))), user(QUESTIONS[1])]
        here, there = await ask(subject, one, *begun), await ask(subject, other, *begun)
    if here != there:
        one_says, other_says = quoted(here, SHOWN), quoted(there, SHOWN)
        raise Failed(f'both replicas answer alike; one says "{one_says}", the other "{other_says}"')


@case(Kind.LLM, "restart", requires=(RESTART, "GenerateText"))
async def answers_after_kill(subject: Subject) -> None:
    """Killed while it works, its calls end; started again, it answers."""
    folder = subject.folder()
    async with subject.running(data=folder) as instance:
        await ask(subject, instance, user(QUESTION))
        request = await question(subject, llm.GenerateTextRequest, user(QUESTION))
        calls = [instance.stubs.llm.GenerateText(request) for _ in range(AT_ONCE)]
        await asyncio.sleep(UNDERWAY)
        instance.kill()
        await asyncio.gather(*calls, return_exceptions=True)
    async with subject.running(data=folder) as instance:
        await ask(subject, instance, user(QUESTION))


async def _answer(subject: Subject) -> llm.GenerateTextResponse:
    async with subject.running() as instance:
        request = await question(subject, llm.GenerateTextRequest, user(QUESTION))
        return await answered("GenerateText", instance.stubs.llm.GenerateText(request))


async def _huge(subject: Subject, size: int) -> None:
    async with subject.running() as instance:
        await _one_large(subject, instance, "x" * (size // 2))
        await ask(subject, instance, user(QUESTION))


async def _one_large(subject: Subject, instance: Instance, text: str) -> None:
    # Said twice, as by hosts: as the prompt, and as the conversation.
    request = await question(subject, llm.GenerateTextRequest, user(text))
    call = instance.stubs.llm.GenerateText(request)
    await answered_or_refused(f"GenerateText with {request.ByteSize() >> 20} MiB", call, *TOO_MUCH)
