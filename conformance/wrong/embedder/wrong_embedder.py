"""An embedder that keeps every promise but one: the case that its option `fault` names, if any.

It hashes pairs of letters, so that texts with the same pairs are near each other.
"""

import asyncio
import hashlib
import math
import operator
import os
import time
from dataclasses import dataclass

import grpc

from hector.plugin.v1 import embedder_pb2 as emb
from hector_sdk import Embedder, Status, serve

DIMENSION = 64
BOUND = 1000
"""Characters that are read of a text, which count as tokens."""
STUCK = 7.0
"""Seconds for which a fault holds everybody up: longer than the suite is patient."""


@dataclass(frozen=True)
class Options:
    fault: str = ""


class Wrong(Embedder[Options]):
    async def start(self):
        self.calls = 0
        self.stuck = False

    def wrong(self, case):
        return self.options.fault == case

    def vector(self, text):
        salt = str(os.getpid()) if self.wrong("processes_give_the_same_vectors") else ""
        vector = [0.0] * DIMENSION
        read = f" {text[:BOUND]} "
        for place in range(len(read) - 1):
            digest = hashlib.blake2b((salt + read[place : place + 2]).encode(), digest_size=4).digest()
            vector[int.from_bytes(digest[:2], "little") % DIMENSION] += 1 if digest[2] % 2 else -1
        vector[0] += 0.01  # of the empty text too
        if self.wrong("equal_texts_have_equal_vectors"):
            self.calls += 1
            vector[1] += 0.01 * self.calls % 0.1
        if self.wrong("different_texts_have_different_vectors"):
            vector = [1.0] * DIMENSION
        length = 1 if self.wrong("normalized_vectors_have_length_1") else math.hypot(*vector)
        return [each / length for each in vector]

    async def embed_text(self, request):
        self.check(request, "EmbedText")
        text = request.text
        if not text and self.wrong("an_empty_text_is_a_text"):
            raise status("INVALID_ARGUMENT")
        if len(text) > 1 << 19 and self.wrong("a_text_of_1_mib_is_embedded"):
            text = text[:BOUND]  # cut, and not told
        if not text.isascii() and self.wrong("any_unicode_is_a_text"):
            text.encode("ascii")
        if len(text) > 2000:
            await self.slow("late_texts_harm_no_call")
        if self.wrong("parallel_texts_do_not_mix"):
            self.current = text
            await asyncio.sleep(0.002)
            text = self.current
        vector = self.vector(text)
        if self.wrong("texts_have_purposes") and request.input_type == emb.INPUT_TYPE_QUERY:
            vector = vector[: DIMENSION // 2]
        return emb.EmbedTextResponse(
            success=True, vector=vector, tokens=min(len(text), BOUND), truncated=len(text) > BOUND, model="hash@1"
        )

    async def embed_batch(self, request):
        self.check(request, "EmbedBatch")
        texts = list(request.texts)
        if not texts and self.wrong("an_empty_batch_has_an_empty_answer"):
            raise status("INVALID_ARGUMENT")
        if len(texts) == 200:
            await self.slow("cancelled_batches_harm_no_call")
        if self.wrong("batches_keep_their_order") and len(texts) < 100:
            texts.sort(key=len)
        if self.wrong("a_batch_of_2000_texts_is_embedded_whole"):
            texts = texts[:1000]
        vectors = map(self.vector, texts)
        if self.wrong("batches_equal_single_texts"):
            vectors = ([vector[-1], *vector[:-1]] for vector in vectors) if len(texts) < 100 else vectors
        return emb.EmbedBatchResponse(
            success=True, model="hash@1", embeddings=[emb.Embedding(vector=vector) for vector in vectors]
        )

    async def slow(self, case):
        """Takes its time; with the fault, whoever leaves meanwhile holds everybody up."""
        try:
            await asyncio.sleep(0.5 if self.wrong(case) else 0.01)
        except asyncio.CancelledError:
            if self.wrong(case) and not self.stuck:
                self.stuck = True  # once is enough
                time.sleep(STUCK)  # noqa: ASYNC251  that is the fault
            raise

    async def get_dimensions(self, request):
        self.check(request, "GetDimensions")
        said = DIMENSION + self.wrong("dimensions_agree_with_vectors")
        return emb.GetDimensionsResponse(dimension=said, model="hash@1", max_input_tokens=BOUND, normalized=True)

    async def rerank(self, request):
        if request.model and not self.wrong("unknown_rerankers_are_not_found"):
            raise status("NOT_FOUND")
        if not request.query and self.wrong("nothing_to_rerank_is_no_error"):
            raise status("INVALID_ARGUMENT")
        asked = self.vector(request.query)
        scores = [sum(map(operator.mul, asked, self.vector(text))) for text in request.texts]
        if self.wrong("every_text_has_a_finite_score"):
            scores = scores[:64]
        if self.wrong("scores_follow_their_texts"):
            scores.sort()
        return emb.RerankResponse(success=True, scores=scores, model="hash@1")

    def check(self, request, rpc):
        if request.model not in ("", "hash") and not (
            self.wrong("unknown_models_are_not_found") and rpc == "EmbedText"
        ):
            raise status("NOT_FOUND")
        asked = 0 if rpc == "GetDimensions" else request.dimension
        if asked not in (0, DIMENSION) and not self.wrong("impossible_dimensions_are_invalid"):
            raise status("INVALID_ARGUMENT")


def status(code):
    return Status(grpc.StatusCode[code], f"that is {code}")


if __name__ == "__main__":
    serve(Wrong(), name="wrong-embedder", version="0.1.0", description="Breaks one promise.")
