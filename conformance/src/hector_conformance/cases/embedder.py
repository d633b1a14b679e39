"""What every embedder promises."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from grpc import StatusCode
from grpc.aio import AioRpcError

from hector.plugin.v1.embedder_pb2 import (
    INPUT_TYPE_DOCUMENT,
    INPUT_TYPE_QUERY,
    INPUT_TYPE_UNSPECIFIED,
    EmbedBatchRequest,
    EmbedTextRequest,
    GetDimensionsRequest,
    InputType,
)
from hector_conformance.answers import bare, beyond_bare, refusal
from hector_conformance.case import RESTART, Failed, NotOffered, case
from hector_conformance.offered import NOBODY
from hector_conformance.statuses import answered_or_refused, told
from hector_conformance.texts import alike, embedder
from hector_host.config import Kind

if TYPE_CHECKING:
    from hector_conformance.subject import Subject

TEXTS = (
    "A host that is killed takes its plugins with it.",
    "Bread rises when yeast eats sugar.",
    "The quick brown fox jumps over the lazy dog, and then it sleeps in the sun for the whole of the afternoon.",
    "Rain.",
    "How do I restart a process that has died?",
    "SELECT name FROM people WHERE age > 42",
)
UNICODE = (
    "Grüße aus Zürich",
    "日本語のテキスト",
    "שלום",
    "e\u0301 é",
    "\U0001f469\u200d\U0001f467 \U0001f3f3",
    "a\u0000b",
    "\ufeffx",
    "\u202eabc",
    "\U0010ffff",
)
EXACT = 1e-4
"""By which a float of the same text in the same process may differ, relative to the vector's length."""
HUGE = 1 << 20
MANY = 2000
PATIENCE = 5.0
"""Seconds for a text of a plugin that may be stuck."""
DELAYS = (0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2)
"""Seconds after which a call is cancelled, so that it is met in whatever it does."""


@case(Kind.EMBEDDER, "contract", requires=("GetDimensions",))
async def dimensions_agree_with_vectors(subject: Subject) -> None:
    """Every vector has as many floats as GetDimensions says."""
    async with subject.running() as instance:
        model = embedder(subject, instance)
        said = (await model.dimensions()).dimension
        for text in TEXTS:
            if (found := len(await model.vector(text))) != said:
                raise Failed(f"floats of a vector: should be {said}, as GetDimensions says, were {found}")


@case(Kind.EMBEDDER, "contract")
async def equal_texts_have_equal_vectors(subject: Subject) -> None:
    """The same text, embedded again, has the same vector."""
    async with subject.running() as instance:
        model = embedder(subject, instance)
        for text in TEXTS:
            first, second = await model.vector(text), await model.vector(text)
            bound = EXACT * math.hypot(*first)
            if len(first) != len(second) or max(abs(a - b) for a, b in zip(first, second, strict=True)) > bound:
                raise Failed("a text that is embedded twice: should have the same vector, has another")


@case(Kind.EMBEDDER, "contract")
async def different_texts_have_different_vectors(subject: Subject) -> None:
    """Texts about different things have different vectors."""
    async with subject.running() as instance:
        model = embedder(subject, instance)
        first, *others = [list(await model.vector(text)) for text in TEXTS]
        if all(other == first for other in others):
            raise Failed(f"{len(TEXTS)} different texts: should have different vectors, all have the same")


@case(Kind.EMBEDDER, "contract", requires=("EmbedBatch",))
async def batches_equal_single_texts(subject: Subject) -> None:
    """EmbedBatch gives a text the vector that EmbedText gives it."""
    async with subject.running() as instance:
        model = embedder(subject, instance)
        for text in TEXTS:
            (batched,) = await model.batch([text])
            if not alike(batched, await model.vector(text)):
                raise Failed("a text by EmbedBatch: should have the vector that it has by EmbedText, has another")


@case(Kind.EMBEDDER, "contract", requires=("EmbedBatch",))
async def batches_keep_their_order(subject: Subject) -> None:
    """EmbedBatch answers in the order of its texts."""
    async with subject.running() as instance:
        model = embedder(subject, instance)
        forward, backward = await model.batch(TEXTS), await model.batch(TEXTS[::-1])
        alone = [(await model.batch([text]))[0] for text in TEXTS]
        for one, other, single in zip(forward, reversed(backward), alone, strict=True):
            if not (alike(one, other) and alike(one, single)):
                raise Failed("a batch, and the same backwards: should have the same vectors backwards, has others")


