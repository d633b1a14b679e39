"""`hector runs`: what agents did, from the journal."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hector_host.cli.objects import print_json, usage_object
from hector_host.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from hector_host.runtime.journal import EffectRecord, RunRecord, RunSummary
    from hector_host.runtime.sqlite import SqliteJournal

QUESTION = 60
"""Characters shown of one."""

app = typer.Typer(help="Look at what agents did.", no_args_is_help=True)


@app.command("list")
def list_runs(
    *,
    config: ConfigOption = None,
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

    run(_list(config, session, limit, as_json=as_json))


@app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A run, as `hector runs list` names it.")],
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run: what it was asked, what it did and answered.

    For example:

        hector runs show 1a20562eb7c92c72aac7 --json
    """
    from hector_host.cli.hosting import run

    run(_show(run_id, config, as_json=as_json))


@asynccontextmanager
async def _journal(path: Path | None) -> AsyncIterator[SqliteJournal]:
    from hector_host.config import load
    from hector_host.runtime.sqlite import open_journal

    async with open_journal(load(path).storage.path) as journal:
        yield journal


async def _list(path: Path | None, session: str | None, limit: int, *, as_json: bool) -> None:
    async with _journal(path) as journal:
        runs = await journal.runs(limit, session or "")
    if as_json:
        print_json([_summary(run) for run in runs])
        return
    if not runs:
        print("There are no runs yet.")
        return
    from hector_host.cli.columns import aligned
    from hector_host.errors import quoted

    print(
        aligned(
            [
                ("run", "when", "agent", "status", "question"),
                *((run.id, _when(run.created), run.agent, run.status, quoted(run.question, QUESTION)) for run in runs),
            ]
        )
    )


async def _show(run_id: str, path: Path | None, *, as_json: bool) -> None:
    async with _journal(path) as journal:
        run = await journal.run(run_id)
    if as_json:
        print_json(_record(run))
        return
    _print(run)


def _print(run: RunRecord) -> None:
    from hector_host.cli.transcript import shown

    summary = run.summary
    print(f"run {summary.id}: {summary.status}, {_when(summary.created)}")
    print(f"agent {summary.agent}, llm {summary.llm}, engine {summary.engine}, session {summary.session}")
    print(f"\n{shown(summary.question)}\n")
    for number, thought in run.thoughts.items():
        if thought:
            print(f"{number}. {thought}")
        for effect in run.effects:
            if effect.iteration == number:
                print(f"{number}. {_line(effect)}")
    if run.answer is not None:
        print(f"\n{shown(_text(run.answer))}")
    if summary.error:
        print(f"\n{shown(summary.error)}")
    usage = summary.usage
    print(f"\n{usage.prompt_tokens} tokens in, {usage.completion_tokens} out")


def _line(effect: EffectRecord) -> str:
    from hector_host.errors import quoted

    took = "no outcome" if effect.finished is None else f"{(effect.finished - effect.created) * 1000:.0f} ms"
    if effect.outcome.HasField("failure"):
        came = f"failed: {quoted(effect.outcome.failure.message, 200)}"
    else:
        came = quoted(_text(effect.outcome.message), 200)
    if effect.kind == "tool_call":
        called = effect.request.tool_call
        return f"{quoted(called.tool)} {quoted(called.arguments, 200)} ({took}) → {came}"
    return f"{effect.kind} ({took}) → {came}"


def _text(message: Any) -> str:
    """The text of a message, that of its tool calls and results included."""
    from hector_host.providers.prompt import transcript

    return transcript([message]).strip()


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _summary(run: RunSummary) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "session_id": run.session,
        "agent": run.agent,
        "llm": run.llm,
        "engine": run.engine,
        "status": run.status,
        "created": run.created,
        "finished": run.finished,
        "iterations": run.iterations,
        "question": run.question,
        "error": run.error,
        "usage": usage_object(run.usage),
    }


def _record(run: RunRecord) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    def plain(message: Any) -> Any:
        return MessageToDict(message, preserving_proto_field_name=True)

    return _summary(run.summary) | {
        "answer": None if run.answer is None else _text(run.answer),
        "thoughts": run.thoughts,
        "messages": [plain(message) for message in run.messages],
        "effects": [
            {
                "id": effect.id,
                "iteration": effect.iteration,
                "kind": effect.kind,
                "request": plain(effect.request),
                "created": effect.created,
                "finished": effect.finished,
                "outcome": plain(effect.outcome),
            }
            for effect in run.effects
        ],
        "steps": [plain(step) for step in run.steps],
    }
