"""A loaded model: texts in, vectors out. The only module that knows sentence-transformers.

It is imported in the thread that loads: torch alone takes seconds, and the process answers meanwhile. One thread uses
an encoder at a time, because tokenizers refuse to be shared.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import grpc

from hector_sdk import Status
from hector_sentence_transformers_embedder.hub import Commit, commit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    from hector_sentence_transformers_embedder.options import Options
    from hector_sentence_transformers_embedder.source import Source

log = logging.getLogger(__name__)

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
    """

    name: str
    dimension: int
    max_tokens: int
    normalized: bool


@dataclass(frozen=True)
class Embedded:
    """One text's vector, shape (dimension,); the tokens that the model read, and whether there were more."""

    vector: NDArray[np.float32]
    tokens: int
    truncated: bool


class Encoder(Protocol):
    """What the batcher needs of a model. `purpose` is "query", "document" or "" and chooses the prompt."""

    card: Card

    def encode(self, texts: Sequence[str], purpose: str) -> list[Embedded]:
        """Embed texts of one purpose, in their order."""


class Model:
    """A sentence-transformers model; `name` tells its revision."""

    def __init__(self, model: SentenceTransformer, name: str, options: Options) -> None:
        self._model = model
        self._normalize = options.normalize
        self._prompts = _prompts(model, options)
        own_length = type(model[-1]).__name__ == "Normalize"
        self.card = Card(
            name=_name(name, options),
            dimension=model.get_embedding_dimension() or len(model.encode("", show_progress_bar=False)),
            max_tokens=model.max_seq_length or 0,
            normalized=options.normalize or own_length,
        )

    def encode(self, texts: Sequence[str], purpose: str) -> list[Embedded]:
        """Embed texts of one purpose, in their order, MOST_TOKENS at a time (a longer text alone)."""
        prompt = self._prompts[purpose]
        lengths = self._lengths([prompt + text for text in texts])
        most = self.card.max_tokens
        read = [min(length, most) if most else length for length in lengths]
        embedded: dict[int, Embedded] = {}
        for part in slices(read, MOST_TOKENS):
            vectors = self._model.encode(
                [texts[index] for index in part],
                prompt=prompt,
                batch_size=len(part),
                normalize_embeddings=self._normalize,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
            for index, vector in zip(part, vectors.astype("float32", copy=False), strict=True):
                embedded[index] = Embedded(vector, read[index], lengths[index] > read[index])
        return [embedded[index] for index in range(len(texts))]

    def _lengths(self, texts: list[str]) -> list[int]:
        """Tokens of each text, uncut; 0 where the tokenizer cannot say."""
        tokenizer = self._model.tokenizer
        if not callable(tokenizer):
            return [0] * len(texts)
        tokens = tokenizer(texts, truncation=False, padding=False, return_attention_mask=False, verbose=False)
        return [len(ids) for ids in tokens["input_ids"]]


def load(source: Source, options: Options) -> Model:
    """Import what is needed and load the model. Status FAILED_PRECONDITION when that fails."""
    started = time.monotonic()
    if source.local:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read on import: nothing asks the network for what is here
    known = Commit(source.revision, cached=True) if source.local else commit(source.location, source.revision)
    log.info("importing sentence-transformers")
    library = _library()
    log.info("loading %s after %.1f s", source.location, time.monotonic() - started)
    try:
        loaded = library(
            source.location,
            device=None if options.device == "auto" else options.device,
            revision=None if source.local else known.digest,
            local_files_only=known.cached,
        )
        model = Model(loaded, f"{source.name}@{known.digest}", options)
    except Exception as error:
        words = f"cannot load {source.location}: {type(error).__name__}: {' '.join(str(error).split())[:500]}"
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, words) from error
    log.info("%s is ready on %s after %.1f s", model.card.name, loaded.device, time.monotonic() - started)
    return model


def _library() -> type[SentenceTransformer]:
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)  # it says again what is said here
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer


def slices(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
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


def _prompts(model: SentenceTransformer, options: Options) -> dict[str, str]:
    prompts = {purpose: model.prompts.get(purpose) or "" for purpose in ("query", "document")}
    prompts[""] = model.prompts.get(model.default_prompt_name or "") or ""
    given = {"query": options.query_prompt, "document": options.document_prompt}
    return prompts | {purpose: prompt for purpose, prompt in given.items() if prompt is not None}


def _name(name: str, options: Options) -> str:
    changed = (options.query_prompt, options.document_prompt, options.normalize)
    if changed == (None, None, True):
        return name
    return f"{name}+{hashlib.sha256(repr(changed).encode()).hexdigest()[:8]}"
