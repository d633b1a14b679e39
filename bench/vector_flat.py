"""What a program would write without a database: FAISS in the process, and a file that is synced after each batch."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import faiss
import numpy as np

from bench.vector_rows import DIMENSION

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from bench.vector_rows import Rows


class Flat:
    """An IndexFlatIP and its file."""

    def __init__(self, path: Path) -> None:
        self.ids: list[str] = []
        self._index = faiss.IndexFlatIP(DIMENSION)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def close(self) -> None:
        os.close(self._file)

    def upsert(self, batch: Rows) -> None:
        """Append vectors, ids and metadata, sync, and add."""
        ids = [each.encode() for each in batch.ids]
        lengths = np.fromiter(map(len, [*ids, *batch.structs]), dtype="<u4", count=2 * len(ids))
        parts = [lengths.tobytes(), b"".join(ids), b"".join(batch.structs), batch.vectors.data]
        os.writev(self._file, [struct.pack("<I", len(ids)), *parts])
        os.fsync(self._file)
        self._index.add(batch.vectors)
        self.ids += batch.ids

    def search(self, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """The best ids and scores."""
        scores, found = self._index.search(vector[None], limit)
        return [(self.ids[row], score) for row, score in zip(found[0].tolist(), scores[0].tolist(), strict=True)]
