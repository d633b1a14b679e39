"""Texts answered from the cache where it has them, and computed where it has not.

The cache has a thread of its own: neither answering nor computing waits for a disk. What was computed is answered
before it is stored.
"""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from hector_sdk.embedding.cache import Cache, Row
from hector_sdk.vectors import COMPONENT, Embeddings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import TypeVarTuple

    from hector_sdk.embedding.batcher import Batcher

    Arguments = TypeVarTuple("Arguments")

Result = TypeVar("Result")

MOST_WAITING = 20_000
"""Rows that may wait for the disk; further ones are left out, so that a slow disk costs no memory."""


class Recall:
    """A batcher with a memory."""

    def __init__(self, batcher: Batcher[str], model: str, folder: Path, most: int) -> None:
        """Nothing is opened yet.

        Args:
            batcher: It computes.
            model: Its name: vectors of other models are not found.
            folder: Where the file is.
            most: Its bytes.
        """
        self._batcher = batcher
        self._model = model
        self._file = (folder, most)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cache")
        self._waiting: dict[bytes, Row] = {}
        self._storing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the file."""
        self._cache = await self._run(Cache, *self._file)

    async def close(self) -> None:
        """Write what is waiting, and close the file."""
        if self._storing:
            await self._storing
        await self._run(self._cache.close)
        self._thread.shutdown()

    async def embed(self, texts: Sequence[str], purpose: str = "") -> Embeddings:
        """As `Batcher.embed`; a text that comes twice is computed once."""
        keys = self._keys(texts, purpose)
        known = await self._run(self._cache.get, keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            computed = await self._batcher.embed(list(missing.values()), purpose)
            made = _rows(list(missing), computed)
            self._keep(made)
            if len(missing) == len(texts):
                return computed
            known |= made
        return _embeddings([known[key] for key in keys])

    def _keys(self, texts: Sequence[str], purpose: str) -> list[bytes]:
        """What a text is known by: a digest of it, of its purpose and of the model."""
        start = hashlib.blake2b(f"{self._model}\0{purpose}\0".encode(), digest_size=16)
        keys = []
        for text in texts:
            digest = start.copy()
            digest.update(text.encode(errors="surrogatepass"))
            keys.append(digest.digest())
        return keys

    def _keep(self, rows: dict[bytes, Row]) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting |= rows
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store())

    async def _store(self) -> None:
        """Write what waits, and then what has come to wait meanwhile: many calls share a transaction."""
        while self._waiting:
            rows, self._waiting = self._waiting, {}
            await self._run(self._cache.put, rows)

    async def _run(self, function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)


def _rows(keys: list[bytes], computed: Embeddings) -> dict[bytes, Row]:
    told = zip(keys, computed.vectors.astype(COMPONENT, copy=False), computed.tokens, computed.truncated, strict=True)
    return {key: Row(vector.tobytes(), tokens, truncated) for key, vector, tokens, truncated in told}


def _embeddings(rows: list[Row]) -> Embeddings:
    import numpy as np

    vectors = np.frombuffer(b"".join(row.vector for row in rows), dtype=COMPONENT).reshape(len(rows), -1)
    return Embeddings(vectors, [row.tokens for row in rows], [row.truncated for row in rows])
