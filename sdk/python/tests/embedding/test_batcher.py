"""The batcher with an encoder that computes nothing.

Which texts a batch holds depends on what arrived while the one before was computed; only an encoder that waits until
the test lets it go on makes that repeatable. The real model is used in test_plugin.py.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import grpc
import numpy as np
import pytest

from hector_sdk import Status
from hector_sdk.embedding.batcher import MOST_CHARACTERS, Batcher
from hector_sdk.embedding.model import Card
from hector_sdk.vectors import Embeddings


class Held:
    """An encoder whose every batch waits for `free`. A text's vector is its length."""

    card = Card("held", 1)

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[str]]] = []
        self.begun = threading.Semaphore(0)
        self.free = threading.Semaphore(0)
        self.error: Exception | None = None

    def encode(self, items: Sequence[str], purpose: str) -> Embeddings:
        self.batches.append((purpose, list(items)))
        self.begun.release()
        assert self.free.acquire(timeout=30)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        lengths = list(map(len, items))
        return Embeddings(np.array(lengths, dtype=np.float32).reshape(-1, 1), lengths, [each > 8 for each in lengths])

    async def begins(self) -> None:
        assert await asyncio.to_thread(self.begun.acquire, timeout=30)


@asynccontextmanager
async def batching(encoder: Held, batch_size: int = 4) -> AsyncIterator[Batcher]:
    with ThreadPoolExecutor(1) as executor:
        batcher = Batcher(encoder, executor, batch_size, len)
        running = asyncio.create_task(batcher.run())
        try:
            yield batcher
        finally:
            running.cancel()
            encoder.free.release(100)
            await asyncio.gather(running, return_exceptions=True)


async def embed(batcher: Batcher, *texts: str, purpose: str = "") -> list[float]:
    computed = await batcher.embed(texts, purpose)
    lengths = computed.vectors[:, 0].tolist()
    assert computed.tokens == lengths
    assert computed.truncated == [each > 8 for each in lengths]
    return lengths


async def arrive(*coroutines) -> list[asyncio.Task]:
    tasks = [asyncio.create_task(each) for each in coroutines]
    await asyncio.sleep(0)  # each runs up to its first wait
    return tasks


async def test_a_lone_text_starts_at_once_and_the_others_share_the_next_batch():
    encoder = Held()
    async with batching(encoder) as batcher:
        (first,) = await arrive(embed(batcher, "a"))
        await encoder.begins()
        rest = await arrive(embed(batcher, "bb"), embed(batcher, "ccc"), embed(batcher, "dddd"))
        encoder.free.release(2)
        assert [await task for task in [first, *rest]] == [[1], [2], [3], [4]]
    assert encoder.batches == [("", ["a"]), ("", ["bb", "ccc", "dddd"])]


async def test_many_texts_come_back_in_their_order():
    encoder = Held()
    encoder.free.release(100)
    async with batching(encoder) as batcher:
        texts = ["x" * (n * 7 % 11) for n in range(11)]
        assert await embed(batcher, *texts) == [len(text) for text in texts]
    assert [len(texts) for _, texts in encoder.batches] == [4, 4, 3]
    assert [len(text) for _, texts in encoder.batches for text in texts] == list(range(10, -1, -1))  # longest first


async def test_a_long_call_does_not_hold_up_a_short_one():
    encoder = Held()
    async with batching(encoder) as batcher:
        (long,) = await arrive(embed(batcher, *["x" * 9] * 20))
        await encoder.begins()
        (short,) = await arrive(embed(batcher, "ab"))
        encoder.free.release(2)
        assert await short == [2]
        assert not long.done()
        assert encoder.batches[1] == ("", ["x" * 9, "ab", "x" * 9, "x" * 9])
        encoder.free.release(100)
        assert await long == [9] * 20


async def test_purposes_are_not_mixed_and_take_turns():
    encoder = Held()
    async with batching(encoder, batch_size=2) as batcher:
        (first,) = await arrive(embed(batcher, "first"))
        await encoder.begins()
        calls = await arrive(
            embed(batcher, "d", "d", "d", "d", purpose="document"),
            embed(batcher, "q", purpose="query"),
            embed(batcher, "q", purpose="query"),
        )
        encoder.free.release(100)
        assert [await task for task in [first, *calls]] == [[5], [1] * 4, [1], [1]]
    assert encoder.batches[1:] == [("document", ["d", "d"]), ("query", ["q", "q"]), ("document", ["d", "d"])]


async def test_long_texts_share_no_batch_with_others():
    encoder = Held()
    encoder.free.release(100)
    half = "x" * (MOST_CHARACTERS // 2)
    async with batching(encoder) as batcher:
        assert await embed(batcher, half, half, half + "y", half * 3) == [len(half)] * 2 + [
            len(half) + 1,
            len(half) * 3,
        ]
    sizes = [[len(text) for text in texts] for _, texts in encoder.batches]
    assert sizes == [[len(half) * 3], [len(half) + 1], [len(half)] * 2]


async def test_an_error_reaches_its_batch_and_no_other():
    encoder = Held()
    encoder.error = MemoryError("no room")
    async with batching(encoder) as batcher:
        (first,) = await arrive(embed(batcher, *"abcdefgh"))
        await encoder.begins()
        (second,) = await arrive(embed(batcher, "later"))
        encoder.free.release(100)
        with pytest.raises(MemoryError, match=r"^no room$"):
            await first
        assert await second == [5]
    assert encoder.batches[1:] == [("", ["later"])]  # what was left of the failed call is not computed


async def test_a_call_that_was_given_up_is_not_computed():
    encoder = Held()
    async with batching(encoder) as batcher:
        (first,) = await arrive(embed(batcher, "first"))
        await encoder.begins()
        (gone, stays) = await arrive(embed(batcher, "gone"), embed(batcher, "stays"))
        gone.cancel()
        encoder.free.release(100)
        assert [await first, await stays] == [[5], [5]]
    assert encoder.batches == [("", ["first"]), ("", ["stays"])]


async def test_the_end_of_the_batcher_ends_its_calls():
    encoder = Held()
    async with batching(encoder) as batcher:
        calls = await arrive(embed(batcher, "a"), embed(batcher, "b", purpose="query"))
        await encoder.begins()
    for call in calls:
        with pytest.raises(Status) as caught:
            await call
        assert (caught.value.code, str(caught.value)) == (grpc.StatusCode.UNAVAILABLE, "the model is being unloaded")
