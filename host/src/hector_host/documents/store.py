"""A document store as its parts: the files, the embedder and the database that an entry of `document_stores:` names."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from hector_host.documents.ledger import Place
from hector_host.errors import ConfigError

if TYPE_CHECKING:
    from hector_host.config import Config, DocumentStoreConfig, EmbedderConfig, PluginConfig
    from hector_host.providers.call import Call
    from hector_host.providers.database import DatabaseProvider
    from hector_host.providers.embedder import EmbedderProvider
    from hector_host.registry import Registry

CHUNKING_VERSION = 1
"""Raised when a release makes other chunks of the same text, or embeds them with other words around them."""

ID_LIMIT = 480
"""Bytes of a vector's id before its digest; the contract allows 512 in all."""


@dataclass(frozen=True)
class Store:
    """One entry of `document_stores:`.

    Attributes:
        label: Where the entry stands, as errors begin: "hector.yaml:40: document_stores.handbook".
        base: The folder of the configuration file; sources are cited relative to it.
        ledger: The file that remembers what was indexed.
        reranker: What orders the passages of a search anew. None: nothing.
        meaning: What makes the vectors comparable with a question's: the embedder's model and the metric, digested.
    """

    name: str
    label: str
    config: DocumentStoreConfig
    base: Path
    ledger: Path
    embedder: EmbedderProvider
    database: DatabaseProvider
    meaning: str
    reranker: EmbedderProvider | None = None

    @classmethod
    def open(cls, config: Config, registry: Registry, name: str) -> Store:
        """The store of that name. Touches no file and calls no plugin.

        Raises:
            NotFoundError: There is none.
            ConfigError: It names an embedder or a database that nothing declares.
        """
        entry = config.document_store(name)
        metric = config.database_of(entry).config.metric
        embedder = config.embedder_of(entry)
        reranker = config.reranker_of(entry)
        return cls(
            name=name,
            label=config.locate(*entry.key),
            config=entry,
            base=config.folder,
            ledger=config.storage.path / "documents.sqlite",
            embedder=registry.embedder(entry.embedder),
            database=registry.database(entry.database),
            meaning=_meaning(embedder, config.plugin_of(embedder), metric),
            reranker=None if reranker is None else registry.embedder(reranker.id),
        )

    @property
    def root(self) -> Path:
        """The folder that paths are relative to."""
        return self.config.path.parent if self.config.path.is_file() else self.config.path

    @property
    def place(self) -> Place:
        """Where its chunks are."""
        return Place(self.name, self.config.database, self.database.collection or self.name)

    @property
    def chunking(self) -> str:
        """What decides which texts there are, and how they become chunks."""
        folder = os.path.relpath(self.config.path, self.base)
        return f"{CHUNKING_VERSION}/{self.config.chunk_size}/{self.config.chunk_overlap}/{folder}"

    def chunk_id(self, path: str, digest: str) -> str:
        """The id of a chunk's vector: `store/path#digest`; paths too long for an id are digested."""
        # A store's name may hold a slash of its own.
        prefix = f"{self.name.replace('%', '%25').replace('/', '%2F')}/{path}"
        if len(prefix.encode()) > ID_LIMIT:
            prefix = sha256(prefix.encode()).hexdigest()
        return f"{prefix}#{digest}"

    def source(self, path: str, line: int, page: int = 0) -> str:
        """`PATH:line`, `PATH#page=3` of what has pages, or `PATH`; the path as seen from the configuration's folder."""
        shown = Path(os.path.relpath(self.root / path, self.base))  # ../docs/a.md too, which relative_to refuses
        place = f"#page={page}" if page else f":{line}" if line else ""
        return shown.as_posix() + place

    async def dimension(self, call: Call) -> int:
        """How many numbers its vectors have.

        Raises:
            ConfigError: The embedder gives another number than the database is configured for.
        """
        given = await self.embedder.dimension(call)
        wanted = self.database.dimension
        if wanted and wanted != given:
            raise ConfigError(
                f"{self.label}: embedders.{self.config.embedder} gives vectors of {given} numbers, "
                f"databases.{self.config.database}.config.dimension says {wanted}",
                f"Write dimension: {given} there, or leave it out.",
            )
        return given


def _meaning(embedder: EmbedderConfig, plugin: PluginConfig, metric: str) -> str:
    """The settings that decide what vectors mean: which plugin, which model of it, and how they are compared."""
    settings = [embedder.plugin, embedder.config.model, embedder.config.dimension, plugin.config.get("model"), metric]
    return sha256(json.dumps(settings, default=str).encode()).hexdigest()