@case(Kind.EMBEDDER, "contract", requires=("GetDimensions",))
async def normalized_vectors_have_length_1(subject: Subject) -> None:
    """Vectors have length 1 where GetDimensions says that they are normalized."""
    async with subject.running() as instance:
        model = embedder(subject, instance)
        if not (await model.dimensions()).normalized:
            raise NotOffered("its vectors may have any length")
        for text in TEXTS:
            if abs((length := math.hypot(*await model.vector(text))) - 1) > 1e-3:
                raise Failed(f"the length of a normalized vector: should be 1, was {length:.4g}")


@case(Kind.EMBEDDER, "contract")
async def texts_have_purposes(subject: Subject) -> None:
    """A query and a document are embedded too, in vectors that can be compared: as long as the neutral one."""
    async with beyond_bare(subject, "input_type"), subject.running() as instance:
        model = embedder(subject, instance)
        purposes = (INPUT_TYPE_UNSPECIFIED, INPUT_TYPE_QUERY, INPUT_TYPE_DOCUMENT)
        lengths = {InputType.Name(kind): len((await model.text(TEXTS[0], kind)).vector) for kind in purposes}
        if len(set(lengths.values())) > 1:
            raise Failed(f"floats by input_type: should be as many for each, were {lengths}")


@case(Kind.EMBEDDER, "contract")
async def any_unicode_is_a_text(subject: Subject) -> None:
    """Texts in any script, with any code point, are embedded."""
    async with subject.running() as instance:
        for text in UNICODE:
            await embedder(subject, instance).vector(text)


@case(Kind.EMBEDDER, "statuses")
async def unknown_models_are_not_found(subject: Subject) -> None:
    """A model that does not exist is NOT_FOUND."""
    async with beyond_bare(subject, "model"), subject.running() as instance:
        requests = {
            "EmbedText": EmbedTextRequest(text="x", model=NOBODY),
            "EmbedBatch": EmbedBatchRequest(texts=["x"], model=NOBODY),
            "GetDimensions": GetDimensionsRequest(model=NOBODY),
        }
        for rpc, request in requests.items():
            if await subject.offers(rpc):
                call = getattr(instance.stubs.embedder, rpc)(request)
                await refusal(subject, call, StatusCode.NOT_FOUND, f"{rpc} with a model that does not exist")


@case(Kind.EMBEDDER, "statuses")
async def impossible_dimensions_are_invalid(subject: Subject) -> None:
    """A dimension that the model cannot give is INVALID_ARGUMENT."""
    async with beyond_bare(subject, "dimension"), subject.running() as instance:
        for dimension in (-1, 10_000_000):
            asked: dict[str, Any] = {"model": subject.settings.model, "dimension": dimension}
            requests = {
                "EmbedText": EmbedTextRequest(text="x", **asked),
                "EmbedBatch": EmbedBatchRequest(texts=["x"], **asked),
            }
            for rpc, request in requests.items():
                if await subject.offers(rpc):
                    call = getattr(instance.stubs.embedder, rpc)(request)
                    await refusal(subject, call, StatusCode.INVALID_ARGUMENT, f"{rpc} with dimension {dimension}")


@case(Kind.EMBEDDER, "empty input")
async def an_empty_text_is_a_text(subject: Subject) -> None:
    """The empty text, and one of spaces, are embedded."""
    async with subject.running() as instance:
        for text in ("", " \n\t "):
            await embedder(subject, instance).vector(text)


@case(Kind.EMBEDDER, "empty input", requires=("EmbedBatch",))
async def an_empty_batch_has_an_empty_answer(subject: Subject) -> None:
    """EmbedBatch without texts succeeds with no vectors; one of empty texts has a vector for each."""
    async with subject.running() as instance:
        await embedder(subject, instance).batch([])
        await embedder(subject, instance).batch(["", ""])


