"""Texts embedded by whatever embedder is tested, and vectors compared as far as different arithmetic allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hector.plugin.v1.embedder_pb2 import (
    INPUT_TYPE_UNSPECIFIED,
    EmbedBatchRequest,
    EmbedTextRequest,
    GetDimensionsRequest,
)
from hector_conformance.answers import answer
from hector_conformance.case import Failed
from hector_host.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hector.plugin.v1.embedder_pb2 import EmbedTextResponse, GetDimensionsResponse, InputType
    from hector_conformance.instance import Instance
    from hector_conformance.subject import Subject

ALIKE = 0.99
"""Cosine of two vectors of one text: batches and threads may round differently, other texts are further away."""


@dataclass(frozen=True)
class Embedder:
    """A running embedder. Its methods raise Failed when the call does not succeed.

    Attributes:
        model: As the suite's settings name it. Empty: the default.
    """

    stub: Any
    model: str

    async def text(
        self, text: str, kind: InputType = INPUT_TYPE_UNSPECIFIED, within: float | None = None
    ) -> EmbedTextResponse:
        """The answer for one text."""
        request = EmbedTextRequest(text=text, model=self.model, input_type=kind)
        call = self.stub.EmbedText(request, timeout=within)
        response: EmbedTextResponse = await answer(call, f"EmbedText of {_shown(text)}")
        _check(response.vector, f"EmbedText of {_shown(text)}")
        return response

    async def vector(self, text: str, within: float | None = None) -> Sequence[float]:
        """The vector of one text."""
        return (await self.text(text, within=within)).vector

    async def batch(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """The vectors of many, as many as there are texts."""
        what = f"EmbedBatch of {len(texts)} texts"
        response = await answer(self.stub.EmbedBatch(EmbedBatchRequest(texts=texts, model=self.model)), what)
        vectors = [each.vector for each in response.embeddings]
        if len(vectors) != len(texts):
            raise Failed(f"{what}: should answer {len(texts)} vectors, answered {len(vectors)}")
        for vector in vectors:
            _check(vector, what)
        return vectors

    async def dimensions(self) -> GetDimensionsResponse:
        """What vectors the model gives."""
        call = self.stub.GetDimensions(GetDimensionsRequest(model=self.model))
        response: GetDimensionsResponse = await answer(call, "GetDimensions")
        return response


def embedder(subject: Subject, instance: Instance) -> Embedder:
    """The embedder in a running plugin."""
    return Embedder(instance.stubs.embedder, subject.settings.model)


def alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether they are vectors of one text, by whatever arithmetic."""
    lengths = math.hypot(*one) * math.hypot(*other)
    if len(one) != len(other) or lengths == 0:
        return list(one) == list(other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths >= ALIKE


def _check(vector: Sequence[float], what: str) -> None:
    if not vector:
        raise Failed(f"{what}: should answer a vector, answered an empty one")
    if not all(map(math.isfinite, vector)):
        raise Failed(f"{what}: should answer finite floats, one is not")


def _shown(text: str) -> str:
    return f'"{quoted(text)}"' if len(text) <= 40 else f"a text of {len(text)} characters"
