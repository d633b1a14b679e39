"""A search as the host's own API asks for it: by name, in the API's messages, many questions at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToDict

from hector.host.v1 import search_pb2 as wire
from hector_host.api.messages import SEARCH_MODES
from hector_host.documents.question import Options
from hector_host.documents.search import search
from hector_host.documents.store import Store
from hector_host.errors import QuestionError

if TYPE_CHECKING:
    from hector_host.config import Config, DocumentStoreConfig
    from hector_host.documents.passage import Passage
    from hector_host.providers.call import Call
    from hector_host.registry import Registry

MOST_QUESTIONS = 100

MODES = {number: mode for mode, number in SEARCH_MODES.items()}


async def answer(config: Config, registry: Registry, request: wire.SearchRequest, call: Call) -> wire.SearchResponse:
    """Searches.

    Raises:
        QuestionError: A question or an option is none.
        NotFoundError: There is no such store, or it was not indexed as it is configured now.
        PluginError: The embedder, the database or the cross-encoder failed.
    """
    if not 1 <= len(request.questions) <= MOST_QUESTIONS:
        raise QuestionError(f"{len(request.questions)} questions", f"Ask 1 to {MOST_QUESTIONS} at once.")
    options = _options(request)
    store = Store.open(config, registry, the_store(config, request.store).name)
    found = await search([store], list(request.questions), options, call)
    answers = [wire.SearchAnswer(passages=map(_message, passages)) for passages in found]
    return wire.SearchResponse(store=store.name, answers=answers)


def the_store(config: Config, name: str) -> DocumentStoreConfig:
    """The store of that name, or the only one.

    Raises:
        NotFoundError: There is none.
        QuestionError: There is no name, and not just one store.
    """
    if name or len(config.document_stores) == 1:
        return config.document_store(name or next(iter(config.document_stores)))
    if not config.document_stores:
        raise QuestionError(f"{config.document.name}: declares no document store", "Declare one under document_stores.")
    raise QuestionError("which document store is to be searched?", f"Name one of {', '.join(config.document_stores)}.")


def _options(request: wire.SearchRequest) -> Options:
    if request.mode not in MODES:
        raise QuestionError(f"mode {request.mode}: is not known", "Choose one of SearchMode.")
    return Options(
        mode=MODES[request.mode],
        limit=request.limit if request.HasField("limit") else None,
        threshold=request.threshold if request.HasField("threshold") else None,
        where=MessageToDict(request.filter),
        exact=request.exact,
        rerank=not request.no_rerank,
    )


def _message(found: Passage) -> wire.Passage:
    return wire.Passage(
        text=found.text,
        source=found.source,
        score=found.score,
        store=found.store,
        heading=found.heading,
        path=found.path,
        line=found.line,
        end_line=found.end_line,
        page=found.page,
        vector_score=found.vector,
        keyword_score=found.keyword,
        rerank_score=found.rerank,
    )
