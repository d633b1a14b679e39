"""Loaded models: texts in, vectors out, and pairs in, scores out.

An item is tokenized once: its features go to the model's modules directly, where that gives what the library's own
`encode` gives, which is tried when the model is loaded. One thread uses an encoder at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

from hector_sdk import Status
from hector_sdk.embedding.head import head
from hector_sdk.embedding.model import Card, Pair, gathered, named
from hector_sdk.vectors import Embeddings
from hector_sentence_transformers_embedder.tokens import tokenized

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import CrossEncoder, SentenceTransformer
    from torch import Tensor

    from hector_sentence_transformers_embedder.options import Options
    from hector_sentence_transformers_embedder.tokens import Batch

PROBE = ["probe", "a somewhat longer text, so that the other one is padded"]
TOLERANCE = 1e-4
"""How far the components of two ways to the same vector may be apart: more is no rounding."""


@dataclass(frozen=True)
class Place:
    """A model on this machine.

    Attributes:
        folder: Of its files.
        name: With its revision.
        aliases: What else it is called.
    """

    folder: str
    name: str
    aliases: tuple[str, ...]


class TextEncoder:
    """A sentence-transformers model."""

    def __init__(self, model: SentenceTransformer, place: Place, options: Options) -> None:
        self._model = model.eval()
        self._normalize = options.normalize
        self._prompts = _prompts(model, options)
        slow = self._slow(PROBE, "")
        self.card = Card(
            name=named(place.name, options.query_prompt, options.document_prompt, normalize=options.normalize),
            dimension=slow.shape[1],
            max_tokens=_most(model),
            normalized=options.normalize or type(model[-1]).__name__ == "Normalize",
            aliases=place.aliases,
        )
        self._direct = self._agrees(slow)

    def encode(self, items: Sequence[str], purpose: str) -> Embeddings:
        """Embed texts of one purpose, in their order, MOST_TOKENS at a time (a longer text alone)."""
        prompt = self._prompts[purpose]
        texts = [_head(self._model, text, self.card.max_tokens) for text in items]
        batch = tokenized(self._model, texts, prompt) if self._direct else None
        if batch:
            return Embeddings(_forward(self._model, batch, self._vectors), batch.lengths, batch.truncated)
        lengths = self._lengths([prompt + text for text in texts])
        most = self.card.max_tokens
        read = [min(length, most) if most else length for length in lengths]
        vectors = gathered(read, lambda part: self._slow([texts[index] for index in part], prompt))
        return Embeddings(vectors, read, [length > known for length, known in zip(lengths, read, strict=True)])

    def _agrees(self, slow: NDArray[np.float32]) -> bool:
        batch = tokenized(self._model, PROBE, "")
        if batch is None:
            return False
        return bool(abs(_forward(self._model, batch, self._vectors) - slow).max() < TOLERANCE)

    def _vectors(self, output: dict[str, Tensor]) -> Tensor:
        from torch.nn.functional import normalize

        vectors = output["sentence_embedding"]
        return normalize(vectors, p=2, dim=1) if self._normalize else vectors

    def _slow(self, texts: list[str], prompt: str) -> NDArray[np.float32]:
        vectors = self._model.encode(
            texts,
            prompt=prompt,
            batch_size=len(texts),
            normalize_embeddings=self._normalize,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return vectors.astype("float32", copy=False)

    def _lengths(self, texts: list[str]) -> list[int]:
        """Tokens of each text, uncut; 0 where the tokenizer cannot say."""
        tokenizer = self._model.tokenizer
        if not callable(tokenizer):
            return [0] * len(texts)
        tokens = tokenizer(texts, truncation=False, padding=False, return_attention_mask=False, verbose=False)
        return [len(ids) for ids in tokens["input_ids"]]


class PairEncoder:
    """A cross-encoder: of each pair (query, text) one score."""

    def __init__(self, model: CrossEncoder, place: Place) -> None:
        if model.num_labels != 1:
            words = f"{place.name} gives {model.num_labels} scores for each pair: a reranker gives one"
            raise Status(grpc.StatusCode.FAILED_PRECONDITION, words)
        self._model = model.eval()
        self.card = Card(place.name, 1, max_tokens=_most(model), aliases=place.aliases)

    def encode(self, items: Sequence[Pair], purpose: str) -> Embeddings:  # noqa: ARG002 - pairs have none
        """Score pairs, in their order, MOST_TOKENS at a time (a longer pair alone)."""
        most = self.card.max_tokens
        pairs = [(_head(self._model, query, most), _head(self._model, text, most)) for query, text in items]
        batch = tokenized(self._model, pairs)
        if batch:
            return Embeddings(_forward(self._model, batch, self._scores), batch.lengths, batch.truncated)
        scores = self._model.predict(pairs, batch_size=1, convert_to_numpy=True, show_progress_bar=False)
        return Embeddings(scores.reshape(-1, 1), [0] * len(pairs), [False] * len(pairs))

    def _scores(self, output: dict[str, Tensor]) -> Tensor:
        scores = output["scores"].float()
        activate: Callable[[Tensor], Tensor] | None = self._model.activation_fn
        return (activate(scores) if activate else scores).reshape(-1, 1)


def _forward(model: Any, batch: Batch, result: Callable[[dict[str, Tensor]], Tensor]) -> NDArray[np.float32]:
    """What the model makes of a batch: one row for each item."""
    import torch

    def compute(part: list[int]) -> NDArray[np.float32]:
        with torch.inference_mode():
            rows: NDArray[np.float32] = result(model(batch.part(part, model.device))).float().cpu().numpy()
        return rows

    return gathered(batch.lengths, compute)


def _head(model: Any, text: str, most: int) -> str:
    tokenizer = model.tokenizer
    if not callable(tokenizer):
        return text

    def count(start: str) -> int:
        unpadded = {"truncation": False, "padding": False, "verbose": False}
        return len(tokenizer(start, add_special_tokens=False, **unpadded)["input_ids"])

    return head(text, most, count)


def _most(model: Any) -> int:
    """Tokens that a model reads; tokenizers say 10^30 where nothing limits them."""
    most: int = model.max_seq_length or 0
    return most if most < 1 << 30 else 0


def _prompts(model: SentenceTransformer, options: Options) -> dict[str, str]:
    prompts = {purpose: model.prompts.get(purpose) or "" for purpose in ("query", "document")}
    prompts[""] = model.prompts.get(model.default_prompt_name or "") or ""
    given = {"query": options.query_prompt, "document": options.document_prompt}
    return prompts | {purpose: prompt for purpose, prompt in given.items() if prompt is not None}
