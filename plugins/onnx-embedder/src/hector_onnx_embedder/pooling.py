"""One vector of a text's tokens, as sentence-transformers makes it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SMALLEST = np.float32(1e-12)
"""In the place of a length of zero."""


def pooled(tokens: Floats, mask: NDArray[np.int64], modes: Sequence[str]) -> Floats:
    """A vector for each text.

    Args:
        tokens: (texts, tokens, width).
        mask: (texts, tokens): 1 for a token of the text, 0 for what only fills up.
        modes: Of `recipe.MODES`; what they give is joined.

    Returns:
        (texts, width times modes).
    """
    made = [_pooled(tokens, mask, mode) for mode in modes]
    return made[0] if len(made) == 1 else np.concatenate(made, axis=1)


def normal(vectors: Floats) -> Floats:
    """The vectors with length 1."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), SMALLEST)
    made: Floats = np.divide(vectors, lengths, dtype=np.float32)
    return made


def _pooled(tokens: Floats, mask: NDArray[np.int64], mode: str) -> Floats:
    rows = np.arange(len(tokens))
    made: Floats
    weights = mask.astype(np.float32)
    match mode:
        case "cls_token":
            made = tokens[rows, mask.argmax(axis=1)]
        case "lasttoken":
            made = tokens[rows, mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)]
        case "max_tokens":
            made = np.where(mask[:, :, None] == 1, tokens, np.float32(-np.inf)).max(axis=1)
        case "mean_sqrt_len_tokens":
            made = _weighted(tokens, weights) * np.sqrt(weights.sum(axis=1, keepdims=True))
        case "weightedmean_tokens":
            made = _weighted(tokens, weights * np.arange(1, mask.shape[1] + 1, dtype=np.float32))
        case _:
            made = _weighted(tokens, weights)
    return made


def _weighted(tokens: Floats, weights: Floats) -> Floats:
    """The mean of the tokens by their weights."""
    # One product of a row and a matrix for each text: no copy of the tokens is made.
    summed: Floats = np.matmul(weights[:, None, :], tokens)[:, 0, :]
    made: Floats = np.divide(summed, np.maximum(weights.sum(axis=1, keepdims=True), SMALLEST), dtype=np.float32)
    return made
