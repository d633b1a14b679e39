"""The RPCs over models that compute nothing: what every embedder of models answers."""

import os
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import pytest

from hector.plugin.v1 import embedder_pb2 as pb
from hector.plugin.v1.embedder_pb2_grpc import EmbedderProviderStub
from hector_sdk import Status
from hector_sdk.embedding.model import Card, Models, Pair
from hector_sdk.embedding.plugin import ModelEmbedder
from hector_sdk.testing import running
from hector_sdk.vectors import Embeddings


@dataclass(frozen=True)
class Options:
    reranker: bool = False
    cache: int = 0


class Lengths:
    """A text's vector is its length and its purpose's."""

    card = Card("lengths@1", 2, max_tokens=8, aliases=("lengths",))

    def encode(self, items: Sequence[str], purpose: str) -> Embeddings:
        if "bad" in items:
            raise Status(grpc.StatusCode.RESOURCE_EXHAUSTED, "no memory")
        vectors = np.array([[len(text), len(purpose)] for text in items], dtype=np.float32)
        return Embeddings(vectors, [min(len(text), 8) for text in items], [len(text) > 8 for text in items])


class Shared:
    """A pair's score is how many letters of the query the text has."""

    card = Card("shared@1", 1)

    def encode(self, items: Sequence[Pair], purpose: str) -> Embeddings:
        scores = np.array([[len(set(query) & set(text))] for query, text in items], dtype=np.float32)
        return Embeddings(scores, [0] * len(items), [False] * len(items))


class Example(ModelEmbedder[Options]):
    def load(self) -> Models:
        assert threading.current_thread() is not threading.main_thread()  # which answers meanwhile
        return Models(Lengths(), Shared() if self.options.reranker else None, cache=self.options.cache)


@asynccontextmanager
async def served(data_dir: Path | None = None, **config: object) -> AsyncIterator[EmbedderProviderStub]:
    async with running(Example(), config=config, data_dir=data_dir) as stubs:
        yield EmbedderProviderStub(stubs.channel)


async def refusal(call) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code().name, caught.value.details()


async def test_texts_are_answered_in_order_with_what_was_read():
    async with served() as stub:
        answer = await stub.EmbedBatch(pb.EmbedBatchRequest(texts=["abc", "", "a" * 9], input_type=pb.INPUT_TYPE_QUERY))
        told = [(list(each.vector), each.tokens, each.truncated) for each in answer.embeddings]
        assert told == [([3, 5], 3, False), ([0, 5], 0, False), ([9, 5], 8, True)]
        one = await stub.EmbedText(pb.EmbedTextRequest(text="ab", model="lengths"))
        assert (list(one.vector), one.tokens, one.model) == ([2, 0], 2, "lengths@1")


async def test_no_texts_are_an_empty_answer():
    async with served(reranker=True) as stub:
        answer = await stub.EmbedBatch(pb.EmbedBatchRequest())
        assert answer == pb.EmbedBatchResponse(success=True, model="lengths@1")
        scores = await stub.Rerank(pb.RerankRequest(query="a"))
        assert scores == pb.RerankResponse(success=True, model="shared@1")


async def test_the_models_word_on_a_text_reaches_its_caller():
    async with served() as stub:
        refused = await refusal(stub.EmbedText(pb.EmbedTextRequest(text="bad")))
        assert refused == ("RESOURCE_EXHAUSTED", "no memory")
        assert (await stub.EmbedText(pb.EmbedTextRequest(text="good"))).success


async def test_scores_are_in_the_order_of_the_texts():
    async with served(reranker=True) as stub:
        answer = await stub.Rerank(pb.RerankRequest(query="abc", texts=["xyz", "cab", "a"]))
        assert answer == pb.RerankResponse(success=True, scores=[0, 3, 1], model="shared@1")
        request = pb.RerankRequest(query="a", texts=["b"], model="lengths")
        there = 'this plugin serves "shared@1" alone'
        assert await refusal(stub.Rerank(request)) == ("NOT_FOUND", f'no model "lengths": {there}')


async def test_without_a_reranker_it_is_not_offered():
    async with served() as stub:
        refused = await refusal(stub.Rerank(pb.RerankRequest(query="a", texts=["b"])))
        assert refused == ("UNIMPLEMENTED", "Rerank is not implemented")


@pytest.mark.parametrize(("cache", "files"), [(0, []), (1 << 20, ["vectors.sqlite3"])])
async def test_vectors_are_kept_where_the_plugin_says_so(tmp_path: Path, cache: int, files: list[str]):
    for _ in range(2):
        async with served(tmp_path, cache=cache) as stub:
            answer = await stub.EmbedBatch(pb.EmbedBatchRequest(texts=["abc", "abc", "x" * 9]))
            told = [(list(each.vector), each.tokens, each.truncated) for each in answer.embeddings]
            assert told == [([3, 0], 3, False), ([3, 0], 3, False), ([9, 0], 8, True)]
            assert answer.model == "lengths@1"
    assert os.listdir(tmp_path) == files  # noqa: PTH208 - a coroutine waits for no Path