@case(Kind.EMBEDDER, "huge input")
async def a_text_of_1_mib_is_embedded(subject: Subject) -> None:
    """A text of 1 MiB is embedded, and an embedder that knows its bound says that it was cut."""
    text = ("A host that is killed takes its plugins with it. " * (HUGE // 49 + 1))[:HUGE]
    async with subject.running() as instance:
        model = embedder(subject, instance)
        response = await model.text(text)
        bound = (await model.dimensions()).max_input_tokens if await subject.offers("GetDimensions") else 0
        if 0 < bound < HUGE // 100 and not response.truncated:
            raise Failed(f"a text of 1 MiB, where {bound} tokens are read: should say truncated, did not")


@case(Kind.EMBEDDER, "huge input", requires=("EmbedBatch",))
async def a_batch_of_2000_texts_is_embedded_whole(subject: Subject) -> None:
    """A batch of 2,000 short texts has 2,000 vectors in their order, or is INVALID_ARGUMENT as more than has room."""
    texts = [f"{TEXTS[number % 2][:16]} {number}" for number in range(MANY)]
    async with beyond_bare(subject, "messages over 4 MiB"), subject.running() as instance:
        model = embedder(subject, instance)
        request = EmbedBatchRequest(texts=texts, model=model.model)
        what = f"EmbedBatch of {MANY} texts"
        response = await answered_or_refused(
            what, instance.stubs.embedder.EmbedBatch(request), StatusCode.INVALID_ARGUMENT
        )
        if response is None:
            return
        vectors = [each.vector for each in response.embeddings]
        if not response.success or len(vectors) != MANY:
            raise Failed(f"{what}: should answer as many vectors, answered {len(vectors)}")
        for number in (0, 1, MANY // 2, MANY - 1):
            if not alike(vectors[number], await model.vector(texts[number])):
                raise Failed(f"text {number} of {MANY}: should have its vector, has another")


@case(Kind.EMBEDDER, "concurrency")
async def parallel_texts_do_not_mix(subject: Subject) -> None:
    """Texts that are embedded at the same time have each its own vector."""
    texts = [f"{text} {number}" for number in range(4) for text in TEXTS]
    async with subject.running() as instance:
        model = embedder(subject, instance)
        alone = [await model.vector(text) for text in texts]
        together = await asyncio.gather(*map(model.vector, texts))
        if wrong := sum(not alike(one, other) for one, other in zip(alone, together, strict=True)):
            raise Failed(f"{len(texts)} texts at the same time: should have their own vectors, {wrong} have others")


@case(Kind.EMBEDDER, "cancellation", requires=("EmbedBatch",))
async def cancelled_batches_harm_no_call(subject: Subject) -> None:
    """Batches that are cancelled on their way harm no other call: those are answered, and soon."""
    texts = [f"{number} {TEXTS[2]}" for number in range(200)]
    async with subject.running() as instance:
        model = embedder(subject, instance)
        for delay in DELAYS:
            call = instance.stubs.embedder.EmbedBatch(EmbedBatchRequest(texts=texts, model=model.model))
            await asyncio.sleep(delay)
            call.cancel()
        await model.vector(TEXTS[0], within=PATIENCE)


@case(Kind.EMBEDDER, "deadlines")
async def late_texts_harm_no_call(subject: Subject) -> None:
    """Texts whose deadline passes harm no other call: those are answered, and soon."""
    async with subject.running() as instance:
        model = embedder(subject, instance)
        request = EmbedTextRequest(text=f"{TEXTS[2]} " * 40, model=model.model)
        calls = [instance.stubs.embedder.EmbedText(request, timeout=delay) for delay in DELAYS for _ in range(8)]
        for came in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(came, AioRpcError) and came.code() is not StatusCode.DEADLINE_EXCEEDED:
                raise Failed(f"a text with a short deadline: should be answered or DEADLINE_EXCEEDED, was {told(came)}")
        await model.vector(TEXTS[0], within=PATIENCE)


@case(Kind.EMBEDDER, "statelessness", requires=(RESTART,))
async def processes_give_the_same_vectors(subject: Subject) -> None:
    """Another process of the plugin gives a text the same vector."""
    if await bare(subject):
        raise NotOffered("a bare server has its port for itself")
    async with subject.running() as one, subject.running(fresh=True) as other:
        for text in TEXTS:
            if not alike(await embedder(subject, one).vector(text), await embedder(subject, other).vector(text)):
                raise Failed("a text in another process: should have the same vector, has another")
