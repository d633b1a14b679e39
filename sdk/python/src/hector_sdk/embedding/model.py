"""What a loaded model is to the rest of an embedder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from hector_sdk.vectors import Embeddings

ItemT = TypeVar("ItemT")
Item_contra = TypeVar("Item_contra", contravariant=True)

MOST_TOKENS = 16_384
"""Computed at once at most, padding included: the memory of a batch follows from it."""

STEP = 256
"""What a step costs beside its tokens, in tokens: sparing less padding is no reason for another one. It is between
what small models take on a processor (some 100) and what they take on a GPU (thousands)."""


@dataclass(frozen=True)
class Card:
    """What a model is.

    Attributes:
        name: With its revision: the same name always gives the same vectors.
        dimension: Floats in a vector.
        max_tokens: Longer texts are cut here. 0: unknown.
        normalized: Vectors have length 1.
        aliases: What callers may call it besides; the first is what the options say.
    """

    name: str
    dimension: int
    max_tokens: int = 0
    normalized: bool = False
    aliases: tuple[str, ...] = ()


class Encoder(Protocol[Item_contra]):
    """A model. An embedder's items are texts; a reranker's are pairs (query, text), and its vectors hold one score."""

    @property
    def card(self) -> Card:
        """What it is."""

    def encode(self, items: Sequence[Item_contra], purpose: str) -> Embeddings:
        """Compute items of one purpose, in their order; tokens and truncated are told for each.

        One thread calls at a time.

        Args:
            items: At least one.
            purpose: "query", "document" or "", which chooses the prompt.
        """


Pair = tuple[str, str]
"""A query, and a text that may answer it."""


@dataclass(frozen=True)
class Models:
    """What an embedder has loaded.

    Attributes:
        embedder: For texts.
        reranker: For queries and texts. None: not offered.
        batch_size: Items that are computed together at most.
        cache: Bytes on disk for vectors that were computed. 0: none are kept.
    """

    embedder: Encoder[str]
    reranker: Encoder[Pair] | None = None
    batch_size: int = 128
    cache: int = 0


def named(name: str, query_prompt: str | None, document_prompt: str | None, *, normalize: bool) -> str:
    """A model's name with a digest of what the options change in its vectors, where they change anything."""
    changed = (query_prompt, document_prompt, normalize)
    if changed == (None, None, True):
        return name
    return f"{name}+{hashlib.sha256(repr(changed).encode()).hexdigest()[:8]}"


def slices(lengths: Sequence[int], most: int = MOST_TOKENS) -> Iterator[list[int]]:
    """Indices in groups to compute together: at most `most` tokens with padding, in as few steps as pays."""
    if lengths:
        yield from _split(sorted(range(len(lengths)), key=lambda each: -lengths[each]), lengths, most)


def gathered(lengths: Sequence[int], compute: Callable[[list[int]], NDArray[np.float32]]) -> NDArray[np.float32]:
    """Rows computed slice by slice, in the order of the items.

    Args:
        lengths: Tokens of each item.
        compute: Gives the rows of some items, by their indices.
    """
    import numpy as np

    parts = list(slices(lengths))
    rows = [compute(part) for part in parts]
    if len(parts) == 1 and parts[0] == list(range(len(lengths))):
        return rows[0]
    made = np.empty((len(lengths), rows[0].shape[1]), dtype=np.float32)
    for part, own in zip(parts, rows, strict=True):
        made[part] = own
    return made


def _split(part: list[int], lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    longest = lengths[part[0]]
    if len(part) > 1 and len(part) * longest > most:
        at = max(1, most // longest)
    else:
        spared = [(longest - lengths[index]) * (len(part) - at) for at, index in enumerate(part)]
        at = max(range(len(part)), key=spared.__getitem__)
        if spared[at] <= STEP:
            yield part
            return
    yield from _split(part[:at], lengths, most)
    yield from _split(part[at:], lengths, most)
