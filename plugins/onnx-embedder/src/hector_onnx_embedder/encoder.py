"""Loaded models: texts in, vectors out, and pairs in, scores out. One thread uses an encoder at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hector_onnx_embedder.pooling import normal, pooled
from hector_onnx_embedder.session import UnusableError
from hector_sdk.embedding.head import head
from hector_sdk.embedding.model import Card, Pair, gathered, named
from hector_sdk.vectors import Embeddings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from hector_onnx_embedder.options import Options
    from hector_onnx_embedder.recipe import Recipe
    from hector_onnx_embedder.session import Model

    Floats = NDArray[np.float32]


SCORES = ("Sigmoid", "Identity")
"""What may be made of a cross-encoder's number."""


class TextEncoder:
    """A model that gives a vector for each token."""

    def __init__(self, model: Model, recipe: Recipe, options: Options, name: str, aliases: tuple[str, ...]) -> None:
        self._model = model
        self._recipe = recipe
        self._normalize = options.normalize or recipe.normalized
        given = {"query": options.query_prompt, "document": options.document_prompt}
        self._prompts = recipe.prompts | {key: prompt for key, prompt in given.items() if prompt is not None}
        self.card = Card(
            name=named(name, options.query_prompt, options.document_prompt, normalize=options.normalize),
            dimension=self._compute(["probe"]).vectors.shape[1],
            max_tokens=recipe.max_tokens,
            normalized=self._normalize,
            aliases=aliases,
        )

    def encode(self, items: Sequence[str], purpose: str) -> Embeddings:
        """Embed texts of one purpose, in their order, MOST_TOKENS at a time (a longer text alone)."""
        prompt, most = self._prompts[purpose], self._recipe.max_tokens
        return self._compute([prompt + head(text, most, self._model.count) for text in items])

    def _compute(self, texts: list[str]) -> Embeddings:
        if self._recipe.lower_case:
            texts = [text.lower() for text in texts]
        return _computed(self._model, texts, self._vectors)

    def _vectors(self, tokens: Floats, mask: NDArray[np.int64]) -> Floats:
        vectors = pooled(tokens, mask, self._recipe.pooling)
        return normal(vectors) if self._normalize else vectors


class PairEncoder:
    """A cross-encoder: of each pair (query, text) one score."""

    def __init__(self, model: Model, recipe: Recipe, name: str, aliases: tuple[str, ...]) -> None:
        if recipe.score not in SCORES:
            raise UnusableError(f"it makes its scores by {recipe.score}, and this plugin by {' or '.join(SCORES)}")
        self._model = model
        self._sigmoid = recipe.score == "Sigmoid"
        self.card = Card(name, 1, max_tokens=recipe.max_tokens, aliases=aliases)

    def encode(self, items: Sequence[Pair], purpose: str) -> Embeddings:  # noqa: ARG002 - pairs have none
        """Score pairs, in their order, MOST_TOKENS at a time (a longer pair alone)."""
        most, count = self.card.max_tokens, self._model.count
        pairs = [(head(query, most, count), head(text, most, count)) for query, text in items]
        return _computed(self._model, pairs, self._scores)

    def _scores(self, logits: Floats, _: NDArray[np.int64]) -> Floats:
        scores = 1 / (1 + np.exp(-logits)) if self._sigmoid else logits
        return scores.reshape(-1, 1).astype(np.float32, copy=False)


def _computed(model: Model, items: Sequence[Any], result: Callable[[Floats, NDArray[np.int64]], Floats]) -> Embeddings:
    """What the model makes of items: one row for each."""
    encodings = model.tokenized(items)
    lengths = [len(encoding.ids) for encoding in encodings]

    def compute(part: list[int]) -> Floats:
        feed = model.padded([encodings[index] for index in part])
        return result(model.run(feed), feed["attention_mask"])

    return Embeddings(gathered(lengths, compute), lengths, [bool(encoding.overflowing) for encoding in encodings])
