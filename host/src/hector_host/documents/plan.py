"""What is to be done for a file: which of its chunks are new, which only stand elsewhere now, which are gone. Pure.

A chunk is known by the text that is embedded: its id has the digest of it. So a paragraph that moved keeps its vector,
and a file that changed in one place is embedded in one place.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hector_host.documents.ledger import Entry
    from hector_host.documents.split import Chunk
    from hector_host.documents.store import Store

DIGITS = 16
"""Hexadecimal digits of a digest that tell the chunks of one file apart."""


@dataclass(slots=True, eq=False)
class Work:
    """A file on its way.

    Attributes:
        done: What the ledger is to say of it in the end.
        items: Chunks that are to be stored.
        stale: Ids of chunks that are to be deleted in the end.
        waiting: Chunks that are not stored yet.
        refused: Why it cannot be indexed after all. Empty: nothing speaks against it.
    """

    done: Entry
    items: list[Item]
    stale: list[str]
    waiting: int = field(init=False)
    refused: str = ""

    def __post_init__(self) -> None:
        """Everything waits."""
        self.waiting = len(self.items)

    @property
    def path(self) -> str:
        """Relative to the store's folder, with `/`."""
        return self.done.path


@dataclass(frozen=True, slots=True)
class Item:
    """A chunk that is to be stored.

    Attributes:
        text: What is embedded.
        metadata: What is stored with its vector.
        kept: Its vector is in the database already; only where it stands has changed.
    """

    id: str
    text: str
    metadata: dict[str, Any]
    kept: bool


def plan(
    store: Store, done: Entry, title: str, chunks: Sequence[Chunk], held: Mapping[str, Mapping[str, Any] | None]
) -> Work:
    """What is to be done.

    Args:
        done: What the ledger is to say in the end, but for the number of chunks.
        title: As the file calls itself.
        chunks: Of the file as it is.
        held: The chunks that the database may have, see `Ledger.chunks`.
    """
    seen: Counter[str] = Counter()
    items: list[Item] = []
    ids: set[str] = set()
    for chunk in chunks:
        digest = sha256(chunk.embedded.encode()).hexdigest()[:DIGITS]
        seen[digest] += 1
        again = f".{seen[digest]}" if seen[digest] > 1 else ""
        id_ = store.chunk_id(done.path, digest + again)
        ids.add(id_)
        metadata = _metadata(store, done.path, title, chunk)
        if held.get(id_) != metadata:
            items.append(Item(id_, chunk.embedded, metadata, kept=held.get(id_) is not None))
    return Work(replace(done, chunks=len(chunks)), items, sorted(held.keys() - ids))


def _metadata(store: Store, path: str, title: str, chunk: Chunk) -> dict[str, Any]:
    metadata = {
        "store": store.name,
        "path": path,
        "title": title,
        "line": chunk.line,
        "end_line": chunk.end_line,
        "heading": chunk.heading,
        "text": chunk.text,
    }
    return metadata | {"page": chunk.page} if chunk.page else metadata
