"""A model as its libraries have it: a tokenizer and an ONNX session. The only module that imports them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from hector_sdk import InvalidOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

INPUTS = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
OUTPUTS = ("last_hidden_state", "token_embeddings", "logits")
"""What exporters call vectors of tokens, and the number of a cross-encoder."""


class UnusableError(Exception):
    """A model that this plugin cannot use; the message says why."""


class Model:
    """A tokenizer and a session.

    Args:
        folder: Of the model.
        file: The ONNX file in it.
        max_tokens: Longer texts are cut here. 0: they are not.
        device: "auto", "cpu", "cuda" or "cuda:NUMBER".

    Raises:
        InvalidOptions: There is no such device.
        UnusableError: It takes or gives something else than texts' tokens.
    """

    def __init__(self, folder: Path, file: str, max_tokens: int, device: str) -> None:
        self._file = str(folder / "tokenizer.json")
        self._tokenizer = Tokenizer.from_file(self._file)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        if max_tokens:
            self._tokenizer.enable_truncation(max_tokens)
        self._counter: Tokenizer | None = None
        self._fill = _fill(self._tokenizer)
        self._session = onnxruntime.InferenceSession(
            str(folder / file), sess_options=_options(), providers=providers(device)
        )
        self._inputs = [put.name for put in self._session.get_inputs()]
        unknown = [name for name in self._inputs if name not in INPUTS]
        if unknown:
            raise UnusableError(f"it wants {unknown[0]}, which no tokenizer gives")
        given = [put.name for put in self._session.get_outputs()]
        self._output = next((name for name in OUTPUTS if name in given), "")
        if not self._output:
            raise UnusableError(f"it gives {', '.join(given)}, and none of {', '.join(OUTPUTS)}")

    def tokenized(self, items: Sequence[Any]) -> list[Any]:
        """The encodings of texts or pairs, cut and not padded."""
        encodings: list[Any] = self._tokenizer.encode_batch(list(items))
        return encodings

    def count(self, text: str) -> int:
        """How many tokens a text has, uncut and without special ones."""
        if self._counter is None:
            self._counter = Tokenizer.from_file(self._file)
            self._counter.no_padding()
            self._counter.no_truncation()
        return len(self._counter.encode(text, add_special_tokens=False).ids)

    def padded(self, encodings: Sequence[Any]) -> dict[str, NDArray[np.int64]]:
        """What the session takes of some encodings, filled up on the right; always with `attention_mask`."""
        shape = len(encodings), max(len(encoding.ids) for encoding in encodings)
        ids, mask, types = np.full(shape, self._fill, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, encoding in enumerate(encodings):
            length = len(encoding.ids)
            ids[row, :length] = encoding.ids
            mask[row, :length] = 1
            types[row, :length] = encoding.type_ids
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": types,
            "position_ids": np.maximum(mask.cumsum(axis=1) - 1, 0),
        }

    def run(self, feed: dict[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """What the model makes of it: (items, tokens, width), or (items, 1) of a cross-encoder."""
        (made,) = self._session.run([self._output], {name: feed[name] for name in self._inputs})
        result: NDArray[np.float32] = made.astype(np.float32, copy=False)
        return result


def providers(device: str) -> list[Any]:
    """Where onnxruntime computes, by its own names.

    Raises:
        InvalidOptions: It cannot compute there.
    """
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (number and not (kind == "cuda" and number.isdecimal())):
        raise InvalidOptions("device", f'is "{device}", must be auto, cpu, cuda or cuda:NUMBER')
    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if kind == "cuda" and not has_cuda:
        raise InvalidOptions("device", f'is "{device}", and this onnxruntime has no CUDA: install onnxruntime-gpu')
    cuda = [("CUDAExecutionProvider", {"device_id": int(number or 0)})] if has_cuda and kind != "cpu" else []
    return [*cuda, "CPUExecutionProvider"]


def _options() -> Any:
    options = onnxruntime.SessionOptions()
    # Those that this process may use: a container's or a taskset's, where onnxruntime would count the machine's.
    options.intra_op_num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    options.log_severity_level = 3
    # The arena keeps what the largest batch took, for ever.
    options.enable_cpu_mem_arena = False
    return options


def _fill(tokenizer: Tokenizer) -> int:
    """What stands for nothing."""
    for token in ("[PAD]", "<pad>", "<|endoftext|>"):
        number = tokenizer.token_to_id(token)
        if number is not None:
            return int(number)
    return 0
