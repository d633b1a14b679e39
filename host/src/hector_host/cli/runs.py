"""`hector runs`: what agents did, from the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hector_host.cli.host_choice import connected
from hector_host.cli.objects import print_json, usage_object
from hector_host.cli.options import ConfigOption, JsonOption, ServerOption
from hector_host.cli.times import date_text, seconds

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from hector.host.v1.hector_pb2 import GetRunResponse, RunEffect, RunSummary
    from hector_host.cli.client import Client

QUESTION = 60
"""Characters shown of one."""

app = typer.Typer(help="Look at what agents did.", no_args_is_help=True)


@app.command("list")
def list_runs(
    *,
    config: ConfigOption = None,
    server: ServerOption = None,
    session: Annotated[
        str | None, typer.Option("--session", "-s", help="Only those of this conversation.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List runs, the newest first.

    For example:

        hector runs list --session friday
    """
    from hector_host.cli.hosting import run

    run(_list(connected(config, server, looking=True), session, limit, as_json=as_json))


@app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A run, as `hector runs list` names it.")],
    *,
    config: ConfigOption = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run: what it was asked, what it did and answered.

    For example:

        hector runs show 1a20562eb7c92c72aac7 --json
    """
    from hector_host.cli.hosting import run

    run(_show(run_id, connected(config, server, looking=True), as_json=as_json))


async def _list(host: AbstractAsyncContextManager[Client], session: str | None, limit: int, *, as_json: bool) -> None:
    async with host as client:
        runs = await client.runs(limit, session or "")
    if as_json:
        print_json([_summary(run) for run in runs])
        return
    if not runs:
        print("There are no runs yet.")
        return
    from hector_host.cli.columns import aligned
    from hector_host.errors import printable, quoted

    rows = [("run", "when", "agent", "status", "question")]
    rows += [
        (
            printable(run.run_id),
            date_text(run.created),
            printable(run.agent),
            _status(run),
            quoted(run.question, QUESTION),
        )
        for run in runs
    ]
    print(aligned(rows))


async def _show(run_id: str, host: AbstractAsyncContextManager[Client], *, as_json: bool) -> None:
    async with host as client:
        run = await client.run(run_id)
    if as_json:
        print_json(_record(run))
        return
    _print(run)


def _print(run: GetRunResponse) -> None:
    from hector_host.cli.transcript import shown

    summary = run.summary
    print(f"run {summary.run_id}: {_status(summary)}, {date_text(summary.created)}")
    print(f"agent {summary.agent}, llm {summary.llm}, engine {summary.engine}, session {summary.session_id}")
    print(f"\n{shown(summary.question)}\n")
    for iteration in run.iterations:
        if iteration.thought:
            print(f"{iteration.number}. {shown(iteration.thought)}")
        for effect in run.effects:
            if effect.iteration == iteration.number:
                print(f"{iteration.number}. {_line(effect)}")
    if run.HasField("answer"):
        print(f"\n{shown(_text(run.answer))}")
    if summary.error:
        print(f"\n{shown(summary.error)}")
    usage = summary.usage
    print(f"\n{usage.prompt_tokens} tokens in, {usage.completion_tokens} out")


def _line(effect: RunEffect) -> str:
    from hector_host.errors import quoted

    took = "no outcome"
    if effect.HasField("finished"):
        took = f"{(seconds(effect.finished) - seconds(effect.created)) * 1000:.0f} ms"
    if effect.outcome.HasField("failure"):
        came = f"failed: {quoted(effect.outcome.failure.message, 200)}"
    else:
        came = quoted(_text(effect.outcome.message), 200)
    if effect.request.HasField("tool_call"):
        called = effect.request.tool_call
        return f"{quoted(called.tool)} {quoted(called.arguments, 200)} ({took}) → {came}"
    return f"{effect.request.WhichOneof('effect')} ({took}) → {came}"


def _text(message: Any) -> str:
    """The text of a message, that of its tool calls and results included."""
    from hector_host.providers.prompt import transcript

    return transcript([message]).strip()


def _status(run: RunSummary) -> str:
    from hector.host.v1.hector_pb2 import RunStatus

    if run.status not in RunStatus.values():  # a newer host's
        return "unknown"
    return RunStatus.Name(run.status).removeprefix("RUN_STATUS_").lower()


def _summary(run: RunSummary) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "session_id": run.session_id,
        "agent": run.agent,
        "llm": run.llm,
        "engine": run.engine,
        "status": _status(run),
        "created": seconds(run.created),
        "finished": seconds(run.finished) if run.HasField("finished") else None,
        "iterations": run.iterations,
        "question": run.question,
        "error": run.error,
        "usage": usage_object(run.usage),
    }


def _record(run: GetRunResponse) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    def plain(message: Any) -> Any:
        return MessageToDict(message, preserving_proto_field_name=True)

    return _summary(run.summary) | {
        "answer": _text(run.answer) if run.HasField("answer") else None,
        "thoughts": {iteration.number: iteration.thought for iteration in run.iterations},
        "messages": [plain(message) for message in run.messages],
        "effects": [
            {
                "id": effect.request.id,
                "iteration": effect.iteration,
                "kind": effect.request.WhichOneof("effect"),
                "request": plain(effect.request),
                "created": seconds(effect.created),
                "finished": seconds(effect.finished) if effect.HasField("finished") else None,
                "outcome": plain(effect.outcome),
            }
            for effect in run.effects
        ],
        "steps": [plain(step) for step in run.steps],
    }
