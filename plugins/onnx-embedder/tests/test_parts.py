"""What needs no model: which weights are taken, what a repository says of itself, and how tokens become a vector."""

import json

import numpy as np
import pytest

from hector_onnx_embedder import weights
from hector_onnx_embedder.loading import needed
from hector_onnx_embedder.pooling import normal, pooled
from hector_onnx_embedder.recipe import MODES, recipe

HUB = [
    "1_Pooling/config.json",
    "README.md",
    "config.json",
    "modules.json",
    "model.safetensors",
    "onnx/model.onnx",
    "onnx/model.onnx_data",
    "onnx/model_O3.onnx",
    "onnx/model_qint8_arm64.onnx",
    "onnx/model_qint8_avx512.onnx",
    "onnx/model_qint8_avx512_vnni.onnx",
    "onnx/model_quint8_avx2.onnx",
    "openvino/a/b.json",
    "tokenizer.json",
]


@pytest.mark.parametrize(
    ("wanted", "features", "chosen"),
    [
        ("auto", {"avx2"}, "onnx/model.onnx"),
        ("float", {"avx2"}, "onnx/model.onnx"),
        ("int8", {"avx2"}, "onnx/model_quint8_avx2.onnx"),
        ("int8", {"avx2", "avx512f"}, "onnx/model_qint8_avx512.onnx"),
        ("int8", {"avx2", "avx512f", "avx512_vnni"}, "onnx/model_qint8_avx512_vnni.onnx"),
        ("int8", {"arm64"}, "onnx/model_qint8_arm64.onnx"),
        ("int8", set(), ""),
    ],
)
def test_the_weights_fit_the_processor(wanted, features, chosen):
    assert weights.choose(HUB, wanted, frozenset(features)) == chosen


def test_of_a_hub_model_only_what_is_read_is_fetched():
    assert needed(HUB, "onnx/model.onnx") == [
        "1_Pooling/config.json",
        "config.json",
        "modules.json",
        "tokenizer.json",
        "onnx/model.onnx",
        "onnx/model.onnx_data",
    ]


@pytest.mark.parametrize("mode", MODES)
def test_a_vector_is_made_of_its_own_tokens_alone(mode):
    chance = np.random.default_rng(7)
    tokens = chance.standard_normal((3, 5, 4)).astype(np.float32)
    lengths = [5, 2, 1]
    mask = (np.arange(5) < np.array(lengths)[:, None]).astype(np.int64)
    made = pooled(tokens, mask, [mode])
    for row, length in enumerate(lengths):
        own = tokens[row, :length].astype(np.float64)
        steps = np.arange(1, length + 1)[:, None]
        expected = {
            "cls_token": own[0],
            "lasttoken": own[-1],
            "max_tokens": own.max(axis=0),
            "mean_tokens": own.mean(axis=0),
            "mean_sqrt_len_tokens": own.sum(axis=0) / np.sqrt(length),
            "weightedmean_tokens": (own * steps).sum(axis=0) / steps.sum(),
        }[mode]
        assert made[row] == pytest.approx(expected, abs=1e-5)
    assert made.dtype == np.float32


def test_several_ways_are_joined_and_a_vector_of_zeros_stays_one():
    tokens, mask = np.zeros((2, 3, 4), np.float32), np.ones((2, 3), np.int64)
    made = normal(pooled(tokens, mask, ["cls_token", "mean_tokens"]))
    assert made.shape == (2, 8)
    assert not made.any()


def written(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_json", ".json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return recipe(folder)


def test_a_bare_transformer_is_used_as_the_library_would(tmp_path):
    read = written(tmp_path, config_json={"max_position_embeddings": 512})
    assert (read.pooling, read.normalized, read.max_tokens, read.lower_case) == (("mean_tokens",), False, 512, False)
    assert read.prompts == {"query": "", "document": "", "": ""}


def test_everything_that_a_repository_says_is_heard(tmp_path):
    modules = [{"type": f"sentence_transformers.models.{name}"} for name in ("Transformer", "Pooling", "Normalize")]
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 128, "do_lower_case": true}')
    named = {"prompts": {"query": "q: ", "passage": "p: ", "other": "o: "}, "default_prompt_name": "other"}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(named))
    read = written(
        tmp_path,
        modules_json=modules,
        config_json={"max_position_embeddings": 512, "sbert_ce_default_activation_function": "torch.nn.Identity"},
    )
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling/config.json").write_text('{"pooling_mode": "cls"}')
    assert recipe(tmp_path).pooling == ("cls_token",)
    assert (read.normalized, read.max_tokens, read.lower_case, read.score) == (True, 128, True, "Identity")
    assert read.prompts == {"query": "q: ", "document": "p: ", "": "o: "}


@pytest.mark.parametrize(("limit", "most"), [(64, 64), (10**30, 512), (None, 512)])
def test_the_shorter_limit_holds(tmp_path, limit, most):
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"model_max_length": limit}))
    assert written(tmp_path, config_json={"max_position_embeddings": 512}).max_tokens == most
