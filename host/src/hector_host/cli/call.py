"""`hector call`: asks an agent once."""

from __future__ import annotations

import os
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from hector_host.cli.objects import print_json
from hector_host.cli.options import ConfigOption, JsonOption, LLMOption, SessionOption, VerboseOption

STDIN = "-"
STDIN_LIMIT = 4 << 20
"""Bytes of a message that is read from stdin."""


def call(
    first: Annotated[str, typer.Argument(metavar="AGENT", help="The agent to ask.", show_default=False)],
    second: Annotated[
        str | None, typer.Argument(metavar="MESSAGE", help="What to ask; - reads it from stdin.", show_default=False)
    ] = None,
    *,
    agent: Annotated[
        str | None, typer.Option("--agent", "-a", help="The agent, when only the message is given.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    llm: LLMOption = None,
    session: SessionOption = None,
    stream: Annotated[bool, typer.Option("--stream/--no-stream", help="Print the answer as it comes.")] = True,
    steps: Annotated[
        bool, typer.Option("--steps", help="Show which process did what, and for how long.", show_default=False)
    ] = False,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Ask an agent once and print its answer.

    The answer alone goes to stdout; thoughts, tool calls and sources go to stderr. With --json, one object tells all of
    the run. Examples:

        hector call assistant "What is in this folder?"

        git diff | hector call reviewer - --json

        hector call "And in one sentence?" --agent assistant --session friday
    """
    from hector_host.cli.hosting import run

    name, message = _agent_and_message(first, second, agent)
    run(
        _call(
            name,
            message,
            config,
            llm,
            session,
            stream=stream and not as_json,
            steps=steps,
            as_json=as_json,
            verbose=verbose,
        )
    )


def _agent_and_message(first: str, second: str | None, agent: str | None) -> tuple[str, str]:
    """Both forms: `call AGENT MESSAGE` and `call MESSAGE --agent NAME`."""
    if agent is None and second is None:
        raise typer.BadParameter("Say what to ask: hector call AGENT MESSAGE", param_hint="MESSAGE")
    if agent is not None and second is not None:
        raise typer.BadParameter("The agent is given twice: as AGENT and with --agent", param_hint="AGENT")
    name, message = (agent, first) if agent is not None else (first, second)
    assert name is not None  # noqa: S101 - for the type checker: one of the two is given
    assert message is not None  # noqa: S101 - likewise
    return name, _text(sys.stdin.buffer.read(STDIN_LIMIT + 1) if message == STDIN else os.fsencode(message))


def _text(message: bytes) -> str:
    if len(message) > STDIN_LIMIT:
        raise typer.BadParameter(f"The message has more than {STDIN_LIMIT >> 20} MiB", param_hint="MESSAGE")
    try:
        text = message.decode()
    except UnicodeDecodeError:
        raise typer.BadParameter("The message is not UTF-8 text", param_hint="MESSAGE") from None
    if not text.strip():
        raise typer.BadParameter("The message is empty", param_hint="MESSAGE")
    return text


async def _call(
    agent: str,
    message: str,
    path: Path | None,
    llm: str | None,
    session: str | None,
    *,
    stream: bool,
    steps: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    from hector_host.cli.hosting import hosting
    from hector_host.config import load

    config = load(path)
    plugins = config.plugins_of(config.agent(agent), llm)
    async with hosting(config, plugins, verbose=verbose) as host:
        from hector_host.cli.question import ask_on_terminal
        from hector_host.cli.transcript import Transcript, print_sources, print_steps
        from hector_host.runtime.runtime import RunRequest

        transcript = Transcript(stream=stream, quiet=as_json)
        request = RunRequest(agent, message, session, llm, ask=ask_on_terminal())
        async with aclosing(host.runtime.run(request)) as events:
            async for event in events:
                transcript.show(event)
    if as_json:
        print_json(transcript.record())
        return
    print_sources(transcript.finished.sources)
    if steps:
        print_steps(transcript.finished.steps)
    if session is None and sys.stderr.isatty():
        print(f"Go on with: --session {transcript.started.session_id}", file=sys.stderr)
