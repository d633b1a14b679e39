"""`hector search`: what a document store finds, and how well."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hector_host.cli.host_choice import connected
from hector_host.cli.objects import print_json
from hector_host.cli.options import ConfigOption, JsonOption, ServerOption, VerboseOption

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from hector.host.v1.search_pb2 import SearchRequest
    from hector_host.cli.client import Client
    from hector_host.config.search import Mode


class ModeName(enum.StrEnum):
    """What `--mode` takes."""

    hybrid = "hybrid"
    vector = "vector"
    keyword = "keyword"


def search(
    store: Annotated[
        str | None,
        typer.Argument(metavar="STORE", help="The document store to search.", show_default=False),
    ] = None,
    question: Annotated[
        str | None, typer.Argument(metavar="QUESTION", help="What to look for.", show_default=False)
    ] = None,
    *,
    mode: Annotated[
        ModeName | None,
        typer.Option(
            "--mode",
            "-m",
            help="By meaning (vector), by words (keyword) or by both. Without it: as the store is configured.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, max=100, help="Passages at most.", show_default=False)
    ] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", "-t", help="The lowest score of a passage.", show_default=False)
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--filter",
            "-f",
            metavar="JSON",
            help="""What a passage's metadata must match, as '{"path": {"$in": ["a.md", "b.md"]}}'.""",
            show_default=False,
        ),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="Compare with every vector, whatever index there is.", show_default=False),
    ] = False,
    rerank: Annotated[
        bool, typer.Option("--rerank/--no-rerank", help="Use the store's cross-encoder, if it names one.")
    ] = True,
    evaluate: Annotated[
        Path | None,
        typer.Option(
            "--eval",
            metavar="FILE",
            help="Ask all questions of a file instead, and count how many find their answers.",
            show_default=False,
        ),
    ] = None,
    misses: Annotated[
        bool,
        typer.Option("--misses", help="With --eval: show what was found in the place of answers.", show_default=False),
    ] = False,
    config: ConfigOption = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show the passages of a document store that answer a question, the best first.

    With --eval, FILE has a question a line, with the places of its answer: {"question": "…", "sources": ["guide.md",
    "protocol.md:120", "manual.pdf#page=3"]}. Without --mode, all modes are tried. Examples:

        hector search handbook "How are plugins stopped?"

        hector search handbook max_memory --mode keyword --filter '{"path": "security.md"}'

        hector search handbook --eval questions.jsonl --misses
    """
    from hector.host.v1.search_pb2 import SearchRequest
    from hector_host.cli.hosting import run

    if evaluate is None:
        _check_asked(store, question, misses=misses)
    elif question is not None:
        raise typer.BadParameter("With --eval, the questions are in its file", param_hint="QUESTION")
    elif limit is not None:
        raise typer.BadParameter("With --eval, the first 10 passages are looked at", param_hint="--limit")
    request = SearchRequest(store=_text(store or "", "STORE"), limit=limit, threshold=threshold, exact=exact)
    request.no_rerank = not rerank
    request.filter.update(_filter(where))
    _check(request, question, mode)
    host = connected(config, server, verbose=verbose)
    if evaluate is not None:
        from hector_host.cli.evaluation import evaluated

        run(evaluated(host, request, evaluate, [mode.value] if mode else [], misses=misses, as_json=as_json))
        return
    run(_search(host, request, [mode.value] if mode else [], as_json=as_json))


def _check_asked(store: str | None, question: str | None, *, misses: bool) -> None:
    if store is None or question is None:
        raise typer.BadParameter("Say where and what to look for: hector search STORE QUESTION", param_hint="QUESTION")
    if misses:
        raise typer.BadParameter("Only --eval counts them", param_hint="--misses")


def _check(request: SearchRequest, question: str | None, mode: ModeName | None) -> None:
    """Refuses here what a host would refuse, before anything starts."""
    from google.protobuf.json_format import MessageToDict

    from hector_host.documents.question import Options, check

    if request.HasField("threshold"):
        Options(threshold=request.threshold)
    Options(where=MessageToDict(request.filter))
    if question is not None:
        check(question, mode.value if mode else "hybrid")
        request.questions.append(question)


def _text(given: str, what: str) -> str:
    try:
        given.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("It is not UTF-8 text", param_hint=what) from None
    return given


def _filter(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        read = json.loads(_text(text, "--filter"))
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"It is not JSON: {error}", param_hint="--filter") from None
    if not isinstance(read, dict):
        raise typer.BadParameter("It is not a JSON object", param_hint="--filter")
    return read


async def _search(
    host: AbstractAsyncContextManager[Client], request: SearchRequest, modes: Sequence[Mode], *, as_json: bool
) -> None:
    from hector_host.api.messages import SEARCH_MODES
    from hector_host.cli.passages import print_passages, record

    request.mode = SEARCH_MODES[modes[0] if modes else None]
    async with host as client, client.searching(request.store, modes, rerank=not request.no_rerank) as search:
        response = await search(request)
    (answer,) = response.answers
    if as_json:
        question = request.questions[0]
        print_json({"store": response.store, "question": question, "passages": list(map(record, answer.passages))})
    else:
        print_passages(request.questions[0], answer.passages)
