"""Searching: the passages of document stores that answer questions, by their vectors, by their words, or by both.

    question ─┬─ embed ── the nearest vectors ──┐
              │                                 ├── fused ── threshold ── rerank ── spread ── the best
              └─ words ── the keyword index ────┘

Few passages of one file come first while others have some (`fusion.spread`).

Stores that are searched alike are searched as one, so that their passages meet in one ranking. Where the scores do not
compare, because they are of different models or modes, the stores take turns.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from grpc import StatusCode

from hector_host.documents import keywords
from hector_host.documents.fusion import fused, spread
from hector_host.documents.ledger import read_state
from hector_host.documents.passage import passage
from hector_host.documents.question import Options, check
from hector_host.errors import CallError, NotFoundError
from hector_host.providers.together import together

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from hector_host.config.search import Mode, Rerank
    from hector_host.documents.filters import Condition
    from hector_host.documents.passage import Passage
    from hector_host.documents.store import Store
    from hector_host.providers.call import Call

    Found = dict[tuple[str, str], Passage]
    """By store and id, best first."""

DEPTH = 50
"""Candidates of each kind: what is good by one may be far down by the other, and the best may all be of one file."""

AT_ONCE = 8
"""Questions that are looked up side by side."""

BATCH = 64
"""Questions that are embedded in one call."""


async def search(stores: Iterable[Store], texts: Sequence[str], options: Options, call: Call) -> list[list[Passage]]:
    """The best passages of the stores for each question, in the order of the questions; the best one first.

    Raises:
        QuestionError: A question is none.
        NotFoundError: A store was not indexed, or not as it is configured now.
        PluginError: The embedder, the database or the cross-encoder failed.
    """
    groups: dict[Hashable, list[Store]] = {}
    for store in stores:
        for text in texts:
            check(text, options.mode or store.config.search.mode)
        await asyncio.to_thread(check_indexed, store)  # it waits where somebody indexes at this moment
        groups.setdefault(_likeness(store, options), []).append(store)
    limit = options.limit or max(store.config.search.limit for group in groups.values() for store in group)
    searches = [_Search(group, options, limit, call) for group in groups.values()]
    found = await together([one.passages(texts) for one in searches])
    return [_in_turns(rankings)[:limit] for rankings in zip(*found, strict=True)]


def check_indexed(store: Store) -> None:
    """Whether a store can be searched.

    Raises:
        NotFoundError: It was not indexed, or not as it is configured now.
    """
    state = read_state(store.ledger, store.place)
    if state is None:
        problem = "is not indexed"
    elif state.meaning != store.meaning:
        problem = "was indexed with other settings of its embedder"
    elif state.chunking != store.chunking:
        problem = "was indexed from another folder, or in chunks of another size"
    elif not state.complete:
        problem = "is indexed in part: the last run did not end"
    else:
        return
    raise NotFoundError(f"{store.label}: {problem}", f"Run: hector index {store.name}")


def _likeness(store: Store, options: Options) -> Hashable:
    """Equal for stores whose passages compare."""
    rerank = store.config.search.rerank if options.rerank else None
    return store.config.embedder, store.meaning, options.mode or store.config.search.mode, rerank


def _in_turns(rankings: Iterable[Sequence[Passage]]) -> list[Passage]:
    return [one for rank in zip_longest(*rankings) for one in rank if one is not None]


@dataclass(frozen=True, slots=True)
class _Search:
    """One search of stores that compare."""

    stores: Sequence[Store]
    options: Options
    limit: int
    call: Call

    @property
    def mode(self) -> Mode:
        return self.options.mode or self.stores[0].config.search.mode

    @property
    def rerank(self) -> Rerank | None:
        return self.stores[0].config.search.rerank if self.options.rerank else None

    @property
    def depth(self) -> int:
        """Candidates of each kind."""
        return max(self.limit, self.rerank.candidates if self.rerank else 0, DEPTH)

    async def passages(self, texts: Sequence[str]) -> list[list[Passage]]:
        """The passages for each question."""
        vectors: list[bytes] = []
        if self.mode != "keyword":
            embedder = self.stores[0].embedder
            for start in range(0, len(texts), BATCH):
                vectors += await embedder.embed(texts[start : start + BATCH], query=True, call=self.call)
        found: list[list[Passage]] = []
        for start in range(0, len(texts), AT_ONCE):
            portion = range(start, min(start + AT_ONCE, len(texts)))
            found += await together([self._one(texts[at], vectors[at] if vectors else b"") for at in portion])
        return found

    async def _one(self, text: str, vector: bytes) -> list[Passage]:
        near = self._near(vector) if vector else _nothing()
        worded = self._worded(text) if self.mode != "vector" else _nothing()
        by_vector, by_word = await together([near, worded])
        ranked = [one for one in self._ranked(by_vector, by_word) if self._is_good(one)]
        if self.rerank:
            ranked = await self._reranked(text, ranked)
        return spread(ranked, lambda one: (one.store, one.path))[: self.limit]

    def _ranked(self, by_vector: Found, by_word: Found) -> list[Passage]:
        if self.mode != "hybrid":
            return [*by_vector.values(), *by_word.values()]
        scores = fused(list(by_vector), {key: one.keyword or 0.0 for key, one in by_word.items()})
        words = {key: one.keyword for key, one in by_word.items()}
        found = by_word | by_vector
        return [replace(found[key], score=score, keyword=words.get(key)) for key, score in scores.items()]

    def _is_good(self, found: Passage) -> bool:
        """Whether one of its scores reaches the threshold."""
        bound = self._bound(found.store)
        return bound is None or any(score is not None and score >= bound for score in (found.vector, found.keyword))

    def _bound(self, store: str) -> float | None:
        if self.options.threshold is not None:
            return self.options.threshold
        return next(one.config.search.threshold for one in self.stores if one.name == store)

    async def _near(self, vector: bytes) -> Found:
        """The nearest passages."""
        return _best(await together([self._near_in(store, vector) for store in self.stores]), self.depth)

    async def _near_in(self, store: Store, vector: bytes) -> Found:
        bound = self._bound(store.name) if self.mode == "vector" else None
        results = await store.database.search(
            store.place.collection,
            vector,
            limit=self.depth,
            threshold=bound or 0.0,
            where=_own(store, self.options.where),
            exact=self.options.exact,
            call=self.call,
        )
        matches = self._matches(store)
        found: Found = {}
        for result in results:
            metadata = MessageToDict(result.metadata)
            one = passage(store, result.id, metadata)
            if matches(metadata):
                found[store.name, result.id] = replace(one, score=result.score, vector=result.score)
        return found

    async def _worded(self, text: str) -> Found:
        """The passages that have most of its words."""
        found = [asyncio.to_thread(self._worded_in, store, text) for store in self.stores]
        return _best(await together(found), self.depth)

    def _worded_in(self, store: Store, text: str) -> Found:
        hits = keywords.find(store.ledger, store.place, text, self.depth, self._matches(store))
        return {
            (store.name, hit.id): replace(passage(store, hit.id, hit.metadata), score=hit.score, keyword=hit.score)
            for hit in hits
        }

    def _matches(self, store: Store) -> Condition:
        """The filter again: whether an agent sees another's documents is not left to a plugin that may ignore it."""
        holds = self.options.condition()
        return lambda metadata: metadata["store"] == store.name and holds(metadata)

    async def _reranked(self, text: str, ranked: Sequence[Passage]) -> list[Passage]:
        rerank, reranker = self.rerank, self.stores[0].reranker
        if rerank is None or reranker is None or not ranked:
            return []
        candidates = ranked[: max(rerank.candidates, self.limit)]
        try:
            scores = await reranker.rerank(text, [one.whole for one in candidates], self.call, rerank.model)
        except CallError as error:
            if error.code is not StatusCode.UNIMPLEMENTED:
                raise
            raise CallError(
                f"{self.stores[0].label}.search.rerank: embedders.{rerank.embedder} has no reranker: {error.what}",
                "Name an entry of embedders: whose plugin serves Rerank, or take rerank out.",
                code=error.code,
            ) from None
        judged = [replace(one, score=score, rerank=score) for one, score in zip(candidates, scores, strict=True)]
        return sorted(judged, key=lambda one: -one.score)


def _own(store: Store, where: Mapping[str, Any]) -> dict[str, Any]:
    """The filter that a database gets."""
    mine = {"store": store.name}
    return {"$and": [mine, dict(where)]} if "store" in where else mine | dict(where)


def _best(found: Iterable[Found], depth: int) -> Found:
    """What several stores have, as one."""
    best = sorted((each for one in found for each in one.items()), key=lambda each: -each[1].score)
    return dict(best[:depth])


async def _nothing() -> Found:
    return {}
