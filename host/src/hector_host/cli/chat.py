"""`hector chat`: a conversation with an agent, until the user leaves."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hector_host.cli.host_choice import connected
from hector_host.cli.options import ConfigOption, LLMOption, ServerOption, SessionOption, VerboseOption

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager

    from hector.host.v1.run_pb2 import RunEvent
    from hector_host.cli.client import Client

LEAVE = frozenset({"exit", "quit", "/exit", "/quit"})


def chat(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="The agent to talk to.", show_default=False)],
    *,
    config: ConfigOption = None,
    server: ServerOption = None,
    llm: LLMOption = None,
    session: SessionOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Talk to an agent.

    Leave with /exit or Ctrl-D; Ctrl-C stops the answer that is being given. The conversation is kept: go on with it
    later by --session. Example:

        hector chat assistant --session friday
    """
    from hector_host.cli.hosting import run

    run(_chat(connected(config, server, verbose=verbose), agent, llm, session))


async def _chat(host: AbstractAsyncContextManager[Client], agent: str, llm: str | None, session: str | None) -> None:
    async with host as client, client.calling(agent, llm) as call:
        from hector.host.v1.hector_pb2 import CallRequest
        from hector_host.cli.question import ask_on_terminal, reader
        from hector_host.runtime.ids import session_id

        session = session_id(session)
        print(f"{agent}, session {session}. Leave with /exit.", file=sys.stderr)
        read, ask = reader(), ask_on_terminal()
        while (line := await read("You: ")) is not None and line.strip() not in LEAVE:
            if line.strip():
                await _answer(call(CallRequest(agent=agent, message=line, session_id=session, llm=llm), ask))


async def _answer(run: AsyncGenerator[RunEvent, None]) -> None:
    """One turn. What goes wrong with it is told, and the conversation goes on; Ctrl-C ends the turn alone."""
    import signal

    from hector_host.cli.transcript import Transcript, print_sources
    from hector_host.errors import HectorError, printable_lines

    transcript = Transcript(stream=True)
    turn = asyncio.create_task(transcript.follow(run))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, turn.cancel)
    try:
        await turn
        print_sources(transcript.finished.sources)
    except HectorError as error:
        print(printable_lines(f"hector: {error}"), file=sys.stderr)
    except asyncio.CancelledError:
        if not turn.cancelled() or (current := asyncio.current_task()) is None or current.cancelling():
            raise
        print("\n(stopped)", file=sys.stderr)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        turn.cancel()
        await asyncio.gather(turn, return_exceptions=True)
