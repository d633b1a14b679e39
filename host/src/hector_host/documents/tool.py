"""The tool `search`: the passages of an agent's document stores that answer a question, each with its `PATH:line`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grpc import StatusCode

from hector.plugin.v1.tool_pb2 import ExecuteToolResponse, Tool
from hector_host.config.search import MOST
from hector_host.documents.question import LENGTH_LIMIT, Options
from hector_host.documents.search import check_indexed, search
from hector_host.errors import CallError, QuestionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hector_host.documents.passage import Passage
    from hector_host.documents.store import Store
    from hector_host.providers.call import Call

NAME = "search"


class SearchTool:
    """One agent's `search`, as a tool that the host itself performs.

    Args:
        stores: At least one.

    Attributes:
        tool: How it is offered to models.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = {store.name: store for store in stores}
        self._limit = max(store.config.search.limit for store in stores)
        self.tool = _tool(list(self._stores), self._limit)

    def check(self) -> None:
        """Whether every store can be searched.

        Raises:
            NotFoundError: One was not indexed, or not as it is configured now.
        """
        for store in self._stores.values():
            check_indexed(store)

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
            PluginError: The embedder, the database or the cross-encoder failed, or the query has nothing to look for.
        """
        name = parameters.get("store")
        stores = [self._stores[name]] if name else list(self._stores.values())
        options = Options(limit=int(parameters.get("limit", self._limit)))
        try:
            (found,) = await search(stores, [parameters["query"]], options, call)
        except QuestionError as error:
            raise CallError(f"{NAME}: {error.what}", error.step, code=StatusCode.INVALID_ARGUMENT) from None
        return _response(found)


def _tool(stores: list[str], limit: int) -> Tool:
    properties: dict[str, Any] = {
        "query": {
            "type": "string",
            "minLength": 1,
            "maxLength": LENGTH_LIMIT,
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
            f"Finds the passages of the documents ({', '.join(stores)}) that answer a query. "
            "Each comes with its source as PATH:line; cite it."
        ),
    )
    tool.parameters.update(
        {"type": "object", "properties": properties, "required": ["query"], "additionalProperties": False}
    )
    tool.effects.read_only = tool.effects.idempotent = tool.effects.additive = True
    return tool


def _response(passages: Sequence[Passage]) -> ExecuteToolResponse:
    blocks = [f"[{number}] {one.source}\n{one.text}" for number, one in enumerate(passages, 1)]
    response = ExecuteToolResponse(success=True, result="\n\n".join(blocks) or "Nothing was found.")
    response.structured_result.struct_value.update({"passages": [_object(one) for one in passages]})
    return response


def _object(found: Passage) -> dict[str, str | float]:
    return {
        "text": found.text,
        "source": found.source,
        "score": found.score,
        "store": found.store,
        "heading": found.heading,
    }
