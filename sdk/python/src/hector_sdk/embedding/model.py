"""What a loaded model is to the rest of an embedder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hector_sdk.vectors import Embeddings

ItemT = TypeVar("ItemT")
Item_contra = TypeVar("Item_contra", contravariant=True)

MOST_TOKENS = 16_384
"""Computed at once at most, padding included: the memory of a batch follows from it."""


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
    """Indices in groups to compute together: at most `most` tokens with padding, of which at most half is padding."""
    part: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda each: -lengths[each]):
        longest = lengths[part[0]] if part else 0
        if (len(part) + 1) * longest > most or 2 * lengths[index] < longest:
            yield part
            part = []
        part.append(index)
    if part:
        yield part
