"""What is remembered and what is computed, with an encoder that counts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from hector_sdk.embedding.batcher import Batcher
from hector_sdk.embedding.cache import FILE
from hector_sdk.embedding.model import Card
from hector_sdk.embedding.recall import Recall
from hector_sdk.vectors import Embeddings


class Counting:
    """A text's vector is its length and its purpose's; texts of more than 8 characters are cut."""

    card = Card("counting", 2)

    def __init__(self) -> None:
        self.computed: list[str] = []

    def encode(self, items: Sequence[str], purpose: str) -> Embeddings:
        self.computed += items
        vectors = np.array([[len(text), len(purpose)] for text in items], dtype=np.float32)
        return Embeddings(vectors, [len(text) for text in items], [len(text) > 8 for text in items])


@asynccontextmanager
async def recalling(folder: Path, encoder: Counting, model: str = "m@1") -> AsyncIterator[Recall]:
    with ThreadPoolExecutor(1) as executor:
        batcher = Batcher(encoder, executor, 4, len)
        running = asyncio.create_task(batcher.run())
        recall = Recall(batcher, model, folder, 1 << 20)
        await recall.open()
        try:
            yield recall
        finally:
            await recall.close()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def embed(recall: Recall, *texts: str, purpose: str = "") -> list[tuple[list[float], int, bool]]:
    computed = await recall.embed(texts, purpose)
    assert computed.vectors.dtype == np.float32
    return list(zip(computed.vectors.tolist(), computed.tokens, computed.truncated, strict=True))


async def test_what_was_computed_is_not_computed_again(tmp_path):
    first, second = Counting(), Counting()
    async with recalling(tmp_path, first) as recall:
        expected = await embed(recall, "a", "", "\u00e4" * 9)
        assert expected == [([1, 0], 1, False), ([0, 0], 0, False), ([9, 0], 9, True)]
    async with recalling(tmp_path, second) as recall:
        assert await embed(recall, "a", "", "\u00e4" * 9) == expected
        assert second.computed == []
        assert await embed(recall, "new", "a") == [([3, 0], 3, False), ([1, 0], 1, False)]
        assert second.computed == ["new"]


async def test_a_text_that_comes_twice_is_computed_once(tmp_path):
    encoder = Counting()
    async with recalling(tmp_path, encoder) as recall:
        assert await embed(recall, "bb", "a", "bb") == [([2, 0], 2, False), ([1, 0], 1, False), ([2, 0], 2, False)]
    assert sorted(encoder.computed) == ["a", "bb"]


async def test_model_and_purpose_are_part_of_the_key(tmp_path):
    encoder = Counting()
    async with recalling(tmp_path, encoder) as recall:
        await embed(recall, "a")
        assert await embed(recall, "a", purpose="query") == [([1, 5], 1, False)]
    async with recalling(tmp_path, encoder, model="m@2") as recall:
        await embed(recall, "a")
    assert encoder.computed == ["a", "a", "a"]


async def test_texts_themselves_are_not_on_disk(tmp_path):
    async with recalling(tmp_path, Counting()) as recall:
        await embed(recall, "a secret that nobody stores")
    assert b"secret" not in (tmp_path / FILE).read_bytes()
    assert (tmp_path / FILE).stat().st_size > 0


async def test_calls_side_by_side_share_what_the_disk_has_time_for(tmp_path):
    first, second = Counting(), Counting()
    texts = [str(number) for number in range(300)]
    async with recalling(tmp_path, first) as recall:
        await asyncio.gather(*(embed(recall, text) for text in texts))
    async with recalling(tmp_path, second) as recall:
        assert len(await embed(recall, *texts)) == 300
    assert second.computed == []
