"""The RPCs, and the process."""

import asyncio
import os
import sys

import grpc
import pytest

from hector.plugin.v1 import embedder_pb2 as pb
from hector.plugin.v1.plugin_pb2 import DescribeRequest
from hector_hashing_embedder.plugin import HashingEmbedder
from hector_sdk.testing import Stubs, running


async def refused(call):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code().name, error.value.details()


async def test_one_text_and_many_give_the_same_vectors():
    texts = ["Pears ripen.", "", "Pears ripen."]
    async with running(HashingEmbedder(), config={}) as stubs:
        one = [await stubs.embedder.EmbedText(pb.EmbedTextRequest(text=text)) for text in texts]
        many = await stubs.embedder.EmbedBatch(pb.EmbedBatchRequest(texts=texts))
        none = await stubs.embedder.EmbedBatch(pb.EmbedBatchRequest())
    assert [embedding.vector for embedding in many.embeddings] == [response.vector for response in one]
    assert [embedding.tokens for embedding in many.embeddings] == [2, 0, 2]
    assert (many.success, many.model) == (True, "hashing/1/3,4,5/384")
    assert (none.success, len(none.embeddings)) == (True, 0)


async def test_dimensions_are_the_options_or_the_requests():
    async with running(HashingEmbedder(), config={"dimension": 16, "ngrams": []}) as stubs:
        said = await stubs.embedder.GetDimensions(pb.GetDimensionsRequest(model="hashing"))
        own = await stubs.embedder.EmbedText(pb.EmbedTextRequest(text="pear", model=said.model))
        asked = await stubs.embedder.EmbedText(pb.EmbedTextRequest(text="pear", dimension=32))
    assert (said.dimension, said.model, said.normalized) == (16, "hashing/1/words/16", True)
    assert said.max_input_tokens == 2048
    assert (len(own.vector), own.model) == (16, said.model)
    assert (len(asked.vector), asked.model) == (32, "hashing/1/words/32")


async def test_what_it_cannot_give_is_refused():
    async with running(HashingEmbedder(), config={"dimension": 65_536}) as stubs:
        ask = stubs.embedder
        assert await refused(ask.EmbedText(pb.EmbedTextRequest(model="minilm"))) == (
            "NOT_FOUND",
            'no model "minilm": there is hashing',
        )
        for dimension in (-1, 65_537):
            assert await refused(ask.EmbedText(pb.EmbedTextRequest(dimension=dimension))) == (
                "INVALID_ARGUMENT",
                f"dimension: is {dimension}, must be between 1 and 65536",
            )
        assert await refused(ask.EmbedBatch(pb.EmbedBatchRequest(texts=[""] * 193))) == (
            "INVALID_ARGUMENT",
            "texts: are 193, one answer has room for 192 vectors",
        )


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"dimension": 0}, "dimension: is 0, must be between 1 and 65536"),
        ({"ngrams": [3, 9]}, "ngrams: must be lengths between 1 and 8"),
    ],
)
async def test_bad_options_are_named(config, words):
    async def start():
        async with running(HashingEmbedder(), config=config):
            pass

    assert await refused(start()) == ("INVALID_ARGUMENT", words)


async def test_the_process_shakes_hands_and_describes_itself():
    environ = {**os.environ, "HECTOR_PLUGIN": "hector_plugin_v1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hector_hashing_embedder", env=environ, stdout=asyncio.subprocess.PIPE
    )
    try:
        line = (await process.stdout.readline()).decode()
        async with grpc.aio.insecure_channel(f"unix:{line.split('|')[3]}") as channel:
            described = await Stubs(channel).plugin.Describe(DescribeRequest())
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0
    assert (described.name, described.version) == ("hashing-embedder", "0.1.0")
    assert list(described.services) == ["hector.plugin.v1.EmbedderProvider"]
    assert sorted(described.config_schema["properties"]) == ["dimension", "ngrams"]
