"""The tool `search`: the passages of an agent's document stores that answer a question, each with its `PATH:line`."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict

from hector.plugin.v1.tool_pb2 import ExecuteToolResponse, Tool
from hector_host.documents.ledger import read_state
from hector_host.errors import NotFoundError, PluginError, quoted
from hector_host.providers.together import together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hector.plugin.v1.database_pb2 import VectorResult
    from hector_host.documents.store import Store
    from hector_host.providers.call import Call

NAME = "search"

MOST = 100
"""Passages of one search."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that was found.

    Attributes:
        source: `PATH:line`, the path as written from the configuration's folder.
        score: The database's; higher is better.
        heading: The titles above it.
    """

    text: str
    source: str
    score: float
    store: str
    heading: str


class SearchTool:
    """One agent's `search`, as a tool that the host itself performs.

    Args:
        stores: At least one.

    Attributes:
        tool: How it is offered to models.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = {store.name: store for store in stores}
        self._limit = max(store.config.limit for store in stores)
        self.tool = _tool(list(self._stores), self._limit)

    def check(self) -> None:
        """Whether every store can be searched.

        Raises:
            NotFoundError: One was not indexed, or not as it is configured now.
        """
        for store in self._stores.values():
            _check(store)

    async def execute(self, parameters: Mapping[str, Any], call: Call) -> ExecuteToolResponse:
        """Searches.

        Args:
            parameters: Valid by the tool's schema.
            call: On whose behalf.

        Returns:
            `result`: the passages as text, best first, each under a line `[n] PATH:line`.
            `structured_result`: `{"passages": [{"text", "source", "score", "store", "heading"}]}`.

        Raises:
            NotFoundError: A store was not indexed, or not as it is configured now.
            CallError: The embedder or the database failed.
        """
        name = parameters.get("store")
        stores = [self._stores[name]] if name else list(self._stores.values())
        for store in stores:
            await asyncio.to_thread(_check, store)  # it waits where somebody indexes at this moment
        limit = int(parameters.get("limit", self._limit))
        embedders = {store.config.embedder: store.embedder for store in stores}
        embedded = await together(
            [one.embed([parameters["query"]], query=True, call=call) for one in embedders.values()]
        )
        questions = dict(zip(embedders, (vectors[0] for vectors in embedded), strict=True))
        found = await together([_passages(store, questions[store.config.embedder], limit, call) for store in stores])
        return _response(_merged(found, comparable=len(embedders) == 1)[:limit])


def _tool(stores: list[str], limit: int) -> Tool:
    properties: dict[str, Any] = {
        "query": {
            "type": "string",
            "minLength": 1,
            "pattern": r"\S",
            "description": "What to look for, in plain words.",
        },
        "limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST,
            "default": limit,
            "description": "The most passages to return.",
        },
    }
    if len(stores) > 1:
        properties["store"] = {"type": "string", "enum": stores, "description": "Search this store alone."}
    tool = Tool(
        name=NAME,
        title="Search documents",
        description=(
            f"Finds the passages of the documents ({', '.join(stores)}) that are closest in meaning to a query. "
            "Each comes with its source as PATH:line; cite it."
        ),
    )
    tool.parameters.update(
        {"type": "object", "properties": properties, "required": ["query"], "additionalProperties": False}
    )
    tool.effects.read_only = tool.effects.idempotent = tool.effects.additive = True
    return tool


def _check(store: Store) -> None:
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


async def _passages(store: Store, question: bytes, limit: int, call: Call) -> list[Passage]:
    where = {"store": store.name}
    results = await store.database.search(store.place.collection, question, limit=limit, where=where, call=call)
    found = [(result.score, _metadata(store, result)) for result in results]
    # The filter again: whether an agent sees another's documents is not left to a plugin that may ignore it.
    return [_passage(store, score, metadata) for score, metadata in found if metadata["store"] == store.name]


def _metadata(store: Store, result: VectorResult) -> dict[str, Any]:
    metadata = MessageToDict(result.metadata)
    if missing := [key for key in ("store", "path", "line", "heading", "text") if key not in metadata]:
        raise PluginError(
            f"{store.label}: databases.{store.config.database} lost the metadata of {quoted(result.id)}: "
            f"{', '.join(missing)}",
            "Its plugin must return what UpsertVectors was given.",
        )
    return metadata


def _passage(store: Store, score: float, metadata: Mapping[str, Any]) -> Passage:
    return Passage(
        text=metadata["text"],
        source=store.source(metadata["path"], int(metadata["line"])),
        score=score,
        store=store.name,
        heading=metadata["heading"],
    )


def _merged(found: Sequence[Sequence[Passage]], *, comparable: bool) -> list[Passage]:
    """The passages of several stores, best first; by rank where scores are of different models and do not compare."""
    if comparable:
        return sorted(chain.from_iterable(found), key=lambda passage: -passage.score)
    return [passage for rank in zip_longest(*found) for passage in rank if passage]


def _response(passages: Sequence[Passage]) -> ExecuteToolResponse:
    blocks = [f"[{number}] {passage.source}\n{passage.text}" for number, passage in enumerate(passages, 1)]
    response = ExecuteToolResponse(success=True, result="\n\n".join(blocks) or "Nothing was found.")
    response.structured_result.struct_value.update({"passages": [asdict(passage) for passage in passages]})
    return response
