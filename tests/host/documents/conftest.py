"""A store over in-process stand-ins for the two plugins: small enough to be read, strict where the contract is."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zlib import crc32

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1.database_pb2 import Collection, Vector, VectorResult
from hector_host.config import Search
from hector_host.documents.store import Store
from hector_host.errors import CallError
from hector_host.providers.call import Call
from hector_host.providers.packed import COMPONENT, Row, components

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def numbers(vector: bytes) -> array[float]:
    """A vector's components; `components` is the way back."""
    return array("f", vector)


class WordEmbedder:
    """Texts with common words are near: each word counts in one of `dimensions` places."""

    def __init__(self, name: str = "words", dimensions: int = 64) -> None:
        self.name = name
        self.dimensions = dimensions
        self.texts: list[str] = []
        self.queries: list[str] = []
        self.fail_after: float = math.inf
        self.refuses = ""
        self.asked_for_dimension = 0

    async def dimension(self, call: Call) -> int:
        self.asked_for_dimension += 1
        return self.dimensions

    async def embed(self, texts: Sequence[str], *, query: bool = False, call: Call) -> list[bytes]:
        if len(self.texts) + len(texts) > self.fail_after:
            raise CallError("embedder_provider/words: EmbedBatch: UNAVAILABLE", code=grpc.StatusCode.UNAVAILABLE)
        if self.refuses and any(self.refuses in text for text in texts):
            raise CallError(
                "embedder_provider/words: EmbedBatch: INVALID_ARGUMENT: not that word",
                code=grpc.StatusCode.INVALID_ARGUMENT,
                detail="not that word",
            )
        (self.queries if query else self.texts).extend(texts)
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> bytes:
        vector = [0.0] * self.dimensions
        for word in text.lower().split():
            vector[crc32(word.strip(".,?!#`").encode()) % self.dimensions] += 1
        length = math.hypot(*vector) or 1
        return components(number / length for number in vector)


@dataclass
class Shelf:
    dimension: int
    vectors: dict[str, Vector] = field(default_factory=dict)


class MemoryDatabase:
    """Collections of vectors, compared by inner product."""

    def __init__(self, collection: str | None = "docs", dimension: int = 0) -> None:
        self.name = "memory"
        self.collection = collection
        self.dimension = dimension
        self.shelves: dict[str, Shelf] = {}
        self.fail_on: str = ""
        self.tells = True
        self.lists = True
        self.filters = True

    def ids(self, collection: str = "docs") -> set[str]:
        return set(self.shelves[collection].vectors)

    def paths(self, collection: str = "docs") -> list[str]:
        """The file of each chunk."""
        return sorted(id_.split("#")[0] for id_ in self.ids(collection))

    def _fail(self, method: str) -> None:
        if self.fail_on == method:
            raise CallError(f"database_provider/memory: {method}: UNAVAILABLE", code=grpc.StatusCode.UNAVAILABLE)

    async def create_collection(self, name: str, dimension: int, call: Call) -> None:
        shelf = self.shelves.setdefault(name, Shelf(dimension))
        if shelf.dimension != dimension:
            raise CallError(
                "database_provider/memory: CreateCollection: ALREADY_EXISTS",
                code=grpc.StatusCode.ALREADY_EXISTS,
                detail=f"it has {shelf.dimension} numbers",
            )

    async def upsert(self, collection: str, rows: Sequence[Row], call: Call) -> None:
        self._fail("upsert")
        shelf = self.shelves[collection]
        assert all(len(row.vector) == COMPONENT * shelf.dimension for row in rows)
        assert all(0 < len(row.id.encode()) <= 512 for row in rows)
        vectors = [
            Vector(id=row.id, vector=numbers(row.vector), metadata=Struct.FromString(row.metadata)) for row in rows
        ]
        shelf.vectors.update({vector.id: vector for vector in vectors})

    async def search(  # noqa: PLR0913 - the provider's own signature
        self,
        collection: str,
        vector: bytes,
        *,
        limit: int,
        threshold: float = 0.0,
        where: dict[str, Any] | None = None,
        exact: bool = False,
        call: Call,
    ) -> list[VectorResult]:
        results = [
            VectorResult(
                id=one.id,
                score=sum(a * b for a, b in zip(one.vector, numbers(vector), strict=True)),
                metadata=one.metadata,
            )
            for one in self.shelves[collection].vectors.values()
            if not self.filters or (where or {}).items() <= MessageToDict(one.metadata).items()
        ]
        return sorted(results, key=lambda result: -result.score)[:limit]

    async def delete(self, collection: str, ids: Sequence[str], call: Call) -> int:
        if ids:
            self._fail("delete")
        return sum(self.shelves[collection].vectors.pop(id_, None) is not None for id_ in ids)

    async def fetch(self, collection: str, ids: Sequence[str], call: Call) -> list[Row]:
        if not self.lists:
            raise CallError("database_provider/memory: ListVectors: UNIMPLEMENTED", code=grpc.StatusCode.UNIMPLEMENTED)
        vectors = self.shelves[collection].vectors
        return [Row(id_, components(vectors[id_].vector), b"") for id_ in ids if id_ in vectors]

    async def collections(self, call: Call) -> list[Collection] | None:
        if not self.tells:
            return None
        return [
            Collection(name=name, dimension=shelf.dimension, vectors=len(shelf.vectors))
            for name, shelf in self.shelves.items()
        ]


@pytest.fixture
def call() -> Call:
    return Call(agent="tester")


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


@dataclass
class Place:
    """A folder with documents, and stores over it."""

    base: Path
    embedder: WordEmbedder
    database: MemoryDatabase

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.base / "docs" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def has_ledger(self) -> bool:
        return self.store().ledger.exists()

    def store(self, name: str = "handbook", **settings: Any) -> Store:
        entry = {
            "path": self.base / "docs",
            "include": ["**/*.md", "**/*.txt"],
            "exclude": [],
            "gitignore": True,
            "max_file_size": 20_000_000,
            "embedder": "words",
            "database": "memory",
            "chunk_size": 200,
            "chunk_overlap": 0,
        }
        search = Search(**settings.pop("search", {}))
        meaning = settings.pop("meaning", "words")
        embedder = settings.pop("embedding", self.embedder)
        reranker = settings.pop("reranker", None)
        config: Any = SimpleNamespace(**(entry | settings), search=search)
        return Store(
            name=name,
            label=f"hector.yaml:7: document_stores.{name}",
            config=config,
            base=self.base,
            ledger=self.base / ".hector" / "documents.sqlite",
            embedder=embedder,
            database=self.database,  # type: ignore[arg-type]
            meaning=meaning,
            reranker=reranker,
        )


@pytest.fixture
def place(tmp_path: Path, embedder: WordEmbedder, database: MemoryDatabase) -> Place:
    return Place(tmp_path, embedder, database)
