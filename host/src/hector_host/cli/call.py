"""`hector call`: asks an agent once."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hector_host.cli.host_choice import connected
from hector_host.cli.objects import print_json
from hector_host.cli.options import ConfigOption, JsonOption, LLMOption, ServerOption, SessionOption, VerboseOption

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from hector_host.cli.client import Client

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
    server: ServerOption = None,
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
            connected(config, server, verbose=verbose),
            name,
            message,
            llm,
            session,
            stream=stream and not as_json,
            steps=steps,
            as_json=as_json,
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
    host: AbstractAsyncContextManager[Client],
    agent: str,
    message: str,
    llm: str | None,
    session: str | None,
    *,
    stream: bool,
    steps: bool,
    as_json: bool,
) -> None:
    async with host as client, client.calling(agent, llm) as call:
        # Imported now: a host of this command's own has spawned its plugins, which start meanwhile.
        from hector.host.v1.hector_pb2 import CallRequest
        from hector_host.cli.question import ask_on_terminal
        from hector_host.cli.transcript import Transcript, print_sources, print_steps
        from hector_host.runtime.ids import session_id

        transcript = Transcript(stream=stream, quiet=as_json)
        request = CallRequest(agent=agent, message=message, llm=llm)
        if session is not None:
            request.session_id = session_id(session)
        await transcript.follow(call(request, ask_on_terminal()))
    if as_json:
        print_json(transcript.record())
        return
    print_sources(transcript.finished.sources)
    if steps:
        print_steps(transcript.finished.steps)
    if session is None and sys.stderr.isatty():
        print(f"Go on with: --session {transcript.started.session_id}", file=sys.stderr)
